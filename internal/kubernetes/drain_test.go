package kubernetes

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
)

func TestHowItStandsWithAnApplicationThatIsToLeave(t *testing.T) {
	here := controller.Key{Namespace: "testing", Name: "berlin"}
	app := func(to string, conditions ...api.Condition) *api.Application {
		a := api.New[api.Application]()
		ref := api.ClusterKind.Ref("testing", to)
		a.Metadata.Name, a.Status.ScheduledTo = "web", &ref
		for _, c := range conditions {
			a.Status.Conditions = a.Status.Conditions.With(c, noon)
		}
		return a
	}
	deleted := app("berlin", api.Condition{Type: api.Cleaned, Status: api.False, Message: "no answer"})
	deleted.Metadata.Deleted = &noon
	stays := api.Condition{Type: api.Scheduled, Status: api.True, Message: "It stays."}
	for name, test := range map[string]struct {
		app  *api.Application
		want string
		held bool
	}{
		"it was not looked at yet":     {app("berlin"), "it is about to leave", false},
		"it cannot leave":              {app("berlin", stays), "It stays.", true},
		"it could not leave":           {app("berlin", stays, api.Condition{Type: api.Migrating, Status: api.False, Message: "It was given up."}), "It stays. It was given up.", true},
		"it is leaving":                {app("rome", api.Condition{Type: api.Migrating, Status: api.True, Reason: "Creating", Message: "not ready"}), "it is moving to rome (Creating): not ready", false},
		"it is leaving without a word": {app("rome", api.Condition{Type: api.Migrating, Status: api.True, Reason: "Draining"}), "it is moving to rome (Draining)", false},
		"it is only coming":            {app("berlin", api.Condition{Type: api.Migrating, Status: api.True, Reason: "Creating"}), "it is on its way here and goes on from here", false},
		"it is being deleted":          {deleted, "it is being deleted: no answer", false},
	} {
		if why, held := standing(test.app, here); why != test.want || held != test.held {
			t.Errorf("%s: %q, held %v", name, why, held)
		}
	}
}

func TestADrainIsOverWhenNothingRemains(t *testing.T) {
	for want, remains := range map[string][]remain{
		"True Empty Nothing is left on the cluster.": nil,
		"False Leaving a": {{"a", false}},
		"False Held a\nb": {{"a", true}, {"b", false}},
	} {
		c := drained(remains)
		if got := fmt.Sprint(c.Status, " ", c.Reason, " ", c.Message); got != want || c.Type != api.Drained {
			t.Errorf("%v: %q", remains, got)
		}
	}
}

func TestWhatIsToldOfADrainStaysShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringN(0, 400, 1200), 1, 30).Draw(t, "remains")
		var remains []remain
		for _, text := range texts {
			remains = append(remains, remain{what: strings.ReplaceAll(text, "\n", " ")})
		}
		c := drained(remains)
		lines := strings.Split(c.Message, "\n")
		if len(c.Message) > 4000 || len(lines) > 11 || !utf8.ValidString(c.Message) {
			t.Errorf("%d bytes in %d lines", len(c.Message), len(lines))
		}
		if more := fmt.Sprintf("and %d more", len(texts)-10); len(texts) > 10 && lines[10] != more {
			t.Errorf("the last line is %q, not %q", lines[10], more)
		}
	})
}

func TestHeldApplicationsAreNamedFirst(t *testing.T) {
	var apps []*api.Application
	for _, name := range []string{"d", "b", "c", "a"} {
		a := api.New[api.Application]()
		a.Metadata.Name = name
		if name == "c" || name == "d" {
			a.Status.Conditions = api.Conditions{{Type: api.Scheduled, Status: api.True, Message: "It stays."}}
		}
		apps = append(apps, a)
	}
	var names string
	for _, r := range standings(apps, controller.Key{}) {
		names += r.what[:1]
	}
	if names != "cdab" {
		t.Errorf("in the order %s", names)
	}
}
