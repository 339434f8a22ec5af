//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rak-n-rok/krake/api"
)

// check waits until everything has settled and compares clusters, inventories and promises. The load must pause and the
// server must run.
func (x *experiment) check(ctx context.Context) error {
	s, err := x.settle(ctx)
	if err != nil {
		return err
	}
	live := map[*cluster][]unstructured.Unstructured{}
	for _, c := range x.clusters {
		if live[c], err = c.ours(ctx); err != nil {
			return err
		}
	}
	var errs []error
	errs = append(errs, x.accounted(s, live), x.witnessed(ctx, live), x.load.audit(ctx), x.forgotten(ctx))
	for a, app := range s.apps {
		errs = append(errs, x.asWanted(a, app, live))
	}
	for _, f := range x.foreign {
		errs = append(errs, f.touched(ctx))
	}
	return errors.Join(errs...)
}

// accounted compares what is on the clusters with what the inventories say: exactly the same objects, by UID. There are
// no leftovers by now.
func (x *experiment) accounted(s settled, live map[*cluster][]unstructured.Unstructured) error {
	known := map[types.UID]string{}
	for a, inventory := range s.inventories {
		for _, o := range inventory.Objects {
			known[types.UID(o.UID)] = describe(x.clusterOf(o.Cluster), o.Kind, o.Namespace, o.Name, s.apps[a].Metadata.UID)
		}
	}
	var errs []error
	for c, objects := range live {
		for _, o := range objects {
			is := describe(c, o.GetKind(), o.GetNamespace(), o.GetName(), o.GetLabels()[ourLabel])
			if recorded, ok := known[o.GetUID()]; !ok {
				errs = append(errs, fmt.Errorf("%s with the UID %s is in no inventory", is, o.GetUID()))
			} else if recorded != is {
				errs = append(errs, fmt.Errorf("%s is %s in an inventory", is, recorded))
			}
			delete(known, o.GetUID())
		}
	}
	for uid, recorded := range known {
		errs = append(errs, fmt.Errorf("%s with the UID %s is in an inventory and does not exist", recorded, uid))
	}
	return errors.Join(errs...)
}

func describe(c *cluster, kind, namespace, name, app string) string {
	return sighting{c.site, kind, namespace, name, app}.String()
}

// witnessed makes sure that the witness is not blind: it must know of exactly the objects that are there.
func (x *experiment) witnessed(ctx context.Context, live map[*cluster][]unstructured.Unstructured) error {
	there := map[types.UID]bool{}
	for _, objects := range live {
		for _, o := range objects {
			there[o.GetUID()] = true
		}
	}
	var seen map[types.UID]sighting
	for range 100 { // its watches may be a moment behind
		seen = x.witness.alive()
		missing := len(there)
		for uid := range seen {
			if there[uid] {
				missing--
			}
		}
		if missing == 0 && len(seen) == len(there) {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d objects are there, and the witness sees %d", len(there), len(seen))
}

// asWanted compares an application's objects with its newest revision: all of them on the right cluster and as they
// should be, and no others anywhere.
func (x *experiment) asWanted(a *account, app *api.Application, live map[*cluster][]unstructured.Unstructured) error {
	r := a.revisions[a.promise().sent-1]
	wanted := map[string]map[string]any{}
	for _, o := range a.manifest(r) {
		u := unstructured.Unstructured{Object: o}
		wanted[u.GetKind()+"/"+u.GetName()] = o
	}
	var errs []error
	for c, objects := range live {
		for _, o := range objects {
			if o.GetLabels()[ourLabel] != app.Metadata.UID {
				continue
			}
			key := o.GetKind() + "/" + o.GetName()
			if c.site != a.place(r) || wanted[key] == nil {
				errs = append(errs, fmt.Errorf("%s: nobody wants %s on %s", a.name, key, c.site))
				continue
			}
			if !holds(plain(o.Object), plain(wanted[key])) {
				errs = append(errs, fmt.Errorf("%s: %s on %s is not as revision %d wants it: %s",
					a.name, key, c.site, r.number, inJSON(o.Object)))
			}
			delete(wanted, key)
		}
	}
	for key := range wanted {
		errs = append(errs, fmt.Errorf("%s: %s is missing on %s", a.name, key, a.place(r)))
	}
	return errors.Join(errs...)
}

// holds says whether a live value has everything that is wanted; it may have more.
func holds(live, wanted any) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		live, ok := live.(map[string]any)
		for key, value := range wanted {
			// A cluster keeps the plain texts of a Secret under another name.
			ok = ok && (key == "stringData" || holds(live[key], value))
		}
		return ok
	case []any:
		live, ok := live.([]any)
		ok = ok && len(live) == len(wanted)
		for i := range wanted {
			ok = ok && holds(live[i], wanted[i])
		}
		return ok
	default:
		return live == wanted
	}
}
