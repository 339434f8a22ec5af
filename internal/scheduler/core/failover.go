package core

import (
	"fmt"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// The codes of staying on a cluster that is given up, beside those of holds.
const (
	StopsFirst = "stops-first" // it must not run twice, and may still run there
	ManySilent = "many-silent" // so many clusters are silent that Krake is likely the one that is cut off
)

// FailoverPace is the time between two applications that leave silent clusters: ten in a minute. So whoever sees that
// something is wrong can still do something about it, and the clusters that are left do not get everything at once.
const FailoverPace = 6 * time.Second

// together is how near in time clusters fall silent if that has one cause.
const together = 10 * time.Minute

// recheck is how often a failover is considered again that waits for something of which no news come.
const recheck = time.Minute

// silence is which of the clusters that Krake has ever reached do not answer.
type silence struct {
	reached int
	since   map[string]time.Time // by identity
}

// silenceOf counts a cluster once, however many records it has. It is silent if none of them leads there.
func silenceOf(clusters []Cluster) silence {
	out, answers := silence{since: map[string]time.Time{}}, map[string]bool{}
	for i := range clusters {
		c := &clusters[i]
		if c.Identity == "" {
			continue
		}
		if c.SilentSince.IsZero() {
			answers[c.Identity] = true
		} else if known, ok := out.since[c.Identity]; !ok || c.SilentSince.After(known) {
			out.since[c.Identity] = c.SilentSince
		}
	}
	for identity := range answers {
		delete(out.since, identity)
	}
	out.reached = len(answers) + len(out.since)
	return out
}

// with says how many clusters fell silent together with one, itself among them, and whether these are so many that the
// reason is likely on Krake's side: more than two, and more than 30 % of all.
func (s silence) with(c *Cluster) (n int, many bool) {
	for _, since := range s.since {
		if since.Sub(c.SilentSince).Abs() <= together {
			n++
		}
	}
	return n, n > 2 && 10*n > 3*s.reached
}

// Rescue says whether an application that may stay where it is should leave nevertheless, because its cluster has been
// silent for too long. Stays must hold. The verdict has no code while there is nothing to say of that.
//
// That a cluster is silent does not mean that nothing runs there. So only what may run twice goes, as it is created
// elsewhere without asking the silent cluster; and not when Krake is likely the one that is cut off. How many go at a time,
// and that what is known of the cluster is fresh, is for the caller to see to.
func Rescue(s *Snapshot, a *api.Application, r Rules, now time.Time) Verdict {
	here := s.Find(*a.Status.ScheduledTo)
	v := Verdict{Outcome: Kept, Here: here}
	if r.FailoverAfter <= 0 || here.SilentSince.IsZero() {
		return v
	}
	if left := r.FailoverAfter - now.Sub(here.SilentSince); left > 0 {
		v.Again = left
		return v
	}
	held := holdOf(a, false, now)
	if held.code == UnderWay {
		return v // the move says how it is getting on
	}
	v.leave = Refusal{Code: Dead, Have: here.SilentSince.UTC().Format(time.RFC3339)}
	if held.code == "" {
		held = onlyCopy(a)
	}
	if held.code != "" && held.until.IsZero() {
		return v.although(held.code, "because "+held.sentence)
	}
	if n, many := s.silence.with(here); many {
		return v.Later(ManySilent, fmt.Sprintf("%d of %d clusters have fallen silent within ten minutes, so Krake is likely the one that is cut off",
			n, s.silence.reached), recheck)
	}
	f := survey(s, a, recorded)
	if f.matching == 0 {
		d := decision{field: f}
		return v.although(Nowhere, "because there is no other place ("+d.refusals()+")")
	}
	v.There = f.best[0]
	if held.code != "" {
		return v.Later(held.code, held.sentence, held.until.Sub(now))
	}
	v.Outcome, v.Code = Moved, string(Dead)
	v.Reason = fmt.Sprintf("It moves from %s to %s: %s. Until that answers again, it may run in both places.", here.Name, v.There.Name, v.leave.sentence())
	return v
}

// onlyCopy is what holds an application that must not run twice, or whose files only the silent cluster has.
func onlyCopy(a *api.Application) hold {
	if a.Spec.MigrationData == api.DataCopy && len(a.Spec.Manifest.Claims()) > 0 {
		return hold{code: HasFiles, sentence: "its files are to come along, and a cluster that does not answer gives none"}
	}
	if why, yes := a.StopsFirst(); yes {
		return hold{code: StopsFirst, sentence: "it may still run there and must not run twice: " + why}
	}
	return hold{}
}

// although gives the verdict of an application that stays on a cluster that is given up.
func (v Verdict) although(code, why string) Verdict {
	v.Code, v.Reason = code, fmt.Sprintf("It stays on %s %s, although %s.", v.Here.Name, why, v.leave.sentence())
	return v
}

// Later gives the verdict of an application that does not leave a silent cluster yet, and is looked at again after a while.
func (v Verdict) Later(code, why string, again time.Duration) Verdict {
	v.Outcome, v.Again = Waiting, again
	return v.although(code, "for now, because "+why)
}
