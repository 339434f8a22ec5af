//go:build crash

package crash

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/rak-n-rok/krake/api"
)

// account is an application and what is known of it from nothing but the answers of the API.
type account struct {
	life

	mu     sync.Mutex
	word   promise
	wounds []wound // one for each object that was injured, the last
}

// promise is what the API must keep. What it acknowledged, or showed once, must be there ever after. What was sent and
// not acknowledged may be there or not.
type promise struct {
	uid            string
	sent, stored   int64 // the newest revision that was sent, and that was acknowledged; 0 for none
	version        int64 // the newest version that was seen
	deleteSent     bool
	deleteStored   bool
	recordIsGone   bool
	ready          bool         // it was shown to run and to be well
	phases         [4]bool      // of a move, as in movePhases: whether it was shown to be in it
	record         registration // of the cluster that is there for it alone
	answered, lost int          // writes that were acknowledged, and attempts that had no answer
}

// movePhases are those that every run has to see: a phase that is left out would not show otherwise.
var movePhases = [4]api.MigrationPhase{api.PhaseStopping, api.PhaseCreating, api.PhaseDraining, api.PhaseRemoving}

func (a *account) promise() promise {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.word
}

func (a *account) note(change func(p *promise)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.word)
}

// hurt remembers a wound. The one that the same object had before no longer says how it has to be: what had lost its label
// and was healed may be removed, and then has another UID.
func (a *account) hurt(w wound) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wounds = append(slices.DeleteFunc(a.wounds, func(old wound) bool { return old.kind == w.kind && old.site == w.site }), w)
}

func (a *account) allWounds() []wound {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.wounds)
}

// mustServe says whether a copy has to be ready at every moment: it was, the application is moved by making the new
// copy first, and nobody has asked for its end. Changes of its manifest replace one pod after the other.
func (a *account) mustServe() bool {
	p := a.promise()
	return a.moves() && !a.stopsFirst() && p.ready && !p.deleteSent
}

// saw compares what the API showed, nil for nothing, with what it had promised before it was asked, and remembers it.
func (a *account) saw(before promise, shown *api.Application) error {
	if err := a.broken(before, a.promise(), shown); err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	a.note(func(p *promise) {
		if shown == nil {
			p.recordIsGone = p.recordIsGone || before.stored > 0 // it was there when the question was sent
			return
		}
		p.uid = shown.Metadata.UID
		p.version = max(p.version, version(shown))
		p.stored = max(p.stored, shown.Metadata.Generation)
		p.deleteStored = p.deleteStored || shown.Metadata.Deleted != nil
		s := shown.Status
		p.ready = p.ready || s.RunningOn != nil && s.Conditions.Get(api.Healthy).Status == api.True
		move := s.Conditions.Get(api.Migrating)
		for i, phase := range movePhases {
			p.phases[i] = p.phases[i] || move.Status == api.True && move.Reason == string(phase)
		}
	})
	return nil
}

// broken says which promise was broken by an answer. before is what was promised when the question was sent: the answer
// must not be older. after is what had been sent when the answer was there: it cannot be newer.
func (a *account) broken(before, after promise, shown *api.Application) error {
	if shown == nil {
		if before.stored > 0 && !after.deleteSent {
			return fmt.Errorf("it was acknowledged at revision %d, nobody deleted it, and it is not there", before.stored)
		}
		return nil
	}
	m := shown.Metadata
	r, err := a.revisionOf(shown)
	switch {
	case err != nil:
		return err
	case before.recordIsGone:
		return fmt.Errorf("its record was gone and is there again, with the UID %s", m.UID)
	case before.uid != "" && before.uid != m.UID:
		return fmt.Errorf("it is another one than before: its UID was %s and is %s", before.uid, m.UID)
	case r.number < before.stored:
		return fmt.Errorf("revision %d was acknowledged, revision %d is there", before.stored, r.number)
	case r.number > after.sent:
		return fmt.Errorf("revision %d is there, only %d were sent", r.number, after.sent)
	case m.Generation != r.number:
		return fmt.Errorf("its generation is %d at revision %d: a change was stored twice or not counted", m.Generation, r.number)
	case version(shown) < before.version:
		return fmt.Errorf("it was seen in version %d and is there in version %s", before.version, m.ResourceVersion)
	case before.deleteStored && m.Deleted == nil:
		return fmt.Errorf("its deletion was acknowledged and is forgotten")
	case m.Deleted != nil && !after.deleteSent:
		return fmt.Errorf("its deletion was asked for by nobody")
	case !sameJSON(shown.Spec, a.spec(r)):
		return fmt.Errorf("it is not what was sent as revision %d: %s", r.number, inJSON(shown.Spec))
	}
	return nil
}

// version reads a version as a number. Only this test may: to others versions are opaque.
func version(a *api.Application) int64 {
	v, err := strconv.ParseInt(a.Metadata.ResourceVersion, 10, 64)
	if err != nil {
		panic(err)
	}
	return v
}

// sameJSON compares two values as what they look like on the wire.
func sameJSON(x, y any) bool {
	return reflect.DeepEqual(plain(x), plain(y))
}

func plain(x any) (out any) {
	if err := json.Unmarshal([]byte(inJSON(x)), &out); err != nil {
		panic(err)
	}
	return out
}

func inJSON(x any) string {
	data, err := json.Marshal(x)
	if err != nil {
		panic(err)
	}
	return string(data)
}
