package conformance

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

var httpVectors = []vector{
	{35, "a heartbeat that is no number", func(t *testing.T, s *server) {
		s.ask(t, "GET", "/core/metrics?heartbeat=soon", nil).problem(t, 422, "", `{"query": {"heartbeat": ["Not a valid integer."]}}`)
	}},
	{36, "methods and paths that there are not", func(t *testing.T, s *server) {
		got := s.ask(t, "DELETE", roles, nil)
		got.problem(t, 405, "", "405: Method Not Allowed")
		if allow := got.header.Get("Allow"); allow != "GET,HEAD,OPTIONS,POST" {
			t.Errorf("it allows %s", allow)
		}
		s.ask(t, "GET", roles+"/", nil).problem(t, 404, "", "404: Not Found")
	}},
	{37, "a preflight request", func(t *testing.T, s *server) {
		got := s.ask(t, "OPTIONS", roles, nil, "Origin", ui, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "content-type").want(t, 200)
		for name, want := range map[string]string{"Origin": ui, "Credentials": "true", "Methods": "PUT", "Headers": "CONTENT-TYPE"} {
			if value := got.header.Get("Access-Control-Allow-" + name); value != want || len(got.body) != 0 {
				t.Errorf("%s is %q, want %q; the body is %q", name, value, want, got.body)
			}
		}
		s.ask(t, "OPTIONS", roles, nil, "Origin", ui, "Access-Control-Request-Method", "PATCH").
			problem(t, 403, "", "CORS preflight request failed: request method 'PATCH' is not allowed for 'http://ui.test' origin")
	}},
}

var laterVectors = []vector{
	{42, "a watch", watchTellsEveryChange},
	{43, "finalizers are a set", func(t *testing.T, s *server) {
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
	}},
	{44, "a body that is too large", func(t *testing.T, s *server) {
		s.ask(t, "POST", apps, padded("large", 1048632)).problem(t, 413, "", "Maximum request body size 1048576 exceeded, actual body size 1048632")
	}},
	{45, "sixteen writers of one object", func(t *testing.T, s *server) { // of whom the reference refuses some
		s.ask(t, "POST", roles, `{"metadata":{"name":"busy"},"rules":[]}`).want(t, 200)
		manyWriters(t, s, roles+"/busy")
	}},
	{46, "constraints are equal by their meaning", func(t *testing.T, s *server) {
		body := parse(t, []byte(app("meaning"))).with("spec.constraints.cluster.labels", []string{"l is a"})
		created := s.ask(t, "POST", apps, body).want(t, 200).document(t)
		put := func(text string) answer {
			return s.ask(t, "PUT", apps+"/meaning", created.with("spec.constraints.cluster.labels", []string{text}))
		}
		put("l == a").problem(t, 400, api.TitleUpdate, "The body contained no update.")
		got := put("l  ==  b").want(t, 200).document(t)
		same(t, "labels", []string{"l  ==  b"}, got.at("spec.constraints.cluster.labels"))
	}},
	{47, "enums travel by name", func(t *testing.T, s *server) {
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
	}},
	{48, "containers of one of several types", func(t *testing.T, s *server) {
		for spec, want := range map[string]string{
			`{}`:                                    `{'spec': {'type': ['Missing data for required field.']}}`,
			`{"type":"foo"}`:                        `{'spec': {'type': ["Unknown type 'foo'"]}}`,
			`{"type":"prometheus"}`:                 `{'spec': {'prometheus': ['Field is required']}}`,
			`{"type":"prometheus","prometheus":{}}`: `{'spec': {'url': ['Missing data for required field.']}}`,
		} {
			s.ask(t, "POST", providers, `{"metadata":{"name":"x"},"spec":`+spec+`}`).problem(t, 422, "", want)
		}
		got := s.ask(t, "POST", providers, `{"metadata":{"name":"x"},"spec":{"type":"prometheus","prometheus":{"url":"not a url"},"static":{"metrics":{"a":1}},"zzz":1}}`).want(t, 200).document(t)
		same(t, "spec", parse(t, []byte(`{"type":"prometheus","prometheus":{"url":"not a url"}}`)), stripped(t, "GlobalMetricsProvider", got)["spec"])
	}},
	{49, "times are given back as they came", func(t *testing.T, s *server) {
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
	}},
}
