package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// The actions of a move that copies files. Each may be repeated, by this process or another one.

// copies says whether a move of the application copies files.
func (p *pass) copies() bool {
	return p.app.Spec.MigrationData == api.DataCopy && len(p.app.Spec.Manifest.Claims()) > 0
}

// cannotCopy says why files cannot be copied, empty if they can.
func (p *pass) cannotCopy() string {
	if p.image == "" {
		return "this Krake has no image to copy volumes with (--volume-image)"
	}
	return p.app.Spec.Manifest.Uncopyable()
}

// copiedTo are the claims of templates that are on a cluster because files are copied there.
func (p *pass) copiedTo(identity string) api.Manifest {
	if !p.migration.Copies || identity != p.migration.TargetID {
		return nil
	}
	return fromTemplates(p.app.Spec.Manifest, p.migration.Volumes)
}

// halfway says what came of an action on a cluster that failed.
func halfway(err error) (result, time.Duration, error) {
	var refusal *refusedError
	switch {
	case ours(err):
		return result{}, 0, err
	case errors.Is(err, errVanished):
		return result{}, time.Millisecond, nil
	case errors.As(err, &refusal), fleet.Final(err):
		return result{refused, reasonOf(err).Message}, 0, nil
	}
	return result{notYet, reasonOf(err).Message}, 2 * time.Second, nil
}

// refusedError says that Krake does not copy these files.
type refusedError struct{ why string }

func (e *refusedError) Error() string { return e.why }

func notCopied(format string, args ...any) error { return &refusedError{fmt.Sprintf(format, args...)} }

// ends connects to both clusters of a move.
func (p *pass) ends(ctx context.Context) (source, target *fleet.Member, err error) {
	source, err = memberByIdentity(ctx, p.fleet, p.ways, place{p.app.Metadata.NamespaceOrEmpty(), p.migration.SourceID})
	if err != nil {
		return nil, nil, err
	}
	if source == nil {
		return nil, nil, notCopied("no record leads to the cluster that they are on any more")
	}
	cluster := p.clusterOf(p.migration.Target)
	if cluster == nil {
		return nil, nil, notCopied("the record of the target was removed")
	}
	target, err = Connect(ctx, p.fleet, cluster)
	return source, target, err
}

// claim makes room on the target: claims without files, each with a volume, in which a helper already waits and has looked
// around. What cannot work there is found out here, while the application still runs.
func (p *pass) claim(ctx context.Context) (result, time.Duration, error) {
	if why := p.cannotCopy(); why != "" {
		return result{refused, why}, 0, nil
	}
	source, target, err := p.ends(ctx)
	if err != nil {
		return halfway(err)
	}
	if err := p.findVolumes(ctx, source); err != nil {
		return halfway(err)
	}
	if gone, err := p.dropKept(ctx, target.Identity()); err != nil || !gone {
		return result{notYet, "the files that it left there before have to go first"}, time.Second, err
	}
	wish := p.wish(target.Identity())
	wish.Manifest = slices.Concat(forClaims(p.app.Spec.Manifest), p.copiedTo(target.Identity()))
	if err := p.put(ctx, target, wish); err != nil {
		return halfway(err)
	}
	for i, v := range p.migration.Volumes {
		end, waits, err := p.help(ctx, target, v, false)
		if err == nil && waits == "" {
			err = p.makeSureItIsEmpty(ctx, i, end)
		}
		switch {
		case errors.Is(err, errHelperEnded):
			_, err := p.dropHelpers(ctx, source, target, false)
			return p.going(err)
		case err != nil:
			return halfway(err)
		case waits != "":
			return result{notYet, waits}, time.Second, nil
		}
	}
	return result{outcome: done}, 0, nil
}

// findVolumes notes what there is to copy: those claims on the source that are the application's and have a volume.
func (p *pass) findVolumes(ctx context.Context, source *fleet.Member) error {
	if p.migration.Volumes != nil {
		return nil
	}
	volumes := []api.MovedVolume{}
	for _, space := range p.spaces(source.Identity()) {
		claims, err := source.Claims(ctx, space)
		if err != nil {
			return err
		}
		for _, c := range claims {
			switch {
			case !p.hasClaim(source.Identity(), c) || !c.Bound:
				continue
			case c.Block:
				return notCopied("the claim %s is for a device without files", c.Name)
			case c.Deleting:
				return notCopied("the claim %s is being removed from the cluster that it is on", c.Name)
			}
			volumes = append(volumes, api.MovedVolume{Namespace: c.Namespace, Claim: c.Name, SourceUID: c.UID, Size: c.Size})
		}
	}
	next := p.migration
	next.Volumes = volumes
	p.enterPhase(next)
	return p.flush(ctx)
}

// spaces are the namespaces of a cluster in which the application has claims, or something that makes them.
func (p *pass) spaces(identity string) []string {
	var out []string
	for _, o := range p.entries(identity) {
		makesClaims := o.Group == "" && o.Kind == claimKind || o.Group == "apps" && o.Kind == "StatefulSet"
		if makesClaims && !slices.Contains(out, o.Namespace) {
			out = append(out, o.Namespace)
		}
	}
	slices.Sort(out)
	return out
}

// hasClaim says whether a claim is the application's: it is in the inventory, or a StatefulSet in there has made it.
func (p *pass) hasClaim(identity string, c fleet.Claim) bool {
	set, _ := p.app.Spec.Manifest.TemplateOf(c.Name)
	return slices.ContainsFunc(p.entries(identity), func(o api.InventoryObject) bool {
		isIt := o.Group == "" && o.Kind == claimKind && o.Name == c.Name
		isSet := set != nil && o.Group == "apps" && o.Kind == set["kind"] && o.Name == mapIn(set, "metadata")["name"]
		return o.Namespace == c.Namespace && (isIt || isSet)
	})
}

// put applies some objects on a cluster and removes nothing.
func (p *pass) put(ctx context.Context, m *fleet.Member, wish fleet.Wish) error {
	owner, err := p.owner(ctx)
	if err != nil {
		return err
	}
	desired, err := m.Resolve(ctx, wish, owner)
	if err != nil {
		return err
	}
	m.Observe(p.entries(m.Identity()))
	plan := fleet.NewPlan(fleet.Situation{Cluster: m.Identity(), Desired: desired, Inventory: p.inventory.Objects, Live: p.live(m)})
	plan.Prune = nil
	if plan.Empty() {
		return nil
	}
	if err := p.applyPlan(ctx, m, plan); err != nil {
		return err
	}
	return p.flush(ctx)
}

// help sees to it that a helper has a volume mounted on a cluster, and says what it waits for, nothing when it runs.
func (p *pass) help(ctx context.Context, m *fleet.Member, v api.MovedVolume, isSource bool) (end volumeEnd, waits string, err error) {
	space := v.Namespace
	if !isSource {
		at, ok := p.copyOf(m.Identity(), v)
		if !ok {
			return end, "", notCopied("the manifest does not have the claim %s any more", v.Claim)
		}
		space = at.Namespace
	}
	name := helperOf(p.app.Metadata.UID, v, p.migration.Attempts)
	pod := helper(p.image, name, space, v.Claim, isSource, p.app.Spec.Manifest.PodUsing(v.Claim))
	if err := p.put(ctx, m, fleet.Wish{Manifest: api.Manifest{pod}}); err != nil { // wherever the claim may be
		return end, "", err
	}
	is, waits, err := m.Pod(ctx, space, name)
	switch {
	case err != nil:
		return end, "", err
	case is.Ended:
		return end, "", errHelperEnded
	case is.Running:
		return volumeEnd{m, is}, "", nil
	}
	return end, strings.TrimSuffix(fmt.Sprintf("the pod %s on %s, which is to copy the claim %s, does not run yet: %s",
		name, p.clusterName(m.Identity()), v.Claim, waits), ": "), nil
}

// errHelperEnded says that a helper does not run any more: its node has thrown it out, or somebody ended it.
var errHelperEnded = errors.New("a pod that was to copy a volume has ended before its time")

// copyOf finds the claim on the target that a volume is copied to.
func (p *pass) copyOf(identity string, v api.MovedVolume) (found api.InventoryObject, ok bool) {
	for _, o := range p.entries(identity) {
		if o.Group == "" && o.Kind == claimKind && o.Name == v.Claim && (!ok || o.Namespace == v.Namespace) {
			found, ok = o, true
		}
	}
	return found, ok
}

// halt ends what runs on the source and may write to its volumes, and makes sure that no pod has one any more.
func (p *pass) halt(ctx context.Context) (result, time.Duration, error) {
	source, _, err := p.ends(ctx)
	if err != nil {
		return halfway(err)
	}
	if err := p.keepShared(ctx, source); err != nil {
		return halfway(err)
	}
	running := slices.DeleteFunc(p.entries(source.Identity()), func(o api.InventoryObject) bool {
		return !runsPods(o) || isHelper(p.app.Metadata.UID, o)
	})
	clean, err := p.prune(ctx, source, running, fleet.AndItsOwn, moved)
	if storeErr := p.flush(ctx); storeErr != nil {
		return result{}, 0, storeErr
	}
	switch {
	case err != nil:
		return halfway(err)
	case !clean && p.withholds(source.Identity()):
		return result{withheld, "somebody has to approve what it would remove from " + p.clusterName(source.Identity())}, p.resync, nil
	case !clean:
		return result{}, 500 * time.Millisecond, nil
	}
	user, err := p.userOf(ctx, source)
	switch {
	case err != nil:
		return halfway(err)
	case user != "":
		return result{notYet, user}, time.Second, nil
	}
	return result{outcome: done}, 0, nil
}

// userOf names a pod on the source that has one of the volumes, whoever has made it; empty if there is none.
func (p *pass) userOf(ctx context.Context, source *fleet.Member) (string, error) {
	for _, space := range p.spacesOfVolumes() {
		uses, err := source.Uses(ctx, space)
		if err != nil {
			return "", err
		}
		for _, u := range uses {
			isCopied := slices.ContainsFunc(p.migration.Volumes, func(v api.MovedVolume) bool { return v.Namespace == space && v.Claim == u.Claim })
			if isCopied && !strings.HasPrefix(u.Pod, helperPrefix(p.app.Metadata.UID)) {
				return fmt.Sprintf("the pod %s/%s still has the claim %s", space, u.Pod, u.Claim), nil
			}
		}
	}
	return "", nil
}

func (p *pass) spacesOfVolumes() []string {
	var out []string
	for _, v := range p.migration.Volumes {
		if !slices.Contains(out, v.Namespace) {
			out = append(out, v.Namespace)
		}
	}
	return out
}

// copy copies one volume after the other. When all are copied, it removes the helpers: what they hold is wanted next.
func (p *pass) copy(ctx context.Context) (result, time.Duration, error) {
	source, target, err := p.ends(ctx)
	if err != nil {
		return halfway(err)
	}
	i := slices.IndexFunc(p.migration.Volumes, func(v api.MovedVolume) bool { return !v.Copied })
	if clean, err := p.dropHelpers(ctx, source, target, i >= 0); err != nil || !clean {
		return p.going(err)
	}
	if i < 0 {
		return result{outcome: done}, 0, nil
	}
	v := p.migration.Volumes[i]
	if job := p.copying.get(p.app.Metadata.UID, helperOf(p.app.Metadata.UID, v, p.migration.Attempts)); job != nil {
		return p.attend(ctx, i, job)
	}
	from, waits, err := p.help(ctx, source, v, true)
	var to volumeEnd
	if err == nil && waits == "" {
		to, waits, err = p.help(ctx, target, v, false)
	}
	switch {
	case errors.Is(err, errHelperEnded):
		return result{failed, err.Error()}, time.Millisecond, nil
	case err != nil:
		return halfway(err)
	case waits != "":
		return result{notYet, waits}, time.Second, nil
	}
	if user, err := p.userOf(ctx, source); err != nil {
		return halfway(err)
	} else if user != "" { // somebody has started it meanwhile
		return result{notYet, user}, time.Second, nil
	}
	if err := p.makeSureItIsEmpty(ctx, i, to); err != nil {
		return halfway(err)
	}
	p.log.Info("copying", "application", p.key, "claim", v.Claim, "namespace", v.Namespace, "attempt", p.migration.Attempts+1)
	p.copying.begin(p.app.Metadata.UID, to.pod.Name, func(ctx context.Context, job *copyJob) error {
		return copyVolume(ctx, from, to, job)
	}, func() { p.ctl.Enqueue(p.key) })
	return result{underWay, "the files of the claim " + v.Claim + " are being copied"}, p.limits.copy / 4, nil
}

// going waits for helpers that are being removed.
func (p *pass) going(err error) (result, time.Duration, error) {
	if err != nil {
		return halfway(err)
	}
	return result{notYet, "pods that have helped to copy are being removed"}, 500 * time.Millisecond, nil
}

// dropHelpers removes the helpers on some clusters, but for those of the present attempt if they are needed. It returns
// true when they are gone.
func (p *pass) dropHelpers(ctx context.Context, source, target *fleet.Member, needed bool) (clean bool, err error) {
	clean = true
	present := fmt.Sprintf("-%d", p.migration.Attempts)
	for _, m := range []*fleet.Member{source, target} {
		old := slices.DeleteFunc(p.entries(m.Identity()), func(o api.InventoryObject) bool {
			return !isHelper(p.app.Metadata.UID, o) || needed && strings.HasSuffix(o.Name, present)
		})
		c, err := p.prune(ctx, m, old, fleet.Itself, undone)
		if storeErr := p.flush(ctx); storeErr != nil {
			return false, storeErr
		}
		if err != nil {
			return false, err
		}
		clean = clean && c
	}
	return clean, nil
}

// makeSureItIsEmpty looks whether a volume of the target holds anything before the first attempt to copy to it, and notes
// that it does not: from then on what it holds is an attempt's. So nothing is lost where the volume is an old one, or where
// both clusters have the same one.
func (p *pass) makeSureItIsEmpty(ctx context.Context, i int, to volumeEnd) error {
	v := p.migration.Volumes[i]
	at, _ := p.copyOf(to.Identity(), v)
	if v.Begun != "" && v.Begun == at.UID {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, waveTime)
	defer cancel()
	var found strings.Builder
	if err := to.run(ctx, "first", nil, &found); err != nil {
		return err
	}
	if name := strings.TrimSpace(found.String()); name != "" {
		return notCopied("the volume of the claim %s on the target is not empty: it holds %q", v.Claim, name)
	}
	p.setVolume(i, func(v *api.MovedVolume) { v.Begun = at.UID })
	return p.flush(ctx)
}

// setVolume changes what is noted of a volume. The slice is copied: the old one may be in memory.
func (p *pass) setVolume(i int, change func(*api.MovedVolume)) {
	next := p.migration
	next.Volumes = slices.Clone(next.Volumes)
	change(&next.Volumes[i])
	p.enterPhase(next)
}

// attend looks after a volume that is being copied.
func (p *pass) attend(ctx context.Context, i int, job *copyJob) (result, time.Duration, error) {
	v := p.migration.Volumes[i]
	if !job.hasEnded() {
		why := fmt.Sprintf("the files of the claim %s are being copied", v.Claim)
		if job.getsOn() {
			return result{underWay, why}, p.limits.copy / 4, nil
		}
		return result{notYet, why}, p.limits.copy / 4, nil
	}
	p.copying.end(p.app.Metadata.UID)
	switch {
	case job.err != nil && fleet.Final(job.err):
		return halfway(job.err)
	case job.err != nil:
		p.log.Warn("copying has failed", "application", p.key, "claim", v.Claim, "error", job.err)
		return result{failed, reasonOf(job.err).Message}, time.Millisecond, nil
	}
	p.setVolume(i, func(v *api.MovedVolume) { v.Copied, v.Files, v.Bytes = true, job.content.Files, job.content.Bytes })
	p.log.Info("copied", "application", p.key, "claim", v.Claim, "files", job.content.Files, "bytes", job.content.Bytes)
	p.events.Normal(p.app, "Copied", "%d files of the claim %s (%d bytes) were copied from %s to %s, and are the same there.", job.content.Files,
		v.Claim, job.content.Bytes, p.clusterName(p.migration.SourceID), p.clusterName(p.migration.TargetID))
	return result{underWay, "the files of the claim " + v.Claim + " were copied"}, time.Millisecond, p.flush(ctx)
}

// takeBack undoes a move that copies files: helpers go, and all that is on the target. What was copied from is left as it
// is, and what ran there is started again when the move is over.
func (p *pass) takeBack(ctx context.Context) (result, time.Duration, error) {
	p.copying.end(p.app.Metadata.UID)
	source, err := memberByIdentity(ctx, p.fleet, p.ways, place{p.app.Metadata.NamespaceOrEmpty(), p.migration.SourceID})
	if err != nil && ours(err) {
		return result{}, 0, err
	}
	if source != nil {
		if clean, err := p.dropHelpers(ctx, source, source, false); err != nil && !silent(err) || err == nil && !clean {
			return p.going(err)
		}
	}
	return p.clear(ctx, p.migration.TargetID, fleet.AndItsOwn, undone)
}

// settleTemplates takes the claims that StatefulSets have now out of the inventory: they keep them as those that they have
// made themselves, also when the application is deleted.
func (p *pass) settleTemplates() {
	made := p.copiedTo(p.migration.TargetID)
	p.drop(slices.DeleteFunc(p.entries(p.migration.TargetID), func(o api.InventoryObject) bool { return !named(made, o) })...)
}
