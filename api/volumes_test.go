package api_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
)

func TestTheClaimsOfAManifest(t *testing.T) {
	for name, c := range map[string]struct {
		manifest string
		want     []string
	}{
		"nothing":    {`[]`, nil},
		"no volumes": {`[{kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: []}}}}]`, nil},
		"a claim of its own, which it uses": {`[
			{kind: PersistentVolumeClaim, metadata: {name: data}},
			{kind: Deployment, metadata: {name: web}, spec: {template: {spec: {volumes: [{persistentVolumeClaim: {claimName: data}}]}}}}]`,
			[]string{"data"}},
		"a claim of somebody else": {`[{kind: Pod, metadata: {name: web}, spec: {volumes: [{emptyDir: {}}, {persistentVolumeClaim: {claimName: theirs}}]}}]`,
			[]string{"theirs"}},
		"of a CronJob": {`[{kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: {spec: {volumes: [{persistentVolumeClaim: {claimName: d}}]}}}}}}]`,
			[]string{"d"}},
		"templates": {`[{kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: {name: data}}, {metadata: {name: log}}]}}]`,
			[]string{"data-db-0", "log-db-0"}},
		"nonsense": {`[{kind: 7, metadata: x, spec: {template: [], volumeClaimTemplates: {a: b}}}, {kind: Pod, spec: {volumes: [7, {persistentVolumeClaim: {claimName: 7}}]}}]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var m api.Manifest
			data, err := yaml.YAMLToJSON([]byte(c.manifest))
			if err == nil {
				err = json.Unmarshal(data, &m)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, m.Claims()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.want, m.ForDecisions().Claims()); diff != "" {
				t.Errorf("what caches keep: %s", diff)
			}
		})
	}
}

func TestWhetherTheFilesOfAManifestCanBeCopied(t *testing.T) {
	for name, c := range map[string]struct{ manifest, want string }{
		"without claims": {`[{kind: Deployment, metadata: {name: web}}]`, ""},
		"a claim and its user": {`[{kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], volumeMode: Filesystem}},
			{kind: Pod, metadata: {name: p}, spec: {volumes: [{persistentVolumeClaim: {claimName: data}}]}}]`, ""},
		"templates, of which one is also used by a job": {`[{kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: {name: data}}]}},
			{kind: Job, metadata: {name: j}, spec: {template: {spec: {volumes: [{persistentVolumeClaim: {claimName: data-db-12}}]}}}}]`, ""},
		"a device":                {`[{kind: PersistentVolumeClaim, metadata: {name: data}, spec: {volumeMode: Block}}]`, "the claim data is for a device without files (volumeMode: Block)"},
		"read only":               {`[{kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadOnlyMany]}}]`, "the claim data can only be read (ReadOnlyMany)"},
		"read only by some":       {`[{kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadOnlyMany, ReadWriteOnce]}}]`, ""},
		"a template of devices":   {`[{kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {volumeMode: Block}}]}}]`, "the template d of the StatefulSet db is for a device without files (volumeMode: Block)"},
		"claims that do not last": {`[{kind: StatefulSet, metadata: {name: db}, spec: {persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}, volumeClaimTemplates: [{metadata: {name: d}}]}}]`, "the StatefulSet db has its claims removed when it is stopped (persistentVolumeClaimRetentionPolicy)"},
		"somebody else's":         {`[{kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: {spec: {volumes: [{persistentVolumeClaim: {claimName: theirs}}]}}}}}}]`, "the claim theirs is used and is not in the manifest"},
		"no number of a pod":      {`[{kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: [{metadata: {name: d}}], template: {spec: {volumes: [{persistentVolumeClaim: {claimName: d-db-01}}]}}}}]`, "the claim d-db-01 is used and is not in the manifest"},
		"nonsense":                {`[{kind: PersistentVolumeClaim, metadata: 7, spec: {accessModes: {a: b}, volumeMode: [x]}}, {kind: StatefulSet, spec: 7}]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var m api.Manifest
			if err := yaml.Unmarshal([]byte(c.manifest), &m); err != nil {
				t.Fatal(err)
			}
			if got := m.Uncopyable(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got := m.ForDecisions().Uncopyable(); got != c.want {
				t.Errorf("of what caches keep: %q, want %q", got, c.want)
			}
		})
	}
}
