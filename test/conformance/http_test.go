package conformance

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/apiserver"
)

func TestFixedAnswers(t *testing.T) {
	s := start(t, func(o *apiserver.Options) { o.User = "alice" })
	same(t, "/me", document{"user": "alice", "roles": []string{}}, s.ask(t, "GET", "/me", nil).want(t, 200).document(t))
	if got := string(s.ask(t, "GET", "/release", nil).want(t, 202).body); got != `"You released the Krake."` {
		t.Errorf("/release answered %s", got)
	}
	for _, path := range []string{"/", "/me", apps, "/kubernetes/applications"} {
		if got, want := s.ask(t, "GET", path, nil).want(t, 200).header.Get("Content-Type"), "application/json; charset=utf-8"; got != want {
			t.Errorf("%s is of type %q, want %q", path, got, want)
		}
	}
}

func TestEveryKrakeHasANameOfItsOwn(t *testing.T) {
	one, other := start(t), start(t)
	name := func(s *server) string {
		return s.ask(t, "GET", "/installation", nil).want(t, 200).document(t).text("installation")
	}
	var asking errgroup.Group
	answers := make([]answer, 8)
	for i := range answers {
		asking.Go(func() (err error) {
			answers[i], err = one.send("GET", "/installation", nil)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if got := a.want(t, 200).document(t).text("installation"); len(got) != 36 || got != name(one) {
			t.Errorf("it is called %s and %s", got, name(one))
		}
	}
	if name(one) == name(other) {
		t.Errorf("two are called %s", name(one))
	}
}

func TestPathsAreTakenLiterally(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("forecast")).want(t, 200)
	for _, path := range []string{
		"/nope", "/kubernetes", "/kubernetes/", "/kubernetes/nothing", "/core/applications", "//", "/me/", "//me", "/./me", "/x/../me",
		apps + "/", apps + "/forecast/", apps + "//forecast", "/" + apps, apps + "/forecast/nothing", apps + "/forecast/status/x",
		"/kubernetes//solar/applications", "/kubernetes/namespaces/solar", "/kubernetes/namespaces//applications",
		"/kubernetes/namespaces/solar/namespaces/solar/applications", "/kubernetes/applications/forecast", "/kubernetes/./applications",
		"/kubernetes/x/../applications", "/KUBERNETES/applications", apps + "/forecast/Status", apps + "/../applications",
	} {
		s.ask(t, "GET", path, nil).problem(t, 404, "", "404: Not Found")
		s.ask(t, "POST", path, "{}").problem(t, 404, "", "404: Not Found")
	}
	for _, path := range []string{apps + "/a%2Fb", apps + "/..%2Fforecast", apps + "/a%20b", apps + "/%2E", apps + "/-"} {
		if got := s.ask(t, "GET", path, nil).want(t, 404); !strings.Contains(string(got.body), api.TitleNotFound) {
			t.Errorf("%s answered %s", path, got.body)
		}
		s.ask(t, "DELETE", path, nil).want(t, 404)
		s.ask(t, "PUT", path+"/binding", `{"cluster":`+edge+`}`).want(t, 404)
	}
	s.ask(t, "GET", "/kubernetes/namespaces/sol%61r/applications/forec%61st", nil).want(t, 200)
}

func TestMethodsThatAPathDoesNotHave(t *testing.T) {
	s := start(t)
	for path, allow := range map[string]string{
		"/":                        "GET,HEAD,OPTIONS",
		"/me":                      "GET,HEAD,OPTIONS",
		apps:                       "GET,HEAD,OPTIONS,POST",
		"/kubernetes/applications": "GET,HEAD,OPTIONS",
		apps + "/x":                "DELETE,GET,HEAD,OPTIONS,PATCH,PUT",
		apps + "/x/status":         "OPTIONS,PATCH,PUT",
		apps + "/x/binding":        "OPTIONS,PUT",
		apps + "/x/inventory":      "GET,HEAD,OPTIONS,PUT",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"} {
			if strings.Contains(","+allow+",", ","+method+",") {
				continue
			}
			got := s.ask(t, method, path, "{}")
			got.problem(t, 405, "", "405: Method Not Allowed")
			if got.header.Get("Allow") != allow {
				t.Errorf("%s %s allows %s, want %s", method, path, got.header.Get("Allow"), allow)
			}
		}
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("forecast")).want(t, 200)
	for _, path := range []string{"/", "/me", apps, apps + "/forecast", "/kubernetes/applications", apps + "/nothing", "/nope", apps + "/forecast/inventory"} {
		get, head := s.ask(t, "GET", path, nil), s.ask(t, "HEAD", path, nil)
		if head.status != get.status || len(head.body) != 0 {
			t.Errorf("%s: %d %q", path, head.status, head.body)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "ETag"} {
			if head.header.Get(name) != get.header.Get(name) {
				t.Errorf("%s: %s is %q, with GET %q", path, name, head.header.Get(name), get.header.Get(name))
			}
		}
	}
}

func TestBodiesThatAreNotJSON(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("forecast")).want(t, 200)
	for name, body := range map[string]string{
		"nothing": "", "blanks": "  ", "a word": "soon", "half a document": `{"metadata":`, "two documents": `{} {}`, "not UTF-8": "{\"a\":\"\xff\"}",
	} {
		for _, request := range [][2]string{{"POST", apps}, {"PUT", apps + "/forecast"}, {"PUT", apps + "/nothing"}, {"PUT", apps + "/nothing/status"},
			{"PUT", apps + "/forecast/binding"}, {"PATCH", apps + "/forecast"}, {"PATCH", apps + "/forecast/status"}} {
			t.Run(name+" "+request[0], func(t *testing.T) {
				s.ask(t, request[0], request[1], body).problem(t, 415, "", "415: Unsupported Media Type")
			})
		}
	}
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/yaml", "application/json; charset=utf-8"} {
		s.ask(t, "POST", apps, app("x"), "Content-Type", contentType).want(t, 200)
		s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200)
	}
	for _, body := range []string{"null", "[]", "5", `"x"`} {
		s.ask(t, "POST", apps, body).problem(t, 422, "", `{'_schema': ['Invalid input type.']}`)
	}
}

func TestBodiesThatAreNestedTooDeep(t *testing.T) {
	s := start(t)
	manifest := func(levels int) string { // of the whole document
		inner := levels - 4
		return strings.Replace(app("deep"), `"data":{"tilt":"30"}`, `"data":`+strings.Repeat("[", inner)+strings.Repeat("]", inner), 1)
	}
	for _, levels := range []int{301, 1000, 9_999, 20_000} {
		s.ask(t, "POST", apps, manifest(levels)).problem(t, 422, "", "{'_schema': ['Nested deeper than 300 levels.']}")
	}
	created := s.ask(t, "POST", apps, manifest(300)).want(t, 200)
	s.ask(t, "PATCH", apps+"/deep", `{"metadata":{"labels":{"a":"b"}}}`).want(t, 200)
	s.ask(t, "PUT", apps+"/deep", manifest(301)).want(t, 422)
	s.ask(t, "PATCH", apps+"/deep", manifest(301)).want(t, 422)
	s.ask(t, "PUT", apps+"/deep", string(created.body)).want(t, 200)
	if got := len(s.ask(t, "GET", apps, nil).want(t, 200).document(t)["items"].([]any)); got != 1 {
		t.Errorf("%d are listed", got)
	}
}

// Python's JSON has numbers that no other's has. They are read, and refused where they stand.
func TestNumbersThatAreNone(t *testing.T) {
	s := start(t)
	const special = "['Special numeric values (nan or infinity) are not permitted.']"
	for _, number := range []string{"NaN", "Infinity", "-Infinity", "1e999"} {
		s.ask(t, "POST", "/core/globalmetricsproviders", `{"metadata":{"name":"x"},"spec":{"type":"static","static":{"metrics":{"a":`+number+`}}}}`).
			problem(t, 422, "", "{'spec': {'metrics': {'a': {'value': "+special+"}}}}")
		s.ask(t, "POST", apps, strings.Replace(app("x"), `"30"`, number, 1)).
			problem(t, 422, "", "{'spec': {'manifest': {0: "+special+"}}}")
		s.ask(t, "POST", apps, strings.Replace(app("x"), `"constraints"`, `"backoff":`+number+`,"constraints"`, 1)).
			problem(t, 422, "", "{'spec': {'backoff': ['Not a valid integer.']}}")
	}
	s.ask(t, "POST", apps, `{"unknown":NaN,`+app("x")[1:]).want(t, 200)
	s.store(t, "/kubernetes/applications/solar/x", func(d document) document { return d.with("spec.manifest", "MANIFEST") })
	record, err := s.data.Get(t.Context(), "/kubernetes/applications/solar/x")
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "/kubernetes/applications/solar/x", strings.Replace(string(record.Value), `"MANIFEST"`, strings.Replace(cm, `"30"`, "NaN", 1), 1))
	if got := s.ask(t, "GET", apps, nil).want(t, 200); !strings.Contains(string(got.body), `"tilt":1e999`) {
		t.Errorf("a stored one is served as %s", got.body)
	}
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"labels":{"a":"b"}}}`).want(t, 200)
}

func TestBodiesInOtherCharsets(t *testing.T) {
	s := start(t)
	post := func(name, text, contentType string) answer {
		return s.ask(t, "POST", apps, strings.Replace(app(name), `"30"`, `"`+text+`"`, 1), "Content-Type", contentType)
	}
	for name, contentType := range map[string]string{
		"a": "application/json; charset=latin-1", "b": "text/plain;charset=ISO-8859-1", "c": `x/y; charset="Latin1"`, "d": "application/json; charset=iso8859_1",
	} {
		got := post(name, "\xe9", contentType).want(t, 200)
		if !strings.Contains(string(got.body), `"é"`) {
			t.Errorf("%s: %s", contentType, got.body)
		}
	}
	for name, contentType := range map[string]string{
		"e": "application/json; charset=utf-8", "f": "application/json; charset=UTF8", "g": "charset=latin-1", "h": "application/json; charset",
	} {
		if got := post(name, "é", contentType).want(t, 200); !strings.Contains(string(got.body), `"é"`) {
			t.Errorf("%s: %s", contentType, got.body)
		}
	}
	post("i", "é", "application/json; charset=klingon").
		problem(t, 415, "", `415: Unsupported Media Type: the charset "klingon" is not known here, send UTF-8`)
}

func TestTheNamesOfAKindAreStatedRightOrNotAtAll(t *testing.T) { // section 2.1
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	for _, name := range []string{"", "core", "Kubernetes"} {
		const want = "{'api': ['Must be equal to kubernetes.']}"
		s.ask(t, "POST", apps, parse(t, []byte(app("y"))).with("api", name)).problem(t, 422, "", want)
		s.ask(t, "PUT", apps+"/x", created.with("api", name)).problem(t, 422, "", want)
		s.ask(t, "PUT", apps+"/x/binding", document{"api": name, "cluster": tree(edge)}).problem(t, 422, "", want)
		s.ask(t, "PUT", apps+"/x/complete", document{"api": name}).problem(t, 422, "", want)
		s.ask(t, "PUT", apps+"/x/shutdown", document{"api": name}).problem(t, 422, "", want)
	}
	s.ask(t, "PATCH", apps+"/x", `{"kind":""}`).problem(t, 422, "", "{'kind': ['Must be equal to Application.']}")
	s.ask(t, "POST", apps, parse(t, []byte(app("y"))).with("kind", 5)).problem(t, 422, "", "{'kind': ['Not a valid string.']}")
	s.ask(t, "PUT", apps+"/x", created.without("api").without("kind").with("spec.backoff", 2)).want(t, 200)
}

// padded gives a body of exactly so many bytes.
func padded(name string, size int) string {
	body := app(name)
	return body[:len(body)-1] + `,"x":"` + strings.Repeat("a", size-len(body)-len(`,"x":""`)) + `"}`
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, padded("exact", 1<<20)).want(t, 200)
	s.ask(t, "POST", apps, padded("large", 1048632)).problem(t, 413, "", "Maximum request body size 1048576 exceeded, actual body size 1048632")
	s.ask(t, "POST", apps, padded("large", 1<<20+1)).problem(t, 413, "", "Maximum request body size 1048576 exceeded, actual body size 1048577")

	unknown := struct{ io.Reader }{strings.NewReader(padded("large", 2<<20))} // of a length that is not announced
	req, err := http.NewRequest("POST", s.url+apps, unknown)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("answered %d", resp.StatusCode)
	}

	// What was created must be writable again, though it is longer then.
	got := s.ask(t, "GET", apps+"/exact", nil).document(t).with("metadata.labels", document{"a": "b"})
	got["y"] = strings.Repeat("a", 2<<20)
	s.ask(t, "PUT", apps+"/exact", got).want(t, 200)
	got["y"] = strings.Repeat("a", 8<<20)
	s.ask(t, "PUT", apps+"/exact", got).want(t, 413)
}

func TestBodiesMayBeCompressed(t *testing.T) {
	s := start(t)
	squeeze := func(text, how string) []byte {
		var b bytes.Buffer
		var w io.WriteCloser = zlib.NewWriter(&b)
		if how == "gzip" {
			w = gzip.NewWriter(&b)
		}
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.Bytes()
	}
	for _, how := range []string{"gzip", "deflate"} {
		t.Run(how, func(t *testing.T) {
			s.ask(t, "POST", apps, squeeze(app(how), how), "Content-Encoding", how).want(t, 200)
			s.ask(t, "GET", apps+"/"+how, nil).want(t, 200)
			s.ask(t, "POST", apps, squeeze(padded("bomb", 2<<20), how), "Content-Encoding", how).want(t, 413)
			s.ask(t, "POST", apps, app("plain"), "Content-Encoding", how).want(t, 415)
			cut := squeeze(app("cut"), how)
			if got := s.ask(t, "POST", apps, cut[:len(cut)/2], "Content-Encoding", how); got.status < 400 || got.status >= 500 {
				t.Errorf("half a body was answered with %d %s", got.status, got.body)
			}
		})
	}
	if got := s.ask(t, "GET", apps, nil, "Accept-Encoding", "gzip, deflate").header.Get("Content-Encoding"); got != "" {
		t.Errorf("the answer is compressed with %s", got)
	}
}

func TestNamespacesThatAreNoNames(t *testing.T) {
	s := start(t)
	for _, namespace := range []string{"-bad", "a%2Fb", "a%20b", "%2E%2E", "bad-", "%C3%A9", strings.Repeat("a", 256)} {
		base := "/kubernetes/namespaces/" + namespace + "/applications"
		s.ask(t, "POST", base, app("x")).problem(t, 422, "", `{'metadata': {'namespace': ['Invalid character in resource namespace.']}}`)
		for _, method := range []string{"GET", "DELETE"} {
			if got := s.ask(t, method, base+"/x", nil).want(t, 404); !strings.Contains(string(got.body), api.TitleNotFound) {
				t.Errorf("%s in %s answered %s", method, namespace, got.body)
			}
		}
		same(t, "items in "+namespace, []any{}, s.ask(t, "GET", base, nil).want(t, 200).document(t)["items"])
	}
	same(t, "items", []any{}, s.ask(t, "GET", "/kubernetes/applications", nil).want(t, 200).document(t)["items"])
	same(t, "items of a namespace that nobody used", []any{}, s.ask(t, "GET", "/kubernetes/namespaces/empty/applications", nil).want(t, 200).document(t)["items"])
}

func TestTheNamespaceOfTheURLRules(t *testing.T) { // vector 8
	s := start(t)
	body := parse(t, []byte(app("x"))).with("metadata.namespace", "wind").with("metadata.uid", "mine").with("metadata.created", "never")
	got := s.ask(t, "POST", apps, body).want(t, 200).document(t)
	if got.text("metadata.namespace") != "solar" || got.text("metadata.uid") == "mine" || got.text("metadata.created") == "never" {
		t.Errorf("%v", got["metadata"])
	}
	s.ask(t, "POST", apps, app("x")).problem(t, 409, api.TitleAlreadyExists, "Application 'x' already exists in namespace 'solar'")
	s.ask(t, "POST", "/kubernetes/namespaces/wind/applications", app("x")).want(t, 200)
	s.ask(t, "POST", "/kubernetes/applications", app("x")).want(t, 405)
	s.ask(t, "POST", apps, app("two words")).problem(t, 422, "", `{'metadata': {'name': ['Invalid character in resource name.']}}`) // vector 11
}

func TestGlobalObjectsHaveNoNamespace(t *testing.T) { // section 10, S-20
	s := start(t)
	const providers = "/core/globalmetricsproviders"
	got := s.ask(t, "POST", providers, `{"metadata":{"name":"x","namespace":"solar"},"spec":{"type":"static","static":{"metrics":{}}}}`).want(t, 200).document(t)
	if got.at("metadata.namespace") != nil {
		t.Errorf("%v", got["metadata"])
	}
	s.ask(t, "GET", providers+"/y", nil).problem(t, 404, api.TitleNotFound, "'GlobalMetricsProvider' 'y' does not exist in namespace None")
	s.ask(t, "PUT", providers+"/x", got.with("metadata.namespace", "solar")).problem(t, 400, api.TitleUpdate, "Trying to update an immutable field: namespace")
	for _, path := range []string{"/core/namespaces/solar/globalmetricsproviders", "/core/namespaces/solar/globalmetricsproviders/x"} {
		s.ask(t, "GET", path, nil).problem(t, 404, "", "404: Not Found")
	}
	if got := s.ask(t, "DELETE", providers+"/x?force=True", nil).want(t, 200).document(t); got.text("metadata.deleted") == "" {
		t.Errorf("%v", got["metadata"])
	}
	s.ask(t, "GET", providers+"/x", nil).want(t, 200) // this kind knows no force
}

func TestListsCoverTheirNamespaceOrAll(t *testing.T) {
	s := start(t)
	for _, namespace := range []string{"team", "team2", "team.a", "tea"} {
		s.ask(t, "POST", "/kubernetes/namespaces/"+namespace+"/applications", app("x")).want(t, 200)
	}
	count := func(path string) int {
		return len(s.ask(t, "GET", path, nil).want(t, 200).document(t)["items"].([]any))
	}
	if got := count("/kubernetes/namespaces/team/applications"); got != 1 {
		t.Errorf("%d in one namespace", got)
	}
	if got := count("/kubernetes/applications"); got != 4 {
		t.Errorf("%d in all namespaces", got)
	}
	same(t, "clusters", []any{}, s.ask(t, "GET", "/kubernetes/clusters", nil).want(t, 200).document(t)["items"])
}

func TestTheHeartbeatOfAListIsCheckedThoughItHasNone(t *testing.T) { // vector 35
	s := start(t)
	for value, message := range map[string]string{
		"soon": "Not a valid integer.", "": "Not a valid integer.", "1.5": "Not a valid integer.", "1e3": "Not a valid integer.",
		"-1": "Must be greater than or equal to 0.", "-99999999999999999999": "Must be greater than or equal to 0.",
	} {
		for _, path := range []string{apps + "?heartbeat=", apps + "?watch&heartbeat=", "/kubernetes/applications?heartbeat="} {
			s.ask(t, "GET", path+value, nil).problem(t, 422, "", fmt.Sprintf(`{"query": {"heartbeat": [%q]}}`, message))
		}
	}
	for _, query := range []string{"?heartbeat=0", "?heartbeat=5", "?heartbeat=%2060%20", "?limit=5&labelSelector=x&zzz", "?watchx"} {
		s.ask(t, "GET", apps+query, nil).want(t, 200)
	}
}

func TestRedirectsAreNeverSent(t *testing.T) {
	s := start(t)
	for _, path := range []string{"//core", "/kubernetes/..", "/kubernetes/namespaces/../..", "/index.html", "/%2F", apps + "/%2e%2e"} {
		if got := s.ask(t, "GET", path, nil); got.status != 404 || got.header.Get("Location") != "" {
			t.Errorf("%s answered %d to %q", path, got.status, got.header.Get("Location"))
		}
	}
}
