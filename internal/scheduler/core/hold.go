package core

import (
	"time"

	"github.com/rak-n-rok/krake/api"
)

// hold says why Krake does not move an application. The zero value says that it may.
type hold struct {
	code     string
	sentence string    // completes "It stays on …, because"
	until    time.Time // zero when not time ends it, but a change of the application
}

// The codes of holds. Codes are stable: they are stored.
const (
	Paused       = "paused"
	MigrationOff = "migration-off"
	UnderWay     = "under-way"
	FailedMove   = "failed-move"
	NotRunning   = "not-running"
	HasFiles     = "has-files"
)

// holdOf is the one place that says whether Krake may move an application by itself. forced is for one that must leave
// its cluster; what only a better place is no reason for is not held against it.
func holdOf(a *api.Application, forced bool, now time.Time) hold {
	failed := time.Unix(a.Status.MigrationTimeout, 0)
	switch {
	case a.Spec.Paused:
		return hold{code: Paused, sentence: "it is paused"}
	case !a.Spec.Constraints.Migration:
		return hold{code: MigrationOff, sentence: "its migration is switched off"}
	case moving(a) || !forced && onTheWay(a):
		return hold{code: UnderWay, sentence: "a move is under way"}
	case !forced && (a.Status.State == api.AppFailed || a.Status.State == api.AppCompleted):
		return hold{code: NotRunning, sentence: "it is " + string(a.Status.State)}
	case filesHold(a, forced) != "":
		return hold{code: HasFiles, sentence: filesHold(a, forced)}
	case now.Before(failed):
		return hold{code: FailedMove, sentence: "a move has failed", until: failed}
	}
	return hold{}
}

// filesHold says why an application stays where its files are, empty if it need not. One that must leave its cluster stays
// only if its files are to come along, and cannot.
func filesHold(a *api.Application, forced bool) string {
	claims := a.Spec.Manifest.Claims()
	if len(claims) == 0 {
		return ""
	}
	why := a.Spec.Manifest.Uncopyable()
	switch {
	case a.Spec.MigrationData == api.DataCopy && why != "":
		return "its files are to come along and cannot be copied: " + why
	case a.Spec.MigrationData == api.DataNone && !forced:
		return "it has files on the claim " + claims[0] + ", which a move would leave behind (migration_data: COPY copies them, LEAVE begins anew)"
	}
	return ""
}

// moving says whether the application is on its way between two clusters. It must not get a third one then.
func moving(a *api.Application) bool {
	return a.Status.Conditions.Get(api.Migrating).Status == api.True ||
		a.Status.Conditions.Get(api.ShuttingDown).Status == api.True
}

// onTheWay says whether the application was bound to a cluster that it has not arrived on.
func onTheWay(a *api.Application) bool {
	return a.Status.RunningOn != nil && !api.SameRef(a.Status.RunningOn, a.Status.ScheduledTo)
}
