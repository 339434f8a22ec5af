package conformance

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/test/conformance/closed"
)

// added is what a document has beside the reference's fields, less what the server computes anew with every write.
func added(t tb, k *api.Kind, d document) any {
	t.Helper()
	for _, computed := range []string{"metadata.resource_version", "metadata.generation", "status.scheduled_generation"} {
		if d.at(computed) != nil {
			d = d.without(computed)
		}
	}
	return beyond(map[string]any(d), map[string]any(stripped(t, k.Name, d)))
}

// beyond is what all has more than known, in objects.
func beyond(all, known any) map[string]any {
	a, isObject := all.(map[string]any)
	b, _ := known.(map[string]any)
	if !isObject || b == nil {
		return nil
	}
	out := map[string]any{}
	for key, value := range a {
		if _, ok := b[key]; !ok {
			out[key] = value
		} else if inner := beyond(value, b[key]); len(inner) > 0 {
			out[key] = inner
		}
	}
	return out
}

// forEveryOldKind runs a property for every kind that old clients know, on an object whose additions and parts all
// hold something. The property gets the object and its path.
func forEveryOldKind(t *testing.T, property func(t *rapid.T, s *server, k *api.Kind, object string, d document)) {
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		if !closed.Known(k.Name) {
			return
		}
		name := fresh()
		object := k.Path(namespaceOf(k, "solar"), name)
		s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), ""), drawBody(t, k, name)).want(t, 200)
		if k.Status {
			s.ask(t, "PATCH", object+"/status", document{"status": drawStatus(t, k)}).want(t, 200)
		}
		for _, p := range k.Parts {
			s.ask(t, "PUT", object+"/"+p.Name, drawPart(t, k, p)).want(t, 200)
		}
		property(t, s, k, object, s.ask(t, "GET", object, nil).want(t, 200).document(t))
	})
}

func TestOldWritersEraseNothingThatTheyDoNotKnow(t *testing.T) {
	forEveryOldKind(t, func(t *rapid.T, s *server, k *api.Kind, object string, before document) {
		parts := map[string]document{}
		for _, p := range k.Parts {
			parts[p.Name] = s.ask(t, "GET", object+"/"+p.Name, nil).want(t, 200).document(t)
		}
		check := func(what string, a answer) {
			t.Helper()
			same(t, "additions after "+what, added(t, k, before), added(t, k, a.want(t, 200).document(t)))
			for name, part := range parts {
				same(t, name+" after "+what, part, s.ask(t, "GET", object+"/"+name, nil).want(t, 200).document(t))
			}
		}
		read := func() document { return stripped(t, k.Name, s.ask(t, "GET", object, nil).document(t)) }
		check("PUT", s.ask(t, "PUT", object, read().with("metadata.labels", document{"written": "by-an-old-client"})))
		if !k.Status {
			return
		}
		check("PUT status", s.ask(t, "PUT", object+"/status", read()))
		check("PUT status of an emptied status", s.ask(t, "PUT", object+"/status", read().with("status", document{})))
		check("PUT after that", s.ask(t, "PUT", object, read().with("metadata.labels", document{})))
		check("DELETE", s.ask(t, "DELETE", object, nil))
		check("PUT during a deletion", s.ask(t, "PUT", object, read().with("metadata.labels", document{"still": "there"})))
	})
}

func TestAnEmptiedStatusResetsWhatOldClientsKnow(t *testing.T) {
	forEveryOldKind(t, func(t *rapid.T, s *server, k *api.Kind, object string, before document) {
		if !k.Status {
			return
		}
		name := fresh()
		body := stripped(t, k.Name, before).with("metadata.name", name)
		created := s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), ""), body).want(t, 200).document(t)
		emptied := s.ask(t, "PUT", object+"/status", before.with("status", document{})).want(t, 200).document(t)
		same(t, "the status", stripped(t, k.Name, created)["status"], stripped(t, k.Name, emptied)["status"])
	})
}

func TestOnlyNullClearsAnAddition(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, parse(t, []byte(app("x"))).with("spec.migration_strategy", "DELETE_FIRST")).want(t, 200)
	conditions := []document{{"type": "Applied", "status": "True"}}
	d := s.ask(t, "PATCH", apps+"/x/status", document{"status": document{"conditions": conditions}}).want(t, 200).document(t)

	got := s.ask(t, "PUT", apps+"/x", d.with("spec.migration_strategy", nil)).want(t, 200).document(t)
	if got.text("spec.migration_strategy") != "AUTO" {
		t.Errorf("null left %s", got.text("spec.migration_strategy"))
	}
	got = s.ask(t, "PUT", apps+"/x/status", d.with("status.conditions", nil)).want(t, 200).document(t)
	same(t, "conditions", []any{}, got.at("status.conditions"))
}

// What a newer version stored beside the fields of this one is not this one's to drop.
func TestKeysOfANewerVersionSurviveWrites(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	s.store(t, "/kubernetes/applications/solar/x", func(d document) document {
		return d.with("later", 1).with("spec.later", document{"a": "b"}).with("metadata.later", "x").with("status.later", []int{1})
	})
	s.ask(t, "PUT", apps+"/x", created.with("spec.backoff", 5)).want(t, 200)
	s.ask(t, "PUT", apps+"/x/status", created.with("status.state", "RUNNING")).want(t, 200)
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"labels":{"a":"b"}}}`).want(t, 200)
	s.ask(t, "DELETE", apps+"/x", nil).want(t, 200)
	s.store(t, "/kubernetes/applications/solar/x", func(d document) document {
		for path, want := range map[string]any{"later": 1.0, "spec.later": document{"a": "b"}, "metadata.later": "x", "status.later": []int{1}, "spec.backoff": 5.0} {
			same(t, path, want, d.at(path))
		}
		return d
	})
	if got := s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t); got["later"] != nil {
		t.Errorf("a key that this version does not know is served: %v", got)
	}
}

// A copied etcd of the reference is served, less what cannot be read.
func TestRecordsOfTheReferenceAreServed(t *testing.T) {
	s := start(t)
	created := stripped(t, "Application", s.ask(t, "POST", apps, app("x")).want(t, 200).document(t))
	s.store(t, "/kubernetes/applications/solar/x", func(document) document { return created })
	s.store(t, "/kubernetes/applications/solar/old", func(document) document {
		return created.with("metadata.name", "old").without("spec.backoff_limit").without("status.migration_retries")
	})
	s.store(t, "/kubernetes/applications/solar/lax", func(document) document { // the reference's rules were others
		return created.with("metadata.name", "lax").with("spec.constraints.cluster.metrics", []string{"load > abc"}).
			with("spec.tosca", document{"tosca_definitions_version": "tosca_simple_yaml_1_3"}).with("spec.observer_schema", []document{{}})
	})
	s.ask(t, "POST", clusters, cluster).want(t, 200)
	s.store(t, "/kubernetes/clusters/solar/x", func(d document) document {
		return stripped(t, "Cluster", d.with("spec.kubeconfig", document{"users": []document{{"user": document{"exec": document{"command": "x"}}}}}))
	})
	s.store(t, "/kubernetes/applications/solar/broken", func(document) document {
		return document{"metadata": document{"name": 5}}
	})
	s.store(t, "/kubernetes/applications/a/b/c", func(document) document { return created }) // the reference let this happen
	items := s.ask(t, "GET", "/kubernetes/applications", nil).want(t, 200).document(t)["items"].([]any)
	if len(items) != 3 {
		t.Errorf("%d applications are listed", len(items))
	}
	lax := s.ask(t, "GET", apps+"/lax", nil).want(t, 200).document(t)
	same(t, "a constraint that only the reference reads", []string{"load > abc"}, lax.at("spec.constraints.cluster.metrics"))
	s.ask(t, "PUT", apps+"/lax", lax.with("metadata.labels", document{"a": "b"})).want(t, 200)
	if got := s.count(t, clusters); got != 1 {
		t.Errorf("%d clusters are listed", got)
	}
	s.ask(t, "PATCH", clusters+"/x/status", `{"status":{"state":"OFFLINE"}}`).want(t, 200)
	got := s.ask(t, "GET", apps+"/old", nil).want(t, 200).document(t)
	if got.at("spec.backoff_limit") != -1.0 || got.at("metadata.generation") != 1.0 {
		t.Errorf("%v", got)
	}
	s.ask(t, "PUT", apps+"/old", got.with("spec.backoff", 7)).want(t, 200)
	if got := s.ask(t, "GET", apps+"/broken", nil); got.status != 500 {
		t.Errorf("a record that cannot be read was answered with %d", got.status)
	}
}
