package closed

import (
	"strings"
	"testing"
)

const role = `{"api":"core","kind":"Role","metadata":{"name":"r","namespace":null,"labels":{},"inherit_labels":false,"finalizers":[],` +
	`"uid":"u","created":"2026-11-22T09:30:21.851661+00:00","modified":"2026-11-22T09:30:21+00:00","deleted":null,"owners":[]},` +
	`"rules":[{"api":"","resources":[""],"namespaces":[],"verbs":["get"]}]}`

func TestAnOldClientStumblesOver(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"nothing":                        {``, ``, ``},
		"no unknown key":                 {`"rules":[`, `"added":5,"rules":[`, ``},
		"a key that is missing":          {`"deleted":null,`, ``, `.metadata.deleted is missing`},
		"a null that is not expected":    {`"labels":{}`, `"labels":null`, `.metadata.labels: null is no object`},
		"a number for a text":            {`"uid":"u"`, `"uid":5`, `.metadata.uid: 5 is no string`},
		"a text for a boolean":           {`"inherit_labels":false`, `"inherit_labels":"no"`, `.metadata.inherit_labels: "no" is no boolean`},
		"a new member of an enum":        {`"get"`, `"patch"`, `.rules[0].verbs[0]: "patch" is no one of`},
		"another kind":                   {`"Role"`, `"Metric"`, `.kind: "Metric" is no one of [Role]`},
		"a time with nanoseconds":        {`21.851661+`, `21.851661123+`, `.metadata.created: "2026-11-22T09:30:21.851661123+00:00" is no time`},
		"a time with a Z":                {`21+00:00`, `21Z`, `.metadata.modified: "2026-11-22T09:30:21Z" is no time`},
		"a name that is none":            {`"name":"r"`, `"name":"a b"`, `.metadata.name: "a b" is no name`},
		"a label value that is none":     {`"labels":{}`, `"labels":{"a":""}`, `.metadata.labels[a]: "" is no label value`},
		"an object in a list":            {`"rules":[{`, `"rules":[5,{`, `.rules[0]: 5 is no object`},
		"a list that is an object":       {`"finalizers":[]`, `"finalizers":{}`, `.metadata.finalizers: {} is no list`},
		"two documents":                  {`}]}`, `}]}{}`, `more than one`},
		"something that is not a object": {role, `[]`, `: [] is no object`},
	} {
		t.Run(name, func(t *testing.T) {
			document := role
			if c.old != "" {
				document = strings.Replace(role, c.old, c.new, 1)
			}
			got := ""
			if err := Check("Role", []byte(document)); err != nil {
				got = err.Error()
			}
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnOldClientReadsListsEventsProblemsAndContainers(t *testing.T) {
	for name, c := range map[string]struct {
		kind, document string
		sound          bool
	}{
		"a list":                        {"RoleList", `{"api":"core","kind":"RoleList","metadata":{},"items":[` + role + `]}`, true},
		"a list of another kind":        {"RoleList", `{"api":"core","kind":"MetricList","metadata":{},"items":[]}`, false},
		"an event":                      {"RoleEvent", `{"type":"ADDED","object":` + role + `}`, true},
		"an event of a later type":      {"RoleEvent", `{"type":"BOOKMARK","object":` + role + `}`, false},
		"a problem":                     {"Problem", `{"type":"about:blank","status":404,"detail":"404: Not Found"}`, true},
		"a problem with a title":        {"Problem", `{"type":"x","title":"UPDATE_ERROR","status":400,"detail":""}`, true},
		"a problem with another title":  {"Problem", `{"type":"x","title":"GONE","status":410,"detail":""}`, false},
		"a problem whose title is null": {"Problem", `{"type":"x","title":null,"status":400,"detail":""}`, false},
		"a kind that never was":         {"Leftover", `{}`, false},
	} {
		if err := Check(c.kind, []byte(c.document)); (err == nil) != c.sound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if Known("Leftover") || !Known("Application") || !Known("ClusterList") {
		t.Error("what the reference had is not known")
	}
	provider := strings.Replace(strings.Replace(role, "Role", "GlobalMetricsProvider", 1), role[strings.Index(role, `"rules"`):], `"spec":{"type":"static","static":{"metrics":{"a":1.5}}}}`, 1)
	if err := Check("GlobalMetricsProvider", []byte(provider)); err != nil {
		t.Error(err)
	}
	for _, spec := range []string{`{"type":"carbon","carbon":{}}`, `{"type":"static"}`, `{"type":"static","static":{"metrics":{"a":"1"}}}`} {
		if err := Check("GlobalMetricsProvider", []byte(strings.Replace(provider, `{"type":"static","static":{"metrics":{"a":1.5}}}`, spec, 1))); err == nil {
			t.Errorf("%s passes", spec)
		}
	}
}

func TestStripLeavesWhatAnOldClientKnows(t *testing.T) {
	document := strings.NewReplacer(`"rules":[{`, `"added":1,"rules":[{"later":2,`, `"uid":"u"`, `"uid":"u","resource_version":"7"`).Replace(role)
	got, err := Strip("Role", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check("Role", got); err != nil {
		t.Error(err)
	}
	for _, gone := range []string{"added", "later", "resource_version"} {
		if strings.Contains(string(got), gone) {
			t.Errorf("%s is still in %s", gone, got)
		}
	}
}
