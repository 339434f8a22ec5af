package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// fourKilobytes is an application as the server stores it: a few objects, applied and observed.
func fourKilobytes(b *testing.B) []byte {
	b.Helper()
	var objects []string
	for i := range 3 {
		objects = append(objects, fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web-%d","labels":{"app":"web","tier":"edge"}},`+
			`"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":`+
			`[{"name":"web","image":"registry/web:1.2.3","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{"limits":{"cpu":"500m","memory":"64Mi"}}}]}}}}`, i))
	}
	manifest := "[" + strings.Join(objects, ",") + "]"
	r, err := api.ApplicationKind.Decode(parse(b, `{"metadata":{"name":"web","namespace":"solar","labels":{"team":"pv"}},"spec":{"manifest":`+manifest+
		`,"constraints":{"cluster":{"labels":["region is not PL"],"metrics":["co2_fr < 100"]}}},"status":{"last_applied_manifest":`+manifest+`,"state":"RUNNING"}}`), wire.Stored)
	if err != nil {
		b.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func BenchmarkDecodeApplication(b *testing.B) {
	data := fourKilobytes(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := wire.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := api.ApplicationKind.Decode(doc, wire.Update); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEqualApplications(b *testing.B) {
	doc := fourKilobytes(b)
	one, err := api.ApplicationKind.Decode(parse(b, string(doc)), wire.Stored)
	if err != nil {
		b.Fatal(err)
	}
	other, err := api.ApplicationKind.Decode(parse(b, string(doc)), wire.Stored)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !wire.Equal(one, other) {
			b.Fatal("they differ")
		}
	}
}

func BenchmarkSettleApplication(b *testing.B) {
	a := stored()
	a.Status.ScheduledTo, a.Status.RunningOn = cluster("a"), cluster("a")
	before := *a
	a.Status.Conditions = api.Conditions{placed, applied, healthy}
	b.ReportAllocs()
	for b.Loop() {
		a.Settle(&before)
	}
}
