package conformance

import (
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

const (
	roles     = "/core/roles"
	bindings  = "/core/rolebindings"
	metrics   = "/core/namespaces/solar/metrics"
	gmetrics  = "/core/globalmetrics"
	providers = "/core/globalmetricsproviders"
)

var coreVectors = []vector{
	{1, "the version", func(t *testing.T, s *server) {
		same(t, "answer", document{"version": "1.0.1"}, s.ask(t, "GET", "/", nil).want(t, 200).document(t))
	}},
	{2, "the caller", func(t *testing.T, s *server) {
		same(t, "answer", document{"user": "system:anonymous", "roles": []string{}}, s.ask(t, "GET", "/me", nil).want(t, 200).document(t))
	}},
	{3, "a static provider", func(t *testing.T, s *server) {
		got := s.ask(t, "POST", providers, `{"metadata":{"name":"grid-feed"},"spec":{"type":"static","static":{"metrics":{"co2_fr":"41.5","co2_pl":650}}}}`).want(t, 200).document(t)
		want := parse(t, []byte(`{"api":"core","kind":"GlobalMetricsProvider","metadata":{"name":"grid-feed","namespace":null,"labels":{},"inherit_labels":false,"finalizers":[],"uid":"","created":"","modified":"","deleted":null,"owners":[]},"spec":{"type":"static","static":{"metrics":{"co2_fr":41.5,"co2_pl":650.0}}}}`)).
			with("metadata.uid", got.at("metadata.uid")).with("metadata.created", got.at("metadata.created")).with("metadata.modified", got.at("metadata.created"))
		same(t, "answer", want, stripped(t, "GlobalMetricsProvider", got))
	}},
	{4, "the same name again", func(t *testing.T, s *server) {
		s.ask(t, "POST", providers, `{"metadata":{"name":"grid-feed"},"spec":{"type":"static","static":{"metrics":{}}}}`).
			problem(t, 409, api.TitleAlreadyExists, "GlobalMetricsProvider 'grid-feed' already exists")
	}},
	{5, "an update that changes nothing is quiet", func(t *testing.T, s *server) {
		before := s.ask(t, "GET", providers+"/grid-feed", nil).want(t, 200).document(t)
		w := s.watch(t, providers+"?watch&heartbeat=0")
		same(t, "answer", before, s.ask(t, "PUT", providers+"/grid-feed", before).want(t, 200).document(t))
		s.ask(t, "POST", providers, `{"metadata":{"name":"next"},"spec":{"type":"static","static":{"metrics":{}}}}`).want(t, 200)
		w.want(t, "ADDED", "next") // nothing came before
	}},
	{6, "a global metric", func(t *testing.T, s *server) {
		got := s.ask(t, "POST", gmetrics, `{"metadata":{"name":"co2_fr"},"spec":{"allowed_values":[2.7,"3"],"min":"0","max":900,"provider":{"name":"grid-feed","metric":"co2_fr"}}}`).want(t, 200).document(t)
		same(t, "spec", parse(t, []byte(`{"allowed_values":[2,3],"min":0.0,"max":900.0,"provider":{"name":"grid-feed","metric":"co2_fr"}}`)), stripped(t, "GlobalMetric", got)["spec"])
		// A range of nothing is accepted, too.
		s.ask(t, "POST", gmetrics, `{"metadata":{"name":"odd"},"spec":{"allowed_values":[],"min":5,"max":1,"provider":{"name":"x","metric":"y"}}}`).want(t, 200)
	}},
	{7, "an update that changes nothing", func(t *testing.T, s *server) {
		s.ask(t, "PUT", gmetrics+"/co2_fr", current(t, s, gmetrics+"/co2_fr")).problem(t, 400, api.TitleUpdate, "The body contained no update.")
	}},
	{8, "the namespace of the path rules", func(t *testing.T, s *server) {
		got := s.ask(t, "POST", metrics, `{"metadata":{"name":"pv_power","namespace":"wind","uid":"mine","created":"never"},"spec":{"allowed_values":[],"min":0,"max":1,"provider":{"name":"x","metric":"y"}}}`).want(t, 200).document(t)
		if got.text("metadata.namespace") != "solar" || len(got.text("metadata.uid")) != 36 || got.text("metadata.created") != got.text("metadata.modified") {
			t.Errorf("%v", got["metadata"])
		}
	}},
	{9, "a role with a verb that does not exist", func(t *testing.T, s *server) {
		s.ask(t, "POST", roles, `{"metadata":{"name":"r"},"rules":[{"api":"core","resources":[],"namespaces":[],"verbs":["read"]}]}`).
			problem(t, 422, "", "{'rules': {0: {'verbs': {0: ['Invalid enum member read']}}}}")
	}},
	{10, "a role from nothing", func(t *testing.T, s *server) {
		s.ask(t, "POST", roles, nil).problem(t, 415, "", "415: Unsupported Media Type")
	}},
	{11, "a name of two words", func(t *testing.T, s *server) {
		s.ask(t, "POST", bindings, `{"metadata":{"name":"two words"},"users":[],"roles":[]}`).
			problem(t, 422, "", "{'metadata': {'name': ['Invalid character in resource name.']}}")
	}},
	{12, "a label without a value", func(t *testing.T, s *server) {
		got := s.ask(t, "POST", bindings, `{"metadata":{"name":"rb","labels":{"tier":""}},"users":[],"roles":[]}`).want(t, 422).document(t)
		if !strings.HasPrefix(got.text("detail"), `{'metadata': {'labels': [{'': "Label value '' does not match the regex`) {
			t.Errorf("told %s", got.text("detail"))
		}
	}},
}
