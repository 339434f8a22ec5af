package gc

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/client"
)

func TestF10AGlobalBindingGoesWithItsRole(t *testing.T) {
	w := newWorld(t)
	w.collect()
	role, binding := api.New[api.Role](), api.New[api.RoleBinding]()
	role.Metadata.Name, binding.Metadata.Name = "admin", "admins"
	binding.Metadata.Owners = []api.ResourceRef{api.RoleKind.Ref("", "admin")}
	roles, bindings := client.Of[api.Role](w.client), client.Of[api.RoleBinding](w.client)
	must(roles.Create(t.Context(), role))(w)
	must(bindings.Create(t.Context(), binding))(w)
	must(roles.Delete(t.Context(), "", "admin", plain))(w)
	w.until("both are gone", func() bool {
		_, of := roles.Get(t.Context(), "", "admin")
		_, to := bindings.Get(t.Context(), "", "admins")
		return client.NotFound(of) && client.NotFound(to)
	})
}

// Objects of all kinds, global and namespaced, with a status and without one, own each other in a line.
func TestEveryKindOwnsAndIsOwned(t *testing.T) {
	w := newWorld(t)
	w.collect()
	const login = `"auth":{"type":"password","password":{"user":{"username":"u","password":"p"},"project":{"name":"pr"}}}`
	line := []struct {
		kind *api.Kind
		body string
	}{
		{api.RoleKind, `"rules":[]`},
		{api.RoleBindingKind, `"users":[],"roles":[]`},
		{api.GlobalMetricKind, `"spec":{"allowed_values":[],"min":0,"max":1,"provider":{"name":"x","metric":"y"}}`},
		{api.MetricKind, `"spec":{"allowed_values":[],"min":0,"max":1,"provider":{"name":"x","metric":"y"}}`},
		{api.GlobalMetricsProviderKind, `"spec":{"type":"prometheus","prometheus":{"url":"x"}}`},
		{api.MetricsProviderKind, `"spec":{"type":"prometheus","prometheus":{"url":"x"}}`},
		{api.GlobalInfrastructureProviderKind, `"spec":{"type":"im","im":{"url":"x","token":"t"}}`},
		{api.InfrastructureProviderKind, `"spec":{"type":"im","im":{"url":"x","token":"t"}}`},
		{api.GlobalCloudKind, `"spec":{"type":"openstack","openstack":{"url":"x",` + login + `,"infrastructure_provider":{"name":"im"}}}`},
		{api.CloudKind, `"spec":{"type":"openstack","openstack":{"url":"x",` + login + `,"infrastructure_provider":{"name":"im"}}}`},
		{api.ProjectKind, `"spec":{"url":"x","template":"t","auth":{"type":"application_credential","application_credential":{"id":"i","secret":"s"}}}`},
		{api.MagnumClusterKind, `"spec":{}`},
		{api.ApplicationKind, `"spec":{"manifest":[],"csar":"a.csar","constraints":{"cluster":{}}}`},
	}
	owners := []api.ResourceRef{}
	for _, o := range line {
		doc, err := wire.Parse([]byte(`{"metadata":{"name":"x"},` + o.body + `}`))
		if err != nil {
			t.Fatal(err)
		}
		r := must(o.kind.Decode(doc, wire.Create))(w)
		m := api.Meta(r)
		m.Owners = owners
		if o.kind.Namespaced {
			m.Namespace = new(string)
			*m.Namespace = space
		}
		must(client.OfKind(w.client, o.kind).Create(t.Context(), r))(w)
		owners = []api.ResourceRef{o.kind.Ref(space, "x")}
	}
	w.cluster("last")
	w.own("last", owners...)

	must(client.OfKind(w.client, line[0].kind).Delete(t.Context(), "", "x", plain))(w)
	w.untilGone("last")
	for _, o := range line {
		namespace := ""
		if o.kind.Namespaced {
			namespace = space
		}
		w.until("the "+o.kind.Name+" is gone", func() bool {
			_, err := client.OfKind(w.client, o.kind).Get(t.Context(), namespace, "x")
			return client.NotFound(err)
		})
	}
}
