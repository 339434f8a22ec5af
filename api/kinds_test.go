package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

const (
	metricBody = `"allowed_values":[2.7,"3"],"min":"0","max":900,"provider":{"name":"grid-feed","metric":"co2_fr"}`
	login      = `"auth":{"type":"password","password":{"user":{"username":"u","password":"p"},"project":{"name":"pr"}}}`
	cloudBody  = `"url":"http://ks",` + login + `,"infrastructure_provider":{"name":"im-1"`
	ids        = `"auth":{"type":"password","password":{"user":{"id":"u","password":"p"},"project":{"id":"pr"}}}`
)

// The rules of section 3, kind by kind. An empty text is an accepted body.
func TestBodiesOfEveryKindKeepItsRules(t *testing.T) {
	const missing = `['Missing data for required field.']`
	for name, c := range map[string]struct {
		kind       *api.Kind
		body, want string
	}{
		"a role of nothing":              {api.RoleKind, `"rules":[]`, ``},
		"a role without rules":           {api.RoleKind, ``, `{'rules': ` + missing + `}`},
		"a rule with all verbs":          {api.RoleKind, `"rules":[{"api":"","resources":[""],"namespaces":[],"verbs":["create","list","list_all","get","update","delete"]}]`, ``},
		"a verb that nobody knows":       {api.RoleKind, `"rules":[{"api":"core","resources":[],"namespaces":[],"verbs":["read"]}]`, `{'rules': {0: {'verbs': {0: ['Invalid enum member read']}}}}`},
		"an empty rule":                  {api.RoleKind, `"rules":[{}]`, `{'rules': {0: {'api': ` + missing + `, 'resources': ` + missing + `, 'namespaces': ` + missing + `, 'verbs': ` + missing + `}}}`},
		"a binding of nobody":            {api.RoleBindingKind, `"users":[],"roles":[]`, ``},
		"a binding of null":              {api.RoleBindingKind, `"users":[null],"roles":null`, `{'users': {0: ['Field may not be null.']}, 'roles': ['Field may not be null.']}`},
		"a metric":                       {api.MetricKind, `"spec":{` + metricBody + `}`, ``},
		"a metric without anything":      {api.GlobalMetricKind, `"spec":{}`, `{'spec': {'allowed_values': ` + missing + `, 'min': ` + missing + `, 'max': ` + missing + `, 'provider': ` + missing + `}}`},
		"a metric of one value":          {api.GlobalMetricKind, `"spec":{"allowed_values":[],"min":1,"max":1,"provider":{"name":"a","metric":"b"}}`, ``},
		"a metric that has no values":    {api.MetricKind, `"spec":{"allowed_values":[],"min":2,"max":1,"provider":{"name":"a","metric":"b"}}`, ``}, // as ever
		"a metric without a provider":    {api.MetricKind, `"spec":{"allowed_values":[],"min":1,"max":2,"provider":{}}`, `{'spec': {'provider': {'name': ` + missing + `, 'metric': ` + missing + `}}}`},
		"a provider of a namespace":      {api.MetricsProviderKind, `"spec":{"type":"static","static":{"metrics":{"a":1}}}`, ``},
		"a login by token":               {api.InfrastructureProviderKind, `"spec":{"type":"im","im":{"url":"x","token":""}}`, ``},
		"a login by password":            {api.GlobalInfrastructureProviderKind, `"spec":{"type":"im","im":{"url":"","username":"","password":""}}`, ``},
		"a login without a password":     {api.GlobalInfrastructureProviderKind, `"spec":{"type":"im","im":{"url":"x","username":"u"}}`, `{'spec': {'_schema': ['At least one authentication should be defined in the IM infrastructure provider spec.']}}`},
		"a login without a url":          {api.InfrastructureProviderKind, `"spec":{"type":"im","im":{}}`, `{'spec': {'url': ` + missing + `}}`},
		"a cloud":                        {api.CloudKind, `"spec":{"type":"openstack","openstack":{` + cloudBody + `,"namespaced":true},"metrics":[{"name":"m","weight":1,"namespaced":true}]}}`, ``},
		"a global cloud":                 {api.GlobalCloudKind, `"spec":{"type":"openstack","openstack":{` + cloudBody + `},"metrics":[{"name":"m","weight":1}]}}`, ``},
		"a global cloud, metric of one":  {api.GlobalCloudKind, `"spec":{"type":"openstack","openstack":{` + cloudBody + `},"metrics":[{"name":"m","weight":1},{"name":"n","weight":1,"namespaced":true}]}}`, `{'_schema': ['A non-namespaced global cloud resource cannot reference the namespaced metric resource.']}`},
		"a global cloud, all of one":     {api.GlobalCloudKind, `"spec":{"type":"openstack","openstack":{` + cloudBody + `,"namespaced":true},"metrics":[{"name":"m","weight":1,"namespaced":true}]}}`, `{'_schema': ['A non-namespaced global cloud resource cannot reference the namespaced infrastructure provider resource.']}`},
		"a cloud without a login":        {api.CloudKind, `"spec":{"type":"openstack","openstack":{"url":"x","auth":{"type":"password"},"infrastructure_provider":{}}}`, `{'spec': {'auth': {'password': ['Field is required']}, 'infrastructure_provider': {'name': ` + missing + `}}}`},
		"a login of another sort":        {api.CloudKind, `"spec":{"type":"openstack","openstack":{"url":"x","auth":{"type":"token"},"infrastructure_provider":{"name":"a"}}}`, `{'spec': {'auth': {'type': ["Unknown type 'token'"]}}}`},
		"a login without a user":         {api.CloudKind, `"spec":{"type":"openstack","openstack":{"url":"x","auth":{"type":"password","password":{"version":3}},"infrastructure_provider":{"name":"a"}}}`, `{'spec': {'auth': {'version': ['Not a valid string.'], 'user': ` + missing + `, 'project': ` + missing + `}}}`},
		"a project by password":          {api.ProjectKind, `"spec":{"url":"x","template":"t",` + ids + `}`, ``},
		"a project by credential":        {api.ProjectKind, `"spec":{"url":"x","template":"t","auth":{"type":"application_credential","application_credential":{"id":"i","secret":"s"}}}`, ``},
		"a project without its secret":   {api.ProjectKind, `"spec":{"url":"x","template":"t","auth":{"type":"application_credential","application_credential":{"id":"i"}}}`, `{'spec': {'auth': {'secret': ` + missing + `}}}`},
		"a project without anything":     {api.ProjectKind, `"spec":{}`, `{'spec': {'url': ` + missing + `, 'auth': ` + missing + `, 'template': ` + missing + `}}`},
		"a Magnum cluster":               {api.MagnumClusterKind, `"spec":{}`, ``},
		"a Magnum cluster of null":       {api.MagnumClusterKind, `"spec":{"master_count":null,"node_count":null,"constraints":{"project":{"labels":null}}}`, ``},
		"a Magnum cluster somewhere":     {api.MagnumClusterKind, `"spec":{"constraints":{"project":{"labels":["a is b","x"]}}}`, `{'spec': {'constraints': {'project': {'labels': {1: ['Invalid label constraint']}}}}}`},
		"a Magnum cluster, metrics null": {api.MagnumClusterKind, `"spec":{"metrics":null,"constraints":null}`, `{'spec': {'metrics': ['Field may not be null.']}}`},
		"a rule for objects":             {api.GlobalObjectRuleKind, `"spec":{"group":"db.example.org","kind":"Database","ready":"x"}`, ``},
		"a rule for one version":         {api.GlobalObjectRuleKind, `"spec":{"group":"example.org","version":"v1beta1","kind":"D","addresses":{"a-1":"x"}}`, ``},
		"a rule without anything":        {api.GlobalObjectRuleKind, `"spec":{}`, `{'spec': {'group': ` + missing + `, 'kind': ` + missing + `}}`},
		"a rule that asks nothing":       {api.GlobalObjectRuleKind, `"spec":{"group":"example.org","kind":"D"}`, `{'spec': {'_schema': ['At least one of ready, failed, completed, message, addresses and pods must have an expression.']}}`},
		"a rule for Kubernetes' own":     {api.GlobalObjectRuleKind, `"spec":{"group":"apps","kind":"Deployment","ready":"x"}`, `{'spec': {'group': ['Must be the group of a custom resource, such as example.org.']}}`},
		"a rule for a group as written":  {api.GlobalObjectRuleKind, `"spec":{"group":"example.org/v1","kind":"databases","version":"V1","ready":"x"}`, `{'spec': {'group': ['Must be the group of a custom resource, such as example.org.'], 'kind': ['Must be the kind of a custom resource, such as Database.'], 'version': ['Must be a version, such as v1, or empty for all of them.']}}`},
		"a rule with an address of dots": {api.GlobalObjectRuleKind, `"spec":{"group":"example.org","kind":"D","addresses":{"a.b":"x"}}`, `{'spec': {'addresses': {'a.b': {'key': ['Must have up to 63 lower-case letters, digits and -.']}}}}`},
		"a rule with half a test":        {api.GlobalObjectRuleKind, `"spec":{"group":"example.org","kind":"D","ready":"x","tests":[{}]}`, `{'spec': {'tests': {0: {'object': ` + missing + `, 'expect': ` + missing + `}}}}`},
		"a status, which is not read":    {api.MagnumClusterKind, `"spec":{},"status":5`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"metadata":{"name":"a"}`
			if c.body != "" {
				body += "," + c.body
			}
			if got := refusal(t, c.kind, body+"}"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The defaults of section 3, as documents, so that nothing is left out and nothing else is there.
func TestDefaultsOfEveryKind(t *testing.T) {
	for name, c := range map[string]struct {
		kind             *api.Kind
		spec, want, stat string
	}{
		"GlobalMetric": {api.GlobalMetricKind, `{` + metricBody + `}`,
			`{"allowed_values":[2,3],"min":0,"max":900,"provider":{"name":"grid-feed","metric":"co2_fr"},"direction":"higher","out_of_range":"reject"}`, ``},
		"InfrastructureProvider": {api.InfrastructureProviderKind, `{"type":"im","im":{"url":"x","token":"t"},"x":1}`,
			`{"type":"im","im":{"url":"x","username":null,"password":null,"token":"t"}}`, ``},
		"Cloud": {api.CloudKind, `{"type":"openstack","openstack":{` + cloudBody + `}}}`,
			`{"type":"openstack","openstack":{"url":"http://ks","auth":{"type":"password","password":{"version":"3","user":{"username":"u","password":"p","domain_name":"Default","comment":null},"project":{"name":"pr","domain_id":"default","comment":null}}},"metrics":[],"infrastructure_provider":{"name":"im-1","namespaced":false}}}`,
			`{"state":"ONLINE","metrics_reasons":{},"conditions":[]}`},
		"Project": {api.ProjectKind, `{"url":"x","template":"t",` + ids + `}`,
			`{"url":"x","auth":{"type":"password","password":{"user":{"id":"u","password":"p","comment":null},"project":{"id":"pr","comment":null}}},"template":"t","metrics":[]}`,
			`{"state":"ONLINE","metrics_reasons":{},"conditions":[]}`},
		"GlobalObjectRule": {api.GlobalObjectRuleKind, `{"group":"example.org","kind":"D","ready":"x","tests":[{"object":{},"expect":{}}]}`,
			`{"group":"example.org","version":"","kind":"D","ready":"x","failed":"","completed":"","message":"","addresses":{},"pods":{"desired":"","running":"","completed":"","failed":""},"tests":[{"name":"","object":{},"expect":{"ready":null,"failed":null,"completed":null,"message":null,"addresses":null,"pods":null}}]}`, ``},
		"MagnumCluster": {api.MagnumClusterKind, `{}`,
			`{"master_count":null,"node_count":null,"metrics":[],"constraints":null}`,
			`{"reason":null,"state":"PENDING","project":null,"template":null,"cluster_id":null,"node_count":null,"api_address":null,"master_addresses":null,"node_addresses":null,"cluster":null,"conditions":[]}`},
		"MagnumCluster with constraints": {api.MagnumClusterKind, `{"constraints":{"project":{}}}`,
			`{"master_count":null,"node_count":null,"metrics":[],"constraints":{"project":{"labels":null}}}`, ``},
		"MagnumCluster with empty constraints": {api.MagnumClusterKind, `{"constraints":{}}`,
			`{"master_count":null,"node_count":null,"metrics":[],"constraints":{"project":null}}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := c.kind.Decode(parse(t, `{"metadata":{"name":"a"},"spec":`+c.spec+`}`), wire.Create)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, text(t, r)).(map[string]any)
			if diff := cmp.Diff(parse(t, c.want), got["spec"]); diff != "" {
				t.Error(diff)
			}
			if c.stat != "" {
				if diff := cmp.Diff(parse(t, c.stat), got["status"]); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestAMagnumClusterIsBoundToItsProject(t *testing.T) {
	c := api.New[api.MagnumCluster]()
	first, second := api.ProjectKind.Ref("solar", "one"), api.ProjectKind.Ref("solar", "two")
	bind := func(to api.ResourceRef, template string) {
		body := &api.MagnumClusterBinding{Project: to, Template: template}
		if err := api.MagnumClusterKind.Action("binding").Apply(c, body, *at(1), nil); err != nil {
			t.Fatal(err)
		}
	}
	bind(first, "t-1")
	bind(first, "t-1")
	if !api.SameRef(c.Status.Project, &first) || *c.Status.Template != "t-1" || cmp.Diff([]api.ResourceRef{first}, c.Metadata.Owners) != "" {
		t.Errorf("%+v %+v", c.Status, c.Metadata.Owners)
	}
	bind(second, "t-2")
	if !api.SameRef(c.Status.Project, &second) || *c.Status.Template != "t-2" || cmp.Diff([]api.ResourceRef{first, second}, c.Metadata.Owners) != "" {
		t.Errorf("%+v %+v", c.Status, c.Metadata.Owners)
	}
}

func TestTheStateOfCloudsAndProjectsFollowsFromTheirConditions(t *testing.T) {
	for name, c := range map[string]struct {
		was        api.MetricsState
		conditions api.Conditions
		want       api.MetricsState
	}{
		"the metrics have values":       {api.MetricsFailing, api.Conditions{condition(api.MetricsReadable, api.True, "")}, api.MetricsOnline},
		"the metrics cannot be read":    {api.MetricsOnline, api.Conditions{condition(api.MetricsReadable, api.False, "x")}, api.MetricsFailing},
		"nobody knows":                  {api.MetricsFailing, api.Conditions{condition(api.MetricsReadable, api.Unknown, "x")}, api.MetricsFailing},
		"another condition is reported": {api.MetricsFailing, api.Conditions{condition(api.Reachable, api.True, "x")}, api.MetricsFailing},
		"no condition has changed":      {api.MetricsFailing, nil, api.MetricsFailing},
	} {
		for _, k := range []*api.Kind{api.GlobalCloudKind, api.CloudKind, api.ProjectKind} {
			t.Run(name+" of a "+k.Name, func(t *testing.T) {
				before, after := k.New(), k.New()
				statusOf(before).State, statusOf(after).State = c.was, c.was
				statusOf(after).Conditions = c.conditions
				after.(api.Settler).Settle(before)
				if got := statusOf(after).State; got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				again := statusOf(after).State
				after.(api.Settler).Settle(after)
				if statusOf(after).State != again {
					t.Error("settled again, it is another one")
				}
			})
		}
	}
}

func statusOf(r api.Resource) *api.MetricsStatus {
	switch r := r.(type) {
	case *api.GlobalCloud:
		return &r.Status
	case *api.Cloud:
		return &r.Status
	default:
		return &r.(*api.Project).Status
	}
}

// The reference stored the namespace that was sent for a global object. Whoever reads it must not believe it.
func TestStoredGlobalObjectsHaveNoNamespace(t *testing.T) {
	for _, k := range api.Kinds {
		r, err := k.Decode(parse(t, `{"metadata":{"name":"a","namespace":"solar"}}`), wire.Stored)
		if err != nil {
			t.Fatal(err)
		}
		if got := api.Meta(r).NamespaceOrEmpty(); got != map[bool]string{true: "solar"}[k.Namespaced] {
			t.Errorf("a %s has the namespace %q", k.Name, got)
		}
	}
}
