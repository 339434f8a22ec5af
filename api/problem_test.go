package api_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestProblemDocuments(t *testing.T) {
	for want, p := range map[string]*api.Problem{
		`{"detail":"404: Not Found","status":404,"type":"about:blank"}`:                                                      api.HTTPProblem(404).WithType("http://docs"),
		`{"detail":"'Role' 'r' does not exist","status":404,"title":"NOT_FOUND_ERROR","type":"http://docs#not-found-error"}`: api.NewProblem(404, api.TitleNotFound, "'%s' '%s' does not exist", "Role", "r").WithType("http://docs"),
		`{"detail":"x","status":409,"title":"RESOURCE_ALREADY_EXISTS","type":"about:blank"}`:                                 api.NewProblem(409, api.TitleAlreadyExists, "x").WithType(""),
		`{"status":500,"type":"about:blank"}`:                                                                                (&api.Problem{Status: 500}).WithType("http://docs"),
	} {
		if got := text(t, p); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := (&api.Problem{Status: 503}).Error(); got != "503: Service Unavailable" {
		t.Errorf("a problem without detail reads %q", got)
	}
	if got := api.NewProblem(400, "", "x").Error(); got != "x" {
		t.Errorf("a problem reads %q", got)
	}
}

func TestConditionsKeepTheTimeOfTheirLastTransition(t *testing.T) {
	cs := api.Conditions{}.With(api.Condition{Type: api.Applied, Status: api.True}, *at(1))
	cs = cs.With(api.Condition{Type: api.Healthy, Status: api.True}, *at(2))
	same := cs.With(api.Condition{Type: api.Applied, Status: api.True, Reason: "new"}, *at(3))
	other := cs.With(api.Condition{Type: api.Applied, Status: api.False}, *at(3))
	switch {
	case len(same) != 2, same[0].Type != api.Applied:
		t.Errorf("a condition was added twice or moved: %v", same)
	case !same.Get(api.Applied).LastTransition.Equal(*at(1)), same.Get(api.Applied).Reason != "new":
		t.Errorf("%+v", same.Get(api.Applied))
	case !other.Get(api.Applied).LastTransition.Equal(*at(3)):
		t.Errorf("%+v", other.Get(api.Applied))
	case cs.Get(api.Applied).Reason != "", cs.Get(api.Applied).Status != api.True:
		t.Error("the list itself was changed")
	case cs.Get(api.Migrating).Status != api.Unknown, cs.Get(api.Migrating).Reason != "":
		t.Error("what nobody reported is not unknown")
	case len(cs.Without(api.Applied)) != 1, len(cs.Without(api.Migrating)) != 2, len(cs) != 2:
		t.Error("the wrong condition was taken away")
	}
}
