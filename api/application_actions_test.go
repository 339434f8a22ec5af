package api_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// stored gives an application as it may lie in the store.
func stored(change ...func(*api.Application)) *api.Application {
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace, a.Metadata.UID = "forecast", pointer("solar"), "u-1"
	a.Metadata.Generation, a.Metadata.Modified = 3, *at(0)
	for _, c := range change {
		c(a)
	}
	return a
}

// act applies an action as the server does and returns the parts that it wrote.
func act(t *testing.T, a *api.Application, name string, body any, now *api.Time) (map[string]any, error) {
	t.Helper()
	parts := map[string]any{}
	before := *a
	err := api.ApplicationKind.Action(name).Apply(a, body, *now, parts)
	if err == nil {
		a.Settle(&before)
	}
	return parts, err
}

func wantProblem(t *testing.T, err error, status int, title, detail string) {
	t.Helper()
	var p *api.Problem
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want a problem", err)
	}
	if diff := cmp.Diff(&api.Problem{Status: status, Title: title, Detail: detail}, p); diff != "" {
		t.Error(diff)
	}
}

func TestABindingIsStampedAndOwned(t *testing.T) {
	a := stored(func(a *api.Application) {
		a.Metadata.Owners = []api.ResourceRef{{API: "core", Kind: "Role", Name: "r"}}
		a.Status.Retries, a.Status.ScheduledRetry = pointer(int64(2)), at(1)
	})
	placement := &api.Placement{Decisions: []api.Decision{{Outcome: "placed", Chosen: "edge-1"}}}
	parts, err := act(t, a, "binding", &api.ClusterBinding{Cluster: *cluster("edge-1"), Placement: placement}, at(5))
	if err != nil {
		t.Fatal(err)
	}
	s := a.Status
	switch {
	case !s.Scheduled.Equal(*at(5)), !s.KubeControllerTriggered.Equal(*at(5)):
		t.Errorf("the stamps are %s and %s", s.Scheduled, s.KubeControllerTriggered)
	case !api.SameRef(s.ScheduledTo, cluster("edge-1")), s.RunningOn != nil:
		t.Errorf("bound to %v, runs on %v", s.ScheduledTo, s.RunningOn)
	case s.Retries != nil, s.ScheduledRetry != nil:
		t.Error("the retries of an earlier failure stayed")
	case s.ScheduledGeneration != 3:
		t.Errorf("generation %d is scheduled", s.ScheduledGeneration)
	case !a.Metadata.Modified.Equal(*at(0)):
		t.Error("the time of modification moved")
	case parts[api.PlacementPart] != placement:
		t.Error("the decision is not recorded")
	}
	if diff := cmp.Diff([]api.ResourceRef{{API: "core", Kind: "Role", Name: "r"}, *cluster("edge-1")}, a.Metadata.Owners); diff != "" {
		t.Errorf("owners: %s", diff)
	}
	if c := s.Conditions.Get(api.Scheduled); c.Status != api.True || c.ObservedGeneration != 3 || !c.LastTransition.Equal(*at(5)) {
		t.Errorf("the condition is %+v", c)
	}

	if _, err := act(t, a, "binding", &api.ClusterBinding{Cluster: *cluster("edge-1")}, at(7)); err != nil {
		t.Fatal(err)
	}
	if len(a.Metadata.Owners) != 2 || !a.Status.Scheduled.Equal(*at(7)) || !a.Status.KubeControllerTriggered.Equal(*at(7)) {
		t.Errorf("bound again: owners %v, stamps %s and %s", a.Metadata.Owners, a.Status.Scheduled, a.Status.KubeControllerTriggered)
	}

	a.Metadata.Owners = []api.ResourceRef{{API: "core", Kind: "Role", Name: "r"}, *cluster("left")}
	if _, err := act(t, a, "binding", &api.ClusterBinding{Cluster: *cluster("edge-1")}, at(7)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]api.ResourceRef{{API: "core", Kind: "Role", Name: "r"}, *cluster("edge-1")}, a.Metadata.Owners); diff != "" {
		t.Errorf("owners that were lost, after binding again: %s", diff)
	}

	a.Status.RunningOn = cluster("edge-1")
	if _, err := act(t, a, "binding", &api.ClusterBinding{Cluster: *cluster("edge-2")}, at(6)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]api.ResourceRef{{API: "core", Kind: "Role", Name: "r"}, *cluster("edge-1"), *cluster("edge-2")}, a.Metadata.Owners); diff != "" {
		t.Errorf("owners during a move: %s", diff)
	}
	if !a.Status.Scheduled.Equal(*at(7)) {
		t.Errorf("with a clock that went back the stamp is %s", a.Status.Scheduled)
	}
}

func TestAStaleBindingIsRefused(t *testing.T) {
	bound := func(a *api.Application) { a.Status.ScheduledTo = cluster("edge-1") }
	const moved = "The application was bound to another cluster since the decision was made."
	for name, c := range map[string]struct {
		app     func(*api.Application)
		binding api.ClusterBinding
		detail  string // empty when it is accepted
	}{
		"nothing is stated":                 {bound, api.ClusterBinding{}, ""},
		"the right uid and generation":      {bound, api.ClusterBinding{UID: "u-1", Generation: 3}, ""},
		"an application that is gone":       {bound, api.ClusterBinding{UID: "u-0"}, "The decision was made for an application of this name that no longer exists."},
		"an old generation":                 {bound, api.ClusterBinding{Generation: 2}, "The decision was made on generation 2, the application is at 3."},
		"the cluster that was expected":     {bound, api.ClusterBinding{Expected: api.Expect(cluster("edge-1"))}, ""},
		"another cluster than was expected": {bound, api.ClusterBinding{Expected: api.Expect(cluster("edge-2"))}, moved},
		"none was expected":                 {bound, api.ClusterBinding{Expected: api.Expect(nil)}, moved},
		"none was expected, none is there":  {func(*api.Application) {}, api.ClusterBinding{Expected: api.Expect(nil)}, ""},
		"one was expected, none is there":   {func(*api.Application) {}, api.ClusterBinding{Expected: api.Expect(cluster("edge-1"))}, moved},
	} {
		t.Run(name, func(t *testing.T) {
			c.binding.Cluster = *cluster("edge-9")
			_, err := act(t, stored(c.app), "binding", &c.binding, at(1))
			if c.detail == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantProblem(t, err, http.StatusConflict, api.TitleTransaction, c.detail)
		})
	}
}

func TestBodiesOfActionsAreReadAsTheyWereMeant(t *testing.T) {
	ref := `{"api":"kubernetes","kind":"Cluster","namespace":"solar","name":"edge-1"}`
	cloud := `{"api":"infrastructure","kind":"GlobalCloud","name":"north"}`
	for name, c := range map[string]struct {
		body any
		text string
		want string // of the error, or the body as it is sent
	}{
		"a binding":                              {&api.ClusterBinding{}, `{"cluster":` + ref + `}`, ``},
		"a binding of the reference":             {&api.ClusterBinding{}, `{"api":"kubernetes","kind":"ClusterBinding","cluster":` + ref + `}`, ``},
		"a binding that expects none":            {&api.ClusterBinding{}, `{"cluster":` + ref + `,"expected":null}`, ``},
		"a binding that expects one":             {&api.ClusterBinding{}, `{"cluster":` + ref + `,"expected":` + ref + `}`, ``},
		"a binding without a cluster":            {&api.ClusterBinding{}, `{}`, `{'cluster': ['Missing data for required field.']}`},
		"a binding to null":                      {&api.ClusterBinding{}, `{"cluster":null}`, `{'cluster': ['Field may not be null.']}`},
		"a binding of another kind":              {&api.ClusterBinding{}, `{"api":"core","kind":"Binding","cluster":` + ref + `}`, `{'api': ['Must be equal to kubernetes.'], 'kind': ['Must be equal to ClusterBinding.']}`},
		"a binding that expects nonsense":        {&api.ClusterBinding{}, `{"cluster":` + ref + `,"expected":{"name":5}}`, `{'expected': {'api': ['Missing data for required field.'], 'kind': ['Missing data for required field.'], 'name': ['Not a valid string.']}}`},
		"a binding of an application to a cloud": {&api.ClusterBinding{}, `{"cluster":` + cloud + `}`, `{'cluster': ['Must be a reference to kubernetes/Cluster, not to infrastructure/GlobalCloud.']}`},
		"a binding of a cluster to a cluster":    {&api.CloudBinding{}, `{"cloud":` + ref + `}`, `{'cloud': ['Must be a reference to infrastructure/Cloud or infrastructure/GlobalCloud, not to kubernetes/Cluster.']}`},
		"a binding to a project":                 {&api.MagnumClusterBinding{}, `{"project":{"api":"openstack","kind":"Project","namespace":"solar","name":"p"},"template":"t"}`, ``},
		"a binding to no project":                {&api.MagnumClusterBinding{}, `{"project":` + cloud + `}`, `{'template': ['Missing data for required field.']}`},
		"a completion without a token":           {&api.ApplicationComplete{}, `{}`, ``},
		"a completion of another kind":           {&api.ApplicationComplete{}, `{"kind":"Shutdown"}`, `{'kind': ['Must be equal to Complete.']}`},
		"a shutdown whose token is number":       {&api.ApplicationShutdown{}, `{"token":5}`, `{'token': ['Not a valid string.']}`},
		"a shutdown of another api":              {&api.ApplicationShutdown{}, `{"api":"x"}`, `{'api': ['Must be equal to kubernetes.']}`},
		"a binding to a cloud":                   {&api.CloudBinding{}, `{"api":"infrastructure","kind":"CloudBinding","cloud":` + cloud + `}`, ``},
		"a binding to a cloud, wrong kind":       {&api.CloudBinding{}, `{"kind":"ClusterBinding","cloud":` + cloud + `}`, `{'kind': ['Must be equal to CloudBinding.']}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := wire.Decode(parse(t, c.text), c.body, wire.Create); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// What our client sends is what the server reads.
func TestBindingsSurviveTheirEncoding(t *testing.T) {
	for name, b := range map[string]api.ClusterBinding{
		"plain":        {Cluster: *cluster("a")},
		"expects none": {Cluster: *cluster("a"), Expected: api.Expect(nil)},
		"expects one":  {Cluster: *cluster("a"), UID: "u", Generation: 4, Expected: api.Expect(cluster("b"))},
	} {
		var got api.ClusterBinding
		if err := wire.Decode(parse(t, text(t, b)), &got, wire.Create); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b.API, b.Kind = "kubernetes", "ClusterBinding"
		if diff := cmp.Diff(b, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	c := api.CloudBinding{API: "infrastructure", Kind: "CloudBinding", Cloud: api.GlobalCloudKind.Ref("", "a"), Expected: api.Expect(nil)}
	var got api.CloudBinding
	if err := wire.Decode(parse(t, text(t, c)), &got, wire.Create); err != nil || cmp.Diff(c, got) != "" {
		t.Errorf("%v: %s", err, cmp.Diff(c, got))
	}
}

const badToken = "401: No token has been provided or the provided one is invalid."

func TestHooksNeedTheRightToken(t *testing.T) {
	secret := pointer("s-456")
	for name, c := range map[string]struct{ stored, sent *string }{
		"none was given out":              {nil, secret},
		"none was given out or sent":      {nil, nil},
		"none was sent":                   {secret, nil},
		"another one":                     {secret, pointer("wrong")},
		"a beginning of it":               {secret, pointer("s-4")},
		"an empty one":                    {secret, pointer("")},
		"an empty one, empty was stored?": {nil, pointer("")},
	} {
		t.Run(name, func(t *testing.T) {
			a := stored(func(a *api.Application) {
				a.Status.State, a.Status.CompleteToken, a.Status.ShutdownToken = api.AppWaitingForCleaning, c.stored, c.stored
			})
			_, err := act(t, a, "complete", &api.ApplicationComplete{Token: c.sent}, at(1))
			wantProblem(t, err, http.StatusUnauthorized, "", badToken)
			_, err = act(t, a, "shutdown", &api.ApplicationShutdown{Token: c.sent}, at(1))
			wantProblem(t, err, http.StatusUnauthorized, "", badToken)
			if a.Metadata.Deleted != nil || a.Status.State != api.AppWaitingForCleaning {
				t.Error("it had an effect all the same")
			}
		})
	}
}

func TestACompletedApplicationIsDeleted(t *testing.T) {
	a := stored(func(a *api.Application) {
		a.Status.CompleteToken, a.Status.State = pointer("c-123"), api.AppRunning
		a.Metadata.Finalizers = []string{api.FinalizerCascade, api.FinalizerResources}
	})
	for i := range 2 { // each call renews the time
		if _, err := act(t, a, "complete", &api.ApplicationComplete{Token: pointer("c-123")}, at(i)); err != nil {
			t.Fatal(err)
		}
		if a.Status.State != api.AppReadyForAction || !a.Metadata.Deleted.Equal(*at(i)) {
			t.Errorf("state %s, deleted %s", a.Status.State, a.Metadata.Deleted)
		}
		if diff := cmp.Diff([]string{api.FinalizerResources, api.FinalizerCascade}, a.Metadata.Finalizers); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAShutdownIsConfirmedOnlyWhereItWasAskedFor(t *testing.T) {
	for _, state := range api.ApplicationState("").Members() {
		a := stored(func(a *api.Application) {
			a.Status.State, a.Status.ShutdownToken, a.Status.ShutdownGracePeriod = api.ApplicationState(state), pointer("s"), at(9)
		})
		if _, err := act(t, a, "shutdown", &api.ApplicationShutdown{Token: pointer("s")}, at(1)); err != nil {
			t.Fatal(err)
		}
		asked := state == "WAITING_FOR_CLEANING" || state == "DEGRADED"
		if asked != (a.Status.State == api.AppReadyForAction && a.Status.ShutdownGracePeriod == nil) && state != "READY_FOR_ACTION" {
			t.Errorf("%s became %s, grace period %s", state, a.Status.State, a.Status.ShutdownGracePeriod)
		}
	}
}

// The observer may report between the application's answer and the controller's look at it.
func TestAConfirmedShutdownOutlivesOtherReports(t *testing.T) {
	a := stored(func(a *api.Application) {
		a.Status.ShutdownToken, a.Status.ScheduledTo, a.Status.RunningOn = pointer("s"), cluster("a"), cluster("a")
	})
	a = settled(*a, placed, applied, shutdownRequested)
	if _, err := act(t, a, "shutdown", &api.ApplicationShutdown{Token: pointer("s")}, at(1)); err != nil {
		t.Fatal(err)
	}
	before := *a
	a.Status.Conditions = a.Status.Conditions.With(unhealthy, *at(2))
	a.Settle(&before)
	if a.Status.State != api.AppReadyForAction {
		t.Errorf("the state is %s", a.Status.State)
	}
}

func TestOnlyADegradedApplicationIsRetried(t *testing.T) {
	for _, state := range api.ApplicationState("").Members() {
		a := stored(func(a *api.Application) {
			a.Status.State, a.Status.ShutdownGracePeriod = api.ApplicationState(state), at(9)
		})
		_, err := act(t, a, "retry", nil, at(1))
		if state == "DEGRADED" {
			if err != nil || a.Status.State != api.AppWaitingForCleaning || a.Status.ShutdownGracePeriod != nil {
				t.Errorf("%v, %s, %s", err, a.Status.State, a.Status.ShutdownGracePeriod)
			}
			continue
		}
		wantProblem(t, err, http.StatusBadRequest, api.TitleUpdate, "No migration or deletion retry needed")
	}
}

func TestADeletionIsMarkedOnce(t *testing.T) {
	for name, c := range map[string]struct{ before, after []string }{
		"no finalizers":                    {nil, []string{api.FinalizerCascade}},
		"the cascade comes last":           {[]string{"a", "b"}, []string{"a", "b", api.FinalizerCascade}},
		"a cascade of the client is moved": {[]string{api.FinalizerCascade, "a"}, []string{"a", api.FinalizerCascade}},
		"several are made one":             {[]string{api.FinalizerCascade, api.FinalizerCascade}, []string{api.FinalizerCascade}},
	} {
		t.Run(name, func(t *testing.T) {
			a := stored(func(a *api.Application) { a.Metadata.Finalizers = slices.Clone(c.before) })
			for i := range 2 {
				api.MarkDeleted(a, *at(i))
				if diff := cmp.Diff(c.after, a.Metadata.Finalizers); diff != "" || !a.Metadata.Deleted.Equal(*at(0)) {
					t.Errorf("deleted %s, %s", a.Metadata.Deleted, diff)
				}
			}
		})
	}
}

func TestADeletionWaitsForAnApplicationThatWantsToBeTold(t *testing.T) {
	told := stored(func(a *api.Application) { a.Spec.Hooks = []string{"other", api.HookShutdown} })
	told.Deleting(*at(1), false)
	untold := stored(func(a *api.Application) { a.Spec.Hooks, a.Status.State = []string{api.HookComplete}, api.AppRunning })
	untold.Deleting(*at(1), false)
	if told.Status.State != api.AppWaitingForCleaning || untold.Status.State != api.AppRunning {
		t.Errorf("%s and %s", told.Status.State, untold.Status.State)
	}
}
