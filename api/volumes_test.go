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
