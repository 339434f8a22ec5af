package conformance

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
)

// The fixtures of the acceptance vectors (section 11 of the specification of the wire).
const (
	cm   = `[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"panel"},"data":{"tilt":"30"}}]`
	kc   = `{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"k"}}],"clusters":[{"name":"k","cluster":{"server":"https://10.0.0.9"}}],"users":[{"name":"u","user":{"token":"t"}}]}`
	apps = "/kubernetes/namespaces/solar/applications"
	edge = `{"api":"kubernetes","kind":"Cluster","namespace":"solar","name":"edge-1"}`
)

func app(name string) string {
	return `{"metadata":{"name":"` + name + `"},"spec":{"manifest":` + cm + `,"constraints":{"cluster":{}}}}`
}

// The vectors are carried out in their order on one server; the numbers are theirs.
func TestAcceptanceVectorsOfApplications(t *testing.T) {
	s := start(t)
	const forecast = apps + "/forecast"
	get := func() document { return s.ask(t, "GET", forecast, nil).want(t, 200).document(t) }
	step := func(name string, f func(t *testing.T)) {
		if !t.Run(name, f) {
			t.FailNow() // the next ones build on it
		}
	}

	step("1 the version", func(t *testing.T) {
		same(t, "answer", document{"version": "1.0.1"}, s.ask(t, "GET", "/", nil).want(t, 200).document(t))
	})
	step("2 the caller", func(t *testing.T) {
		same(t, "answer", document{"user": "system:anonymous", "roles": []string{}}, s.ask(t, "GET", "/me", nil).want(t, 200).document(t))
	})
	step("13 an application with everything at its default", func(t *testing.T) {
		body := `{"metadata":{"name":"forecast"},"spec":{"manifest":` + cm + `,"hooks":["shutdown"],"shutdown_grace_time":"45",` +
			`"constraints":{"cluster":{"labels":["region is not PL"],"metrics":["co2_fr < 100"]}}}}`
		got := s.ask(t, "POST", apps, body).want(t, 200).document(t)
		if got.text("metadata.created") != got.text("metadata.modified") || len(got.text("metadata.uid")) != 36 {
			t.Errorf("metadata: %v", got["metadata"])
		}
		want := parse(t, []byte(`{"api":"kubernetes","kind":"Application","metadata":{"name":"forecast","namespace":"solar","labels":{},"inherit_labels":false,"finalizers":[],"uid":"","created":"","modified":"","deleted":null,"owners":[]},
 "spec":{"manifest":`+cm+`,"tosca":{},"csar":null,"observer_schema":[],"constraints":{"cluster":{"labels":["region is not PL"],"custom_resources":[],"metrics":["co2_fr < 100"]},"migration":true},"hooks":["shutdown"],"shutdown_grace_time":45,"shutdown_failure_strategy":null,"shutdown_retry_count":null,"backoff":1,"backoff_delay":1,"backoff_limit":-1,"storage_migration":"none","auto_cluster_create":false},
 "status":{"reason":null,"state":"PENDING","container_health":{"desired_pods":0,"running_pods":0,"completed_pods":0,"failed_pods":0},"kube_controller_triggered":null,"scheduled":null,"scheduled_to":null,"running_on":null,"retries":null,"scheduled_retry":null,"services":{},"mangled_observer_schema":[],"last_observed_manifest":[],"last_applied_manifest":[],"complete_token":null,"complete_cert":null,"complete_key":null,"shutdown_token":null,"shutdown_cert":null,"shutdown_key":null,"shutdown_grace_period":null,"auto_cluster_create_started":null,"migration_retries":0,"migration_timeout":0}}`))
		for _, made := range []string{"metadata.uid", "metadata.created", "metadata.modified"} {
			want = want.with(made, got.at(made))
		}
		same(t, "answer", want, stripped(t, "Application", got))
	})
	step("14 an application of nothing", func(t *testing.T) {
		s.ask(t, "POST", apps, `{"metadata":{"name":"empty"},"spec":{"manifest":[],"constraints":{"cluster":{}}}}`).
			problem(t, 422, "", `{'spec': {'_schema': ['The application should be defined by a manifest file, a TOSCA template or a CSAR file.']}}`)
	})
	step("15 constraints that cannot be read", func(t *testing.T) {
		s.ask(t, "POST", apps, `{"metadata":{"name":"x"},"spec":{"manifest":`+cm+`,"constraints":{"cluster":{"labels":["region over PL"],"metrics":["co2_fr is less than 5"]}}}}`).
			problem(t, 422, "", `{'spec': {'constraints': {'cluster': {'labels': {0: ['Invalid label constraint']}, 'metrics': {0: ['Invalid metric constraint']}}}}}`)
	})
	step("16 an application that does not exist", func(t *testing.T) {
		s.ask(t, "GET", apps+"/nothing", nil).problem(t, 404, api.TitleNotFound, "'Application' 'nothing' does not exist in namespace 'solar'")
	})
	step("17 a binding to a cluster that does not exist", func(t *testing.T) {
		modified, last := get().text("metadata.modified"), ""
		for range 2 {
			got := s.ask(t, "PUT", forecast+"/binding", `{"cluster":`+edge+`}`).want(t, 200).document(t)
			stamp := got.text("status.scheduled")
			if stamp == "" || stamp != got.text("status.kube_controller_triggered") || stamp == last || got.text("metadata.modified") != modified {
				t.Errorf("scheduled %s after %s, triggered %s, modified %s", stamp, last, got.text("status.kube_controller_triggered"), got.text("metadata.modified"))
			}
			last = stamp
			ref := parse(t, []byte(edge))
			same(t, "bound to", ref, got.at("status.scheduled_to"))
			same(t, "owners", []document{ref}, got.at("metadata.owners"))
		}
	})
	step("18 a status as a controller writes it", func(t *testing.T) {
		before := get()
		body := before.with("status.state", "RUNNING").with("status.running_on", parse(t, []byte(edge))).
			with("status.complete_token", "c-123").with("status.shutdown_token", "s-456")
		for range 2 {
			got := s.ask(t, "PUT", forecast+"/status", body).want(t, 200).document(t)
			same(t, "status", body["status"], got["status"])
			same(t, "modified", before.at("metadata.modified"), got.at("metadata.modified"))
		}
	})
	step("19 a completion with another token", func(t *testing.T) {
		s.ask(t, "PUT", forecast+"/complete", `{"token":"wrong"}`).problem(t, 401, "", "401: No token has been provided or the provided one is invalid.")
	})
	step("20 an update changes no status", func(t *testing.T) {
		before := get()
		got := s.ask(t, "PUT", forecast, before.with("metadata.labels", document{"team": "pv"}).with("status.state", "FAILED")).want(t, 200).document(t)
		if got.text("status.state") != "RUNNING" || got.text("metadata.labels.team") != "pv" || got.text("metadata.modified") <= before.text("metadata.modified") {
			t.Errorf("%v", got)
		}
	})
	step("21 a namespace is immutable", func(t *testing.T) {
		s.ask(t, "PUT", forecast, get().with("metadata.namespace", "wind")).problem(t, 400, api.TitleUpdate, "Trying to update an immutable field: namespace")
	})
	step("22 an update without a status", func(t *testing.T) {
		s.ask(t, "PUT", forecast, get().without("status")).problem(t, 422, "", `{'status': ['Missing data for required field.']}`)
	})
	step("23 a deletion, twice", func(t *testing.T) {
		before := get()
		first := s.ask(t, "DELETE", forecast, nil).want(t, 200).document(t)
		if first.text("metadata.deleted") == "" || first.text("status.state") != "WAITING_FOR_CLEANING" || first.text("metadata.modified") != before.text("metadata.modified") {
			t.Errorf("%v", first)
		}
		same(t, "finalizers", []string{"cascade_deletion"}, first.at("metadata.finalizers"))
		same(t, "the second answer", first, s.ask(t, "DELETE", forecast, nil).want(t, 200).document(t))
	})
	step("24 a new finalizer during a deletion", func(t *testing.T) {
		s.ask(t, "PUT", forecast, get().with("metadata.finalizers", []string{"cascade_deletion", "mine"})).
			problem(t, 409, api.TitleUpdate, "Finalizers can only be removed if a deletion is in progress.")
	})
	step("25 a shutdown is confirmed", func(t *testing.T) {
		got := s.ask(t, "PUT", forecast+"/shutdown", `{"token":"s-456"}`).want(t, 200).document(t)
		if got.text("status.state") != "READY_FOR_ACTION" || got.at("status.shutdown_grace_period") != nil {
			t.Errorf("%v", got["status"])
		}
	})
	step("26 a retry where none is needed", func(t *testing.T) {
		s.ask(t, "PUT", forecast+"/retry", nil).problem(t, 400, api.TitleUpdate, "No migration or deletion retry needed")
	})
	step("27 the last finalizer goes", func(t *testing.T) {
		got := s.ask(t, "PUT", forecast, get().with("metadata.finalizers", []string{})).want(t, 200).document(t)
		same(t, "finalizers", []string{}, got.at("metadata.finalizers"))
		if got.text("metadata.deleted") == "" {
			t.Error("the answer is not marked as deleted")
		}
		s.ask(t, "GET", forecast, nil).want(t, 404)
	})
	step("28 a forced deletion", func(t *testing.T) {
		s.ask(t, "POST", apps, app("tmp")).want(t, 200)
		got := s.ask(t, "DELETE", apps+"/tmp?force=True", nil).want(t, 200).document(t)
		same(t, "finalizers", []string{}, got.at("metadata.finalizers"))
		if got.text("metadata.deleted") == "" {
			t.Error("the answer is not marked as deleted")
		}
		s.ask(t, "GET", apps+"/tmp", nil).want(t, 404)
		s.ask(t, "DELETE", apps+"/tmp?force=True", nil).want(t, 404)
	})
	for _, force := range []string{"true", "TRUE", "1", "yes", "", "False", "true&force=True"} {
		step("28 a deletion that is not forced by "+force, func(t *testing.T) {
			s.ask(t, "POST", apps, app("tmp")).want(t, 200)
			got := s.ask(t, "DELETE", apps+"/tmp?force="+force, nil).want(t, 200).document(t)
			same(t, "finalizers", []string{"cascade_deletion"}, got.at("metadata.finalizers"))
			s.ask(t, "GET", apps+"/tmp", nil).want(t, 200)
			s.ask(t, "DELETE", apps+"/tmp?force=True", nil).want(t, 200)
		})
	}
	step("43 finalizers are a set", func(t *testing.T) {
		body := parse(t, []byte(app("set"))).with("metadata.finalizers", []string{"a", "b"})
		s.ask(t, "POST", apps, body).want(t, 200)
		deleted := s.ask(t, "DELETE", apps+"/set", nil).want(t, 200).document(t)
		same(t, "finalizers", []string{"a", "b", "cascade_deletion"}, deleted.at("metadata.finalizers"))
		put := func(finalizers ...string) answer {
			body := s.ask(t, "GET", apps+"/set", nil).document(t).with("spec.backoff", 9)
			return s.ask(t, "PUT", apps+"/set", body.with("metadata.finalizers", append([]string{}, finalizers...)))
		}
		put("b", "a", "cascade_deletion").want(t, 200)
		if got := put("a").want(t, 200).document(t); got.at("spec.backoff") != 9.0 {
			t.Errorf("spec: %v", got["spec"])
		}
		put("a", "z").want(t, 409)
		put().want(t, 200)
		s.ask(t, "GET", apps+"/set", nil).want(t, 404)
	})
	step("46 constraints are equal by their meaning", func(t *testing.T) {
		body := parse(t, []byte(app("meaning"))).with("spec.constraints.cluster.labels", []string{"l is a"})
		created := s.ask(t, "POST", apps, body).want(t, 200).document(t)
		put := func(text string) answer {
			return s.ask(t, "PUT", apps+"/meaning", created.with("spec.constraints.cluster.labels", []string{text}))
		}
		put("l == a").problem(t, 400, api.TitleUpdate, "The body contained no update.")
		got := put("l  ==  b").want(t, 200).document(t)
		same(t, "labels", []string{"l  ==  b"}, got.at("spec.constraints.cluster.labels"))
	})
	step("47 enums travel by name", func(t *testing.T) {
		created := s.ask(t, "POST", apps, app("enums")).want(t, 200).document(t)
		put := func(path string, value any) answer {
			return s.ask(t, "PUT", apps+"/enums/status", created.with(path, value))
		}
		put("status.reason", document{"code": 10, "message": "m"}).problem(t, 422, "", `{'status': {'reason': {'code': ['Enum name must be string']}}}`)
		put("status.reason", document{"code": "NOPE", "message": "m"}).problem(t, 422, "", `{'status': {'reason': {'code': ['Invalid enum member NOPE']}}}`)
		put("status.state", "running").problem(t, 422, "", `{'status': {'state': ['Invalid enum member running']}}`)
		put("status.state", nil).problem(t, 422, "", `{'status': {'state': ['Field may not be null.']}}`)
		put("status.state", "RUNNING").want(t, 200)
		got := put("status", document{}).want(t, 200).document(t)
		same(t, "status", created["status"], got["status"])
	})
	step("49 times are given back as they came", func(t *testing.T) {
		created := s.ask(t, "POST", apps, app("times")).want(t, 200).document(t)
		for in, want := range map[string]string{
			"2026-01-01T10:00:00":            "2026-01-01T10:00:00",
			"2026-01-01T10:00:00Z":           "2026-01-01T10:00:00+00:00",
			"2026-01-01T10:00:00.5+0200":     "2026-01-01T10:00:00.500000+02:00",
			"2026-01-01T10:00:00.123456789Z": "2026-01-01T10:00:00.123456+00:00",
		} {
			got := s.ask(t, "PUT", apps+"/times/status", created.with("status.shutdown_grace_period", in)).want(t, 200).document(t)
			if got.text("status.shutdown_grace_period") != want {
				t.Errorf("%s became %s", in, got.text("status.shutdown_grace_period"))
			}
		}
		for _, in := range []any{"2026-01-01", 12345} {
			s.ask(t, "PUT", apps+"/times/status", created.with("status.shutdown_grace_period", in)).
				problem(t, 422, "", `{'status': {'shutdown_grace_period': ['Not a valid datetime.']}}`)
		}
	})
}

func TestAcceptanceVectorsOfClusters(t *testing.T) {
	s := start(t)
	const clusters = "/kubernetes/namespaces/solar/clusters"
	t.Run("29 a kubeconfig with two contexts", func(t *testing.T) {
		two := strings.Replace(kc, `"contexts":[`, `"contexts":[{"name":"b","context":{"cluster":"k"}},`, 1)
		s.ask(t, "POST", clusters, `{"metadata":{"name":"edge-1"},"spec":{"kubeconfig":`+two+`,"constraints":{"cloud":{}}}}`).
			problem(t, 422, "", `{'spec': {'kubeconfig': ['Only one context is allowed']}}`)
	})
	t.Run("30 a cluster and its binding", func(t *testing.T) {
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
	})
	t.Run("28 a cluster is deleted by force, too", func(t *testing.T) {
		got := s.ask(t, "DELETE", clusters+"/edge-1?force=True", nil).want(t, 200).document(t)
		if got.text("metadata.deleted") == "" {
			t.Error("the answer is not marked as deleted")
		}
		s.ask(t, "GET", clusters+"/edge-1", nil).want(t, 404)
	})
}

func TestAcceptanceVectorsOfMetricsProviders(t *testing.T) {
	const providers = "/core/globalmetricsproviders"
	s := start(t)
	t.Run("3 a static provider", func(t *testing.T) {
		got := s.ask(t, "POST", providers, `{"metadata":{"name":"grid-feed"},"spec":{"type":"static","static":{"metrics":{"co2_fr":"41.5","co2_pl":650}}}}`).want(t, 200).document(t)
		if got.text("metadata.created") != got.text("metadata.modified") || got.at("metadata.namespace") != nil {
			t.Errorf("%v", got["metadata"])
		}
		same(t, "spec", parse(t, []byte(`{"type":"static","static":{"metrics":{"co2_fr":41.5,"co2_pl":650.0}}}`)), got["spec"])
	})
	t.Run("4 the same name again", func(t *testing.T) {
		s.ask(t, "POST", providers, `{"metadata":{"name":"grid-feed"},"spec":{"type":"static","static":{"metrics":{}}}}`).
			problem(t, 409, api.TitleAlreadyExists, "GlobalMetricsProvider 'grid-feed' already exists")
	})
	t.Run("5 an update that changes nothing is quiet", func(t *testing.T) {
		before := s.ask(t, "GET", providers+"/grid-feed", nil).want(t, 200).document(t)
		same(t, "answer", before, s.ask(t, "PUT", providers+"/grid-feed", before).want(t, 200).document(t))
	})
	for spec, want := range map[string]string{
		`{}`:                                    `{'spec': {'type': ['Missing data for required field.']}}`,
		`{"type":"foo"}`:                        `{'spec': {'type': ["Unknown type 'foo'"]}}`,
		`{"type":"prometheus"}`:                 `{'spec': {'prometheus': ['Field is required']}}`,
		`{"type":"prometheus","prometheus":{}}`: `{'spec': {'url': ['Missing data for required field.']}}`,
	} {
		t.Run("48 the container "+spec, func(t *testing.T) {
			s.ask(t, "POST", providers, `{"metadata":{"name":"x"},"spec":`+spec+`}`).problem(t, 422, "", want)
		})
	}
	t.Run("48 a container with more than it needs", func(t *testing.T) {
		got := s.ask(t, "POST", providers, `{"metadata":{"name":"x"},"spec":{"type":"prometheus","prometheus":{"url":"not a url"},"static":{"metrics":{"a":1}},"zzz":1}}`).want(t, 200).document(t)
		same(t, "spec", parse(t, []byte(`{"type":"prometheus","prometheus":{"url":"not a url"}}`)), got["spec"])
	})
}

func TestSixteenWritersOfOneObjectAllSucceed(t *testing.T) { // vector 45, as it should be
	s := start(t)
	created := s.ask(t, "POST", apps, app("busy")).want(t, 200).document(t)
	var writers errgroup.Group
	for i := range 16 {
		writers.Go(func() error {
			for j := range 5 {
				body := created.with("metadata.labels", document{"writer": fmt.Sprintf("w%d-%d", i, j)})
				a, err := s.send("PUT", apps+"/busy", body)
				if err != nil {
					return err
				}
				if a.status != 200 {
					return fmt.Errorf("answered %d %s", a.status, a.body)
				}
			}
			return nil
		})
	}
	if err := writers.Wait(); err != nil {
		t.Error(err)
	}
}
