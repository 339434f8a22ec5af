//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// injury is what somebody does to a live object behind Krake's back: it loses our label, or it is removed.
type injury struct {
	kind    schema.GroupVersionKind // of the object; none if nothing is done
	removed bool
	left    bool // the application goes on without waiting until the object is well again
}

// wound is an injury that was done.
type wound struct {
	injury
	site string
	uid  types.UID
}

// newInjury draws an injury. What is removed is made again with another UID, which the witness is told beforehand.
func (l life) newInjury(dice *rand.Rand, r revision) injury {
	if r.hasty || dice.IntN(4) != 0 {
		return injury{}
	}
	i := injury{removed: dice.IntN(2) == 0, left: dice.IntN(2) == 0}
	i.kind = []schema.GroupVersionKind{configMaps, services, l.shape.workload}[dice.IntN(3)]
	if i.kind == l.shape.workload && l.moves() {
		i.removed = false // how many copies there are would then not be up to Krake alone
	}
	return i
}

// nameOfVictim is the name of the object that is injured.
func (l life) nameOfVictim(i injury) string {
	if i.kind == configMaps {
		return l.configName()
	}
	return l.name
}

func (l *load) victim(a *account, site string, i injury) dynamic.ResourceInterface {
	return l.clusters[site].client.Resource(resourceOf(i.kind)).Namespace(a.namespace())
}

// injure does an injury to an application that has settled, and waits until it is well again.
func (l *load) injure(ctx context.Context, a *account, r revision) error {
	if r.injury.kind.Empty() {
		return nil
	}
	w, err := l.inflict(ctx, a, r)
	if err != nil || w.uid == "" || w.left {
		return err
	}
	for l.healed(ctx, a, w) != nil {
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
	return nil
}

// inflict does an injury. There is no wound if the object is not well from the last one.
func (l *load) inflict(ctx context.Context, a *account, r revision) (w wound, err error) {
	l.writing.RLock() // no check may take place halfway
	defer l.writing.RUnlock()
	ctx = context.WithoutCancel(ctx) // nor may the load end there
	w = wound{injury: r.injury, site: a.place(r)}
	victims, name := l.victim(a, w.site, w.injury), a.nameOfVictim(w.injury)
	o, err := victims.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && o.GetLabels()[ourLabel] != a.promise().uid {
		return wound{}, nil
	}
	if err != nil {
		return wound{}, err
	}
	w.uid = o.GetUID()
	if w.removed {
		l.witness.rob(w.uid)
		background := metav1.DeletePropagationBackground
		err = victims.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &w.uid}})
	} else {
		patch := map[string]any{"metadata": map[string]any{"uid": w.uid, "labels": map[string]any{ourLabel: nil}}}
		_, err = victims.Patch(ctx, name, types.MergePatchType, []byte(inJSON(patch)), metav1.PatchOptions{})
	}
	if err != nil {
		return wound{}, fmt.Errorf("%s: %w", a.name, err)
	}
	a.hurt(w)
	return w, nil
}

// healed says what is still wrong with an object that was injured.
func (l *load) healed(ctx context.Context, a *account, w wound) error {
	o, err := l.victim(a, w.site, w.injury).Get(ctx, a.nameOfVictim(w.injury), metav1.GetOptions{})
	switch {
	case err != nil:
		return err
	case o.GetLabels()[ourLabel] != a.promise().uid:
		return fmt.Errorf("the %s on %s has lost its label", w.kind.Kind, w.site)
	case w.removed == (o.GetUID() == w.uid):
		return fmt.Errorf("the %s on %s has the UID %s, before it was injured it had %s", w.kind.Kind, w.site, o.GetUID(), w.uid)
	}
	return nil
}

// forgotten looks for objects that lost their label and that nobody wants any more: no list of ours shows them.
func (x *experiment) forgotten(ctx context.Context) error {
	var errs []error
	for _, a := range x.load.all() {
		p := a.promise()
		for _, w := range a.allWounds() {
			if w.removed || !p.deleteSent && a.place(a.revisions[p.sent-1]) == w.site {
				continue
			}
			o, err := x.load.victim(a, w.site, w.injury).Get(ctx, a.nameOfVictim(w.injury), metav1.GetOptions{})
			if err == nil && o.GetUID() == w.uid {
				err = fmt.Errorf("%s: its %s that lost its label was left behind on %s", a.name, w.kind.Kind, w.site)
			} else if err == nil || apierrors.IsNotFound(err) {
				continue
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// An object that lost its label, got it back and was then removed is well when it is there again with another UID.
func TestTheLastWoundOfAnObjectSaysHowItHasToBe(t *testing.T) {
	lost := wound{injury: injury{kind: configMaps}, site: "a", uid: "1"}
	removed := wound{injury: injury{kind: configMaps, removed: true}, site: "a", uid: "1"}
	elsewhere := wound{injury: injury{kind: configMaps}, site: "b", uid: "2"}
	a := &account{}
	for _, w := range []wound{lost, elsewhere, removed} {
		a.hurt(w)
	}
	if got, want := a.allWounds(), []wound{elsewhere, removed}; !slices.Equal(got, want) {
		t.Errorf("wounds are %v, want %v", got, want)
	}
}
