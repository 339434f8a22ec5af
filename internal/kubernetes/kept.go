package kubernetes

import (
	"context"
	"slices"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// Files that an application has left behind are kept for a while: in a leftover, so that whatever becomes of the
// application, somebody knows of them.

// keepFiles hands over the claims that an application leaves behind on a cluster. As for all leftovers, they leave the
// inventory last.
func (p *pass) keepFiles(ctx context.Context, identity string) error {
	kept := holdsFiles(p.entries(identity))
	if p.migration.Copies {
		kept = p.withTemplates(identity, kept)
	}
	if len(kept) == 0 {
		return nil
	}
	until := api.At(p.clock().Add(p.keep))
	cause := "The application has moved to another cluster, and its files were left behind."
	if p.migration.Copies {
		cause = "The application has moved to another cluster with copies of these files."
	}
	l := api.NewKeptFiles(p.app, identity, cause, until)
	l.Spec.Objects = kept
	if err := p.leaveOver(ctx, l); err != nil {
		return err
	}
	p.log.Info("files are kept", "application", p.key, "cluster", identity, "objects", len(kept), "until", until)
	p.events.Normal(p.app, "FilesKept", "%d objects with files are kept on the cluster %s until %s.", len(kept), p.clusterName(identity), until)
	p.drop(kept...)
	if p.migration.Copies { // they are handed over once
		next := p.migration
		next.Volumes = []api.MovedVolume{}
		p.enterPhase(next)
	}
	return p.flush(ctx)
}

// withTemplates adds the claims that StatefulSets have made on the source, which are in no inventory.
func (p *pass) withTemplates(identity string, kept []api.InventoryObject) []api.InventoryObject {
	for _, v := range p.migration.Volumes {
		o := api.InventoryObject{Cluster: identity, Version: "v1", Kind: claimKind, Namespace: v.Namespace, Name: v.Claim, UID: v.SourceUID, Wave: waveOfClaims}
		if !slices.ContainsFunc(kept, o.SameObject) {
			kept = append(kept, o)
		}
	}
	return kept
}

// waveOfClaims puts claims after the pods that have them, and before their namespaces, when they are removed.
const waveOfClaims = 1

// dropKept has the files go that are kept on a cluster of the application, which comes back with newer ones. It returns
// true when they are gone.
func (p *pass) dropKept(ctx context.Context, identity string) (gone bool, err error) {
	name := api.NewKeptFiles(p.app, identity, "", p.now()).Metadata.Name
	l, err := p.leftover.Get(ctx, p.app.Metadata.NamespaceOrEmpty(), name)
	if client.NotFound(err) {
		return true, nil
	}
	if err != nil || l.Spec.KeepUntil == nil {
		return false, err
	}
	return false, p.release(ctx, l, false)
}

// dropAllKept ends the time for which files of an application are kept that somebody has deleted by its name. If what it
// has is to stay, they stay for good.
func (p *pass) dropAllKept(ctx context.Context) error {
	if len(p.app.Spec.Manifest.Claims()) == 0 || p.app.Status.Cascaded {
		return nil
	}
	all, _, err := p.leftover.List(ctx, p.app.Metadata.NamespaceOrEmpty())
	if err != nil {
		return err
	}
	for _, l := range all {
		if l.Spec.ApplicationUID != p.app.Metadata.UID || !l.KeepsFiles() || l.Spec.KeepUntil == nil {
			continue
		}
		if err := p.release(ctx, l, p.app.Metadata.Deletion == api.KeepWorkloads); err != nil && !client.NotFound(err) {
			return err
		}
	}
	return nil
}

func (p *pass) release(ctx context.Context, l *api.Leftover, forGood bool) error {
	_, err := p.leftover.Patch(ctx, l, map[string]any{"spec": map[string]any{"keep_until": nil, "keep": forGood}})
	return err
}
