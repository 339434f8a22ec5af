package fleet

import (
	"slices"
	"strings"
	"testing"
)

func TestDriftNamesWhatOthersChanged(t *testing.T) {
	template := func(live map[string]any) map[string]any { return mapAt(live, "spec", "template", "spec") }
	container := func(live map[string]any) map[string]any { return listAt(template(live), "containers")[0] }
	for name, c := range map[string]struct {
		change func(live map[string]any)
		lost   []string
	}{
		"nothing": {func(map[string]any) {}, nil},
		"a number": {
			func(live map[string]any) { mapAt(live, "spec")["replicas"] = int64(3) }, []string{"spec.replicas"},
		},
		"a field of a container": {
			func(live map[string]any) { container(live)["image"] = "web:2" },
			[]string{"spec.template.spec.containers[0].image"},
		},
		"a quantity spelled otherwise": {
			func(live map[string]any) { mapAt(container(live), "resources", "requests")["cpu"] = "1" }, nil,
		},
		"another quantity": {
			func(live map[string]any) { mapAt(container(live), "resources", "requests")["cpu"] = "2" },
			[]string{"spec.template.spec.containers[0].resources.requests.cpu"},
		},
		"a variable taken out of its list": {
			func(live map[string]any) { delete(container(live), "env") },
			[]string{"spec.template.spec.containers[0].env"},
		},
		"a variable replaced by another": {
			func(live map[string]any) {
				container(live)["env"] = []any{map[string]any{"name": "OTHER", "value": "x"}}
			},
			[]string{"spec.template.spec.containers[0].env"},
		},
		"a port with a key that we left to the default": {
			func(live map[string]any) { listAt(container(live), "ports")[0]["protocol"] = "UDP" },
			[]string{"spec.template.spec.containers[0].ports"},
		},
		"our mark": {
			func(live map[string]any) { delete(mapAt(live, "metadata", "labels"), AppUIDLabel) },
			[]string{"metadata.labels"},
		},
		"something that we never set": {
			func(live map[string]any) {
				mapAt(live, "spec")["paused"] = true
				mapAt(live, "metadata", "labels")["theirs"] = "x"
				template(live)["priority"] = int64(0)
				container(live)["env"] = append(container(live)["env"].([]any), map[string]any{"name": "MORE", "value": "x"})
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			o := b.resolve(b.owner, deployment)[0]
			a := b.apply(o)
			o.Entry = a.Entry
			if lost := Drift(&o, a.Live); len(lost) > 0 {
				t.Fatalf("at first: %v", lost)
			}
			b.stranger(a.Entry, c.change)
			if lost := Drift(&o, b.live(a.Entry)); !slices.EqualFunc(lost, c.lost, strings.HasPrefix) {
				t.Errorf("lost %v, not %v", lost, c.lost)
			}
			if lost := Drift(&o, b.apply(o).Live); len(lost) > 0 {
				t.Errorf("after another apply: %v", lost)
			}
		})
	}
}

func TestScalingIsDrift(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, deployment)[0]
	a := b.apply(o)
	scale := object(t, "apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: web, namespace: "+b.space+"}\nspec: {replicas: 4}")
	_, err := b.observer.dynamic.Resource(o.resource).Namespace(b.space).Update(b.ctx, scale, updateAs("autoscaler"), "scale")
	if err != nil {
		t.Fatal(err)
	}
	if lost := Drift(&o, b.live(a.Entry)); !slices.Equal(lost, []string{"spec.replicas"}) {
		t.Errorf("lost %v", lost)
	}
}

func TestAnObjectThatWasNeverAppliedIsAllDrift(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	want := []string{"data.colour", "metadata.annotations." + InstallationAnnotation, "metadata.annotations." + NameAnnotation,
		"metadata.annotations." + NamespaceAnnotation, "metadata.labels." + AppUIDLabel}
	if lost := Drift(&o, o.form); !slices.Equal(lost, want) {
		t.Errorf("lost %v", lost)
	}
}

func TestManyKindsOfObjectsAreWithoutDriftOnceApplied(t *testing.T) {
	b := newBench(t)
	for _, o := range b.resolve(b.owner, `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: SPACE, finalizers: [example.org/a, example.org/b], labels: {a.b/c: "", "d": "1"}}
spec: {type: NodePort, selector: {app: web}, ports: [{name: w, port: 80, targetPort: http}, {name: x, port: 81}], sessionAffinity: None}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: SPACE}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: SPACE}
spec: {rules: [{host: a.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: SPACE}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: SPACE}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web, namespace: SPACE}
spec:
  schedule: "0 0 1 1 *"
  suspend: false
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          tolerations: [{key: a, operator: Exists}]
          priority: 0
          volumes: [{name: v, configMap: {name: settings, items: []}}]
          containers: [{name: c, image: i, command: [a, b], securityContext: {runAsNonRoot: false, capabilities: {drop: [ALL]}}, volumeMounts: [{name: v, mountPath: /v, readOnly: false}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: SPACE}
spec: {podSelector: {}, ingress: [{}], policyTypes: [Ingress]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: web, namespace: SPACE}
spec: {hard: {cpu: 1000, memory: 10240Gi, pods: "1e3", requests.cpu: 0.5}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bytes, namespace: SPACE, annotations: {note: ""}}
immutable: false
data: {empty: "", lines: "a\nb\n", when: "2030-01-01T01:00:00+01:00"}
binaryData: {raw: "YWFh\nYWFh\n"}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: SPACE}
spec: {minAvailable: 50%, selector: {matchExpressions: [{key: app, operator: In, values: [web, api]}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: SPACE}
spec:
  replicas: 0
  serviceName: ""
  selector: {matchLabels: {app: db}}
  updateStrategy: {rollingUpdate: {partition: 0}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      securityContext: {fsGroup: 0, sysctls: []}
      containers:
      - name: db
        image: db
        resources: {limits: {cpu: 0.1, memory: 128974848}}
        env: [{name: EMPTY, value: ""}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 10, initialDelaySeconds: 0}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0.5Gi}}}}]
`) {
		if lost := Drift(&o, b.apply(o).Live); len(lost) > 0 {
			t.Errorf("%s lost %v", o.Key(), lost)
		}
	}
}

func FuzzOwnedFields(f *testing.F) {
	f.Add([]byte(allOwned))
	f.Add([]byte(`{"f:data":{"k:{\"name\":1}":{},"v:7":{},".":{}},"f:metadata":[]}`))
	f.Fuzz(func(t *testing.T, owned []byte) {
		o := wanted(0, "a", "blue")
		o.form.Object["data"] = []any{int64(7), "x", map[string]any{"name": int64(1)}, nil, []any{}}
		for _, path := range Drift(&o, asApplied(o, string(owned))) {
			if path == "" {
				t.Fatal("a path without a name")
			}
		}
	})
}
