package conformance

import (
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

const magnums = "/openstack/namespaces/solar/magnumclusters"

var placeVectors = []vector{
	{29, "a kubeconfig with two contexts", func(t *testing.T, s *server) {
		two := strings.Replace(kc, `"contexts":[`, `"contexts":[{"name":"b","context":{"cluster":"k"}},`, 1)
		s.ask(t, "POST", clusters, `{"metadata":{"name":"edge-1"},"spec":{"kubeconfig":`+two+`,"constraints":{"cloud":{}}}}`).
			problem(t, 422, "", `{'spec': {'kubeconfig': ['Only one context is allowed']}}`)
	}},
	{30, "a cluster and its binding", func(t *testing.T, s *server) {
		got := s.ask(t, "POST", clusters, `{"metadata":{"name":"edge-1"},"spec":{"kubeconfig":`+kc+`,"metrics":[{"name":"co2_fr","weight":2}],"constraints":{"cloud":{}}}}`).
			want(t, 200).document(t)
		plain := stripped(t, "Cluster", got)
		same(t, "constraints", parse(t, []byte(`{"cloud":{"labels":null,"metrics":null}}`)), plain.at("spec.constraints"))
		same(t, "metrics", []document{{"name": "co2_fr", "weight": 2.0, "namespaced": false}}, plain.at("spec.metrics"))
		same(t, "status", parse(t, []byte(`{"reason":null,"kube_controller_triggered":null,"state":"PENDING","metrics_reasons":{},"last_applied_tosca":{},"nodes":[],"cluster_id":null,"scheduled":null,"scheduled_to":null,"running_on":null,"retries":0}`)), plain["status"])

		got = s.ask(t, "PUT", clusters+"/edge-1/binding", `{"cloud":{"api":"infrastructure","kind":"GlobalCloud","name":"north"}}`).want(t, 200).document(t)
		if got.text("status.scheduled") == "" || got.at("status.kube_controller_triggered") != nil {
			t.Errorf("%v", got["status"])
		}
		same(t, "owners", []document{{"api": "infrastructure", "namespace": nil, "kind": "GlobalCloud", "name": "north"}}, got.at("metadata.owners"))
	}},
	{31, "a global cloud with a metric of a namespace", func(t *testing.T, s *server) {
		s.ask(t, "POST", "/infrastructure/globalclouds", `{"metadata":{"name":"north"},"spec":{"type":"openstack","openstack":{"url":"http://ks","auth":{"type":"password","password":{"user":{"username":"u","password":"p"},"project":{"name":"pr"}}},"metrics":[{"name":"m","weight":1,"namespaced":true}],"infrastructure_provider":{"name":"im-1"}}}}`).
			problem(t, 422, "", "{'_schema': ['A non-namespaced global cloud resource cannot reference the namespaced metric resource.']}")
	}},
	{32, "a user without a password", func(t *testing.T, s *server) {
		s.ask(t, "POST", "/infrastructure/globalinfrastructureproviders", `{"metadata":{"name":"im-1"},"spec":{"type":"im","im":{"url":"http://im","username":"u"}}}`).
			problem(t, 422, "", "{'spec': {'_schema': ['At least one authentication should be defined in the IM infrastructure provider spec.']}}")
	}},
	{33, "the binding of a Magnum cluster that does not exist", func(t *testing.T, s *server) {
		const notFound = "'MagnumCluster' 'none' does not exist in namespace 'solar'"
		for _, body := range []any{nil, "{", "{}", strings.Repeat("a", 9<<20)} {
			s.ask(t, "PUT", magnums+"/none/binding", body).problem(t, 404, api.TitleNotFound, notFound)
		}
		s.ask(t, "PUT", magnums+"/none/status", nil).problem(t, 415, "", "415: Unsupported Media Type")
	}},
	{34, "a Magnum cluster keeps its template", func(t *testing.T, s *server) {
		s.ask(t, "POST", magnums, `{"metadata":{"name":"mg"},"spec":{"master_count":1}}`).want(t, 200)
		s.ask(t, "PUT", magnums+"/mg/binding", nil).problem(t, 415, "", "415: Unsupported Media Type")
		s.ask(t, "PUT", magnums+"/mg/binding", "{}").
			problem(t, 422, "", "{'project': ['Missing data for required field.'], 'template': ['Missing data for required field.']}")
		project := document{"api": "openstack", "namespace": "solar", "kind": "Project", "name": "pr"}
		bound := s.ask(t, "PUT", magnums+"/mg/binding", document{"project": project, "template": "tpl-1"}).want(t, 200).document(t)
		same(t, "project", project, bound.at("status.project"))
		same(t, "owners", []document{project}, bound.at("metadata.owners"))
		const immutable = "Trying to update an immutable field: "
		for _, template := range []any{"tpl-2", nil} {
			s.ask(t, "PUT", magnums+"/mg/status", bound.with("status.template", template)).problem(t, 400, api.TitleUpdate, immutable+"template")
		}
		s.ask(t, "PUT", magnums+"/mg/status", bound.with("status", document{})).problem(t, 400, api.TitleUpdate, immutable+"template")
		for _, count := range []any{2, nil} {
			s.ask(t, "PUT", magnums+"/mg", bound.with("spec.master_count", count)).problem(t, 400, api.TitleUpdate, immutable+"master_count")
		}
		s.ask(t, "PUT", magnums+"/mg/status", bound.with("status.state", "RUNNING")).want(t, 200)

		s.ask(t, "POST", magnums, `{"metadata":{"name":"open"},"spec":{}}`).want(t, 200)
		open := current(t, s, magnums+"/open")
		s.ask(t, "PUT", magnums+"/open/status", open.with("status.template", "tpl-1")).problem(t, 400, api.TitleUpdate, immutable+"template")
		s.ask(t, "PUT", magnums+"/open", open.with("spec.master_count", 1)).problem(t, 400, api.TitleUpdate, immutable+"master_count")
	}},
}
