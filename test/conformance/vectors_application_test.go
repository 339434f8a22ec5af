package conformance

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

var applicationVectors = []vector{
	{13, "an application with everything at its default", func(t *testing.T, s *server) {
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
	}},
	{14, "an application of nothing", func(t *testing.T, s *server) {
		s.ask(t, "POST", apps, `{"metadata":{"name":"empty"},"spec":{"manifest":[],"constraints":{"cluster":{}}}}`).
			problem(t, 422, "", `{'spec': {'_schema': ['The application should be defined by a manifest file, a TOSCA template or a CSAR file.']}}`)
	}},
	{15, "constraints that cannot be read", func(t *testing.T, s *server) {
		s.ask(t, "POST", apps, `{"metadata":{"name":"x"},"spec":{"manifest":`+cm+`,"constraints":{"cluster":{"labels":["region over PL"],"metrics":["co2_fr is less than 5"]}}}}`).
			problem(t, 422, "", `{'spec': {'constraints': {'cluster': {'labels': {0: ['Invalid label constraint']}, 'metrics': {0: ['Invalid metric constraint']}}}}}`)
	}},
	{16, "an application that does not exist", func(t *testing.T, s *server) {
		s.ask(t, "GET", apps+"/nothing", nil).problem(t, 404, api.TitleNotFound, "'Application' 'nothing' does not exist in namespace 'solar'")
	}},
	{17, "a binding to a cluster that does not exist", func(t *testing.T, s *server) {
		modified, last := current(t, s, forecast).text("metadata.modified"), ""
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
	}},
	{18, "a status as a controller writes it", func(t *testing.T, s *server) {
		before := current(t, s, forecast)
		body := before.with("status.state", "RUNNING").with("status.running_on", parse(t, []byte(edge))).
			with("status.complete_token", "c-123").with("status.shutdown_token", "s-456")
		for range 2 {
			got := s.ask(t, "PUT", forecast+"/status", body).want(t, 200).document(t)
			same(t, "status", body["status"], got["status"])
			same(t, "modified", before.at("metadata.modified"), got.at("metadata.modified"))
		}
	}},
	{19, "a completion with another token", func(t *testing.T, s *server) {
		s.ask(t, "PUT", forecast+"/complete", `{"token":"wrong"}`).problem(t, 401, "", "401: No token has been provided or the provided one is invalid.")
	}},
	{20, "an update changes no status", func(t *testing.T, s *server) {
		before := current(t, s, forecast)
		got := s.ask(t, "PUT", forecast, before.with("metadata.labels", document{"team": "pv"}).with("status.state", "FAILED")).want(t, 200).document(t)
		if got.text("status.state") != "RUNNING" || got.text("metadata.labels.team") != "pv" || got.text("metadata.modified") <= before.text("metadata.modified") {
			t.Errorf("%v", got)
		}
	}},
	{21, "a namespace is immutable", func(t *testing.T, s *server) {
		s.ask(t, "PUT", forecast, current(t, s, forecast).with("metadata.namespace", "wind")).problem(t, 400, api.TitleUpdate, "Trying to update an immutable field: namespace")
	}},
	{22, "an update without a status", func(t *testing.T, s *server) {
		s.ask(t, "PUT", forecast, current(t, s, forecast).without("status")).problem(t, 422, "", `{'status': ['Missing data for required field.']}`)
	}},
	{23, "a deletion, twice", func(t *testing.T, s *server) {
		before := current(t, s, forecast)
		first := s.ask(t, "DELETE", forecast, nil).want(t, 200).document(t)
		if first.text("metadata.deleted") == "" || first.text("status.state") != "WAITING_FOR_CLEANING" || first.text("metadata.modified") != before.text("metadata.modified") {
			t.Errorf("%v", first)
		}
		same(t, "finalizers", []string{"cascade_deletion"}, first.at("metadata.finalizers"))
		same(t, "the second answer", first, s.ask(t, "DELETE", forecast, nil).want(t, 200).document(t))
	}},
	{24, "a new finalizer during a deletion", func(t *testing.T, s *server) {
		s.ask(t, "PUT", forecast, current(t, s, forecast).with("metadata.finalizers", []string{"cascade_deletion", "mine"})).
			problem(t, 409, api.TitleUpdate, "Finalizers can only be removed if a deletion is in progress.")
	}},
	{25, "a shutdown is confirmed", func(t *testing.T, s *server) {
		got := s.ask(t, "PUT", forecast+"/shutdown", `{"token":"s-456"}`).want(t, 200).document(t)
		if got.text("status.state") != "READY_FOR_ACTION" || got.at("status.shutdown_grace_period") != nil {
			t.Errorf("%v", got["status"])
		}
	}},
	{26, "a retry where none is needed", func(t *testing.T, s *server) {
		s.ask(t, "PUT", forecast+"/retry", nil).problem(t, 400, api.TitleUpdate, "No migration or deletion retry needed")
	}},
	{27, "the last finalizer goes", func(t *testing.T, s *server) {
		got := s.ask(t, "PUT", forecast, current(t, s, forecast).with("metadata.finalizers", []string{})).want(t, 200).document(t)
		same(t, "finalizers", []string{}, got.at("metadata.finalizers"))
		if got.text("metadata.deleted") == "" {
			t.Error("the answer is not marked as deleted")
		}
		s.ask(t, "GET", forecast, nil).want(t, 404)
	}},
	{28, "a forced deletion", func(t *testing.T, s *server) {
		s.ask(t, "POST", apps, app("tmp")).want(t, 200)
		got := s.ask(t, "DELETE", apps+"/tmp?force=True", nil).want(t, 200).document(t)
		same(t, "finalizers", []string{}, got.at("metadata.finalizers"))
		if got.text("metadata.deleted") == "" {
			t.Error("the answer is not marked as deleted")
		}
		s.ask(t, "GET", apps+"/tmp", nil).want(t, 404)
		s.ask(t, "DELETE", apps+"/tmp?force=True", nil).want(t, 404)
		for _, force := range []string{"true", "TRUE", "1", "yes", "", "False", "true&force=True"} {
			s.ask(t, "POST", apps, app("tmp")).want(t, 200)
			got := s.ask(t, "DELETE", apps+"/tmp?force="+force, nil).want(t, 200).document(t)
			same(t, "finalizers after force="+force, []string{"cascade_deletion"}, got.at("metadata.finalizers"))
			s.ask(t, "GET", apps+"/tmp", nil).want(t, 200)
			s.ask(t, "DELETE", apps+"/tmp?force=True", nil).want(t, 200)
		}
	}},
}
