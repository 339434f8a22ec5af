package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli"
	"github.com/rak-n-rok/krake/internal/server"
)

// caller sends requests to a server.
type caller struct {
	*testing.T
	base string
}

// call returns the status and the body of the answer.
func (c caller) call(method, path, body string) (int, []byte) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, data
}

// must is a call that has to succeed.
func (c caller) must(method, path, body string) []byte {
	c.Helper()
	status, data := c.call(method, path, body)
	if status != http.StatusOK {
		c.Fatalf("%s %s: %d %s", method, path, status, data)
	}
	return data
}

const testing1 = "/kubernetes/namespaces/testing"

// cluster registers a cluster that is ONLINE, with the metric of its name.
func (c caller) cluster(name, location string) {
	c.Helper()
	c.must("POST", "/core/globalmetrics", `{"metadata":{"name":"heat-`+name+`"},"spec":{"min":0,"max":10,"allowed_values":[],"provider":{"name":"values","metric":"`+name+`"}}}`)
	c.must("POST", testing1+"/clusters", `{"metadata":{"name":"`+name+`","labels":{"location":"`+location+`"}},"spec":{"constraints":{"cloud":{}},
		"metrics":[{"name":"heat-`+name+`","weight":1}],"kubeconfig":{"apiVersion":"v1","kind":"Config",
		"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
		"users":[{"name":"u","user":{"token":"x"}}],"current-context":"c"}}}`)
	c.must("PATCH", testing1+"/clusters/"+name+"/status", `{"status":{"state":"ONLINE"}}`)
}

// ask asks about placements.
func (c caller) ask(question string) api.PlacementExplanation {
	c.Helper()
	var out api.PlacementExplanation
	if err := json.Unmarshal(c.must("POST", testing1+"/placements", question), &out); err != nil {
		c.Fatal(err)
	}
	return out
}

// await waits until an answer is as it should be.
func (c caller) await(question string, good func(api.PlacementExplanation) bool) api.PlacementExplanation {
	c.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		out := c.ask(question)
		if good(out) {
			return out
		}
		if time.Now().After(deadline) {
			c.Fatalf("the answer to %s is still %+v", question, out)
		}
	}
}

func sentence(e api.PlacementExplanation, cluster string) string {
	for _, c := range e.Changes {
		if c.Cluster == cluster {
			return c.Sentence
		}
	}
	return ""
}

// warm is a server with two clusters, a at 5 and b at 7.
func warm(t *testing.T, components ...string) caller {
	t.Helper()
	port, _ := run(t, server.Config{Listen: "127.0.0.1:0", Components: components})
	c := caller{t, "http://127.0.0.1:" + port}
	c.must("POST", "/core/globalmetricsproviders", `{"metadata":{"name":"values"},"spec":{"type":"static","static":{"metrics":{"a":5,"b":7}}}}`)
	c.cluster("a", "DE")
	c.cluster("b", "FR")
	return c
}

const web = `{"metadata":{"name":"web"},"spec":{"manifest":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"web"}}],"constraints":{"cluster":{}}}}`

func read(e api.PlacementExplanation) bool { return e.Decision.Refused["metrics-unread"] == 0 }

func TestWhereAnApplicationWouldBePlaced(t *testing.T) {
	c := warm(t, "scheduler")
	plain := c.await(`{"application":`+web+`}`, read)
	if d := plain.Decision; d.Outcome != "placed" || d.Chosen != "b" || d.RunnerUp != "a" || d.Candidates[0].Terms[0].Value != 7 || d.Candidates[0].Terms[0].Read == nil {
		t.Errorf("the decision is %+v", d)
	}
	if got := sentence(plain, "a"); got != "It would go to a if the metric heat-a rose from 5 to 7.1." && got != "It would go to a if the metric heat-a rose from 5 to 7." {
		t.Errorf("a: %s", got)
	}
	if len(plain.Notes) != 0 {
		t.Errorf("the notes are %q", plain.Notes)
	}
	if alike := c.ask(`{"application":` + web + `,"metrics":{"heat-a":7}}`); !strings.Contains(strings.Join(alike.Notes, " "), "UID") {
		t.Errorf("the notes on equally good clusters are %q", alike.Notes)
	}
	before := c.must("GET", testing1+"/applications", "")
	for name, q := range map[string]struct{ question, chosen, about, says string }{
		"another value":               {`{"application":` + web + `,"metrics":{"heat-a":9}}`, "a", "", ""},
		"a value out of its range":    {`{"application":` + web + `,"metrics":{"heat-b":99}}`, "a", "b", "It would go to b if its metrics could be read"},
		"a cluster left out":          {`{"application":` + web + `,"clusters":{"b":null}}`, "a", "", ""},
		"a cluster that is offline":   {`{"application":` + web + `,"clusters":{"b":{"status":{"state":"OFFLINE"}}}}`, "a", "b", "It would go to b if it came ONLINE."},
		"a cluster that is cordoned":  {`{"application":` + web + `,"clusters":{"b":{"spec":{"unschedulable":true}}}}`, "a", "b", "It would go to b if it took new applications again."},
		"a cluster without metrics":   {`{"application":` + web + `,"clusters":{"b":{"spec":{"metrics":[]}}}}`, "a", "b", "b could be chosen, but only metrics"},
		"a cluster with a new weight": {`{"application":` + web + `,"clusters":{"a":{"spec":{"metrics":[{"name":"heat-b","weight":2},{"name":"heat-a","weight":0.1}]}}}}`, "b", "", ""},
		"a cluster that is not there": {`{"application":` + web + `,"metrics":{"heat-a":9},"clusters":{"new":{"metadata":{"labels":{"location":"SK"}},"spec":{"metrics":[{"name":"heat-a","weight":1}]}},"a":null}}`, "new", "", ""},
		"a label":                     {`{"application":` + strings.Replace(web, `"cluster":{}`, `"cluster":{"labels":["location is SK"]}`, 1) + `,"clusters":{"a":{"metadata":{"labels":{"location":"SK"}}}}}`, "a", "b", "It would go to b if its label location were SK."},
	} {
		got := c.ask(q.question)
		if got.Decision.Chosen != q.chosen || !strings.HasPrefix(sentence(got, q.about), q.says) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if after := c.must("GET", testing1+"/applications", ""); string(after) != string(before) {
		t.Errorf("something was written:\n%s\n%s", before, after)
	}
}

func TestWhereAnApplicationThatExistsWouldGo(t *testing.T) {
	c := warm(t, "scheduler")
	c.await(`{"application":`+web+`}`, read)
	c.must("POST", testing1+"/applications", web)
	here := c.await(`{"name":"web"}`, func(e api.PlacementExplanation) bool { return e.Decision.Current == "b" })
	if d := here.Decision; d.Outcome != "kept" || d.Chosen != "b" || d.MoveAbove == nil || *d.MoveAbove <= 0.7 || len(here.Notes) != 0 {
		t.Errorf("the decision is %+v, the notes %q", d, here.Notes)
	}
	if got := sentence(here, "a"); !strings.HasPrefix(got, "It would move to a, once that had paid for the move, if the metric heat-a rose from 5 to 7.") {
		t.Errorf("a: %s", got)
	}
	for question, want := range map[string]string{
		`{"name":"web","metrics":{"heat-a":9.5}}`:                                                                      "waiting b",
		`{"name":"web","application":{"spec":{"constraints":{"cluster":{"labels":["location is DE"]}}}}}`:              "moved a",
		`{"name":"web","application":{"spec":{"constraints":{"migration":false}}},"metrics":{"heat-a":9.5}}`:           "kept b",
		`{"name":"web","clusters":{"b":null}}`:                                                                         "moved a",
		`{"name":"web","clusters":{"b":{"spec":{"unschedulable":true,"drain":true}}}}`:                                 "moved a",
		`{"name":"web","application":{"spec":{"constraints":{"cluster":{"labels":["location is SK"]}}}},"metrics":{}}`: "refused ",
	} {
		if d := c.ask(question).Decision; d.Outcome+" "+d.Chosen != want {
			t.Errorf("%s: %+v", question, d)
		}
	}

	var part struct {
		Content     api.Placement
		Explanation *api.PlacementExplanation
	}
	if err := json.Unmarshal(c.must("GET", testing1+"/applications/web/placement?explain=true", ""), &part); err != nil {
		t.Fatal(err)
	}
	d := part.Content.Decisions[0]
	if part.Explanation == nil || part.Explanation.Decision.Current != "b" || d.Outcome != "placed" || d.RunnerUp != "a" || d.Margin < 0.19 || len(d.Candidates[1].Terms) != 1 {
		t.Errorf("the part is %+v", part)
	}
	if plain := c.must("GET", testing1+"/applications/web/placement", ""); strings.Contains(string(plain), "explanation") {
		t.Errorf("explained without being asked: %s", plain)
	}
	c.must("DELETE", testing1+"/applications/web", "")
	if status, data := c.call("POST", testing1+"/placements", `{"name":"web"}`); status != http.StatusConflict && status != http.StatusNotFound {
		t.Errorf("of one that goes: %d %s", status, data)
	}
}

func TestQuestionsThatMakeNoSense(t *testing.T) {
	c := warm(t)
	c.must("POST", testing1+"/applications", web)
	for question, want := range map[string]string{
		`{}`:              `422 {'application': ['Give a document, or the name of an application that exists.']}`,
		`[]`:              `422 {'_schema'`,
		`{`:               `415 `,
		`{"name":"none"}`: `404 'Application' 'none' does not exist`,
		`{"name":"a/b"}`:  `422 {'name': ['Not the name of an application.']}`,
		`{"application":{"metadata":{"name":"x"}}}`:                                           `422 {'application': {'spec': ['Missing data for required field.']}}`,
		`{"name":"web","application":{"spec":{"constraints":5}}}`:                             `422 {'application': {'spec': {'constraints': `,
		`{"name":"web","application":{"metadata":{"name":"other"}}}`:                          `400 Trying to update an immutable field: name`,
		`{"name":"web","metrics":{"cold":1}}`:                                                 `422 {'metrics': {'cold': ['No cluster has this metric.']}}`,
		`{"name":"web","metrics":{"heat-a":"much"}}`:                                          `422 {'metrics': {'heat-a': {'value': ['Not a valid number.']}}}`,
		`{"name":"web","metrics":{"heat-a":1e999}}`:                                           `422 {'metrics'`,
		`{"name":"web","clusters":{"none":null}}`:                                             `422 {'clusters': {'none': ['There is no such cluster to leave out.']}}`,
		`{"name":"web","about":"c"}`:                                                          `422 {'about': ['There is no such cluster.']}`,
		`{"name":"web","clusters":{"a":5}}`:                                                   `422 {'clusters': {'a': ['Not a valid mapping type.']}}`,
		`{"name":"web","clusters":{"a/b":{}}}`:                                                `422 {'clusters': {'a/b': ['Not the name of a cluster.']}}`,
		`{"name":"web","clusters":{"a":{"status":{"state":"FINE"}}}}`:                         `422 {'clusters': {'a': {'status': {'state': `,
		`{"name":"web","clusters":{"a":{"metadata":{"labels":{"location":5}}}}}`:              `422 {'clusters': {'a': {'metadata': {'labels': `,
		`{"name":"web","clusters":{"a":{"spec":null}}}`:                                       `422 {'clusters': {'a': {'spec': `,
		`{"name":"web","clusters":{"new":{"spec":{"kubeconfig":{"clusters":5}}}}}`:            `422 {'clusters': {'new': {'spec': `,
		`{"name":"web","application":{"spec":{"constraints":{"cluster":{"labels":["is"]}}}}}`: `422 {'application': {'spec': {'constraints': {'cluster': {'labels': `,
	} {
		status, data := c.call("POST", testing1+"/placements", question)
		var problem struct{ Detail string }
		_ = json.Unmarshal(data, &problem)
		if got := fmt.Sprint(status, " ", problem.Detail); !strings.HasPrefix(got, want) {
			t.Errorf("%s: want %s, got %d %s", question, want, status, data)
		}
	}
	if status, data := c.call("POST", testing1+"/placements?strict=true", `{"name":"web","metric":{}}`); status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown key: %d %s", status, data)
	}
	for method, want := range map[string]int{"GET": http.StatusMethodNotAllowed, "PUT": http.StatusMethodNotAllowed} {
		if status, _ := c.call(method, testing1+"/placements", ""); status != want {
			t.Errorf("%s is %d", method, status)
		}
	}
	if status, _ := c.call("GET", testing1+"/applications/web/placement?explain=perhaps", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("explain=perhaps is %d", status)
	}
}

// A server whose scheduler runs elsewhere says so; it takes the values that were written down, and those of the question.
func TestAServerWithoutAScheduler(t *testing.T) {
	c := warm(t)
	got := c.ask(`{"application":` + web + `}`)
	if got.Decision.Outcome != "refused" || got.Decision.Refused["metrics-unread"] != 2 || !strings.Contains(got.Notes[0], "runs in another process") {
		t.Errorf("the answer is %+v", got)
	}
	for name, value := range map[string]string{"heat-a": "8", "heat-b": "1"} {
		c.must("PATCH", "/core/globalmetrics/"+name+"/status", `{"status":{"value":`+value+`,"read_at":"2026-01-01T00:00:00Z"}}`)
	}
	got = c.ask(`{"application":` + web + `}`)
	if d := got.Decision; d.Chosen != "a" || d.Candidates[0].Terms[0].Value != 8 || d.Candidates[0].Terms[0].Read == nil || len(got.Notes) != 1 {
		t.Errorf("the answer is %+v", got)
	}
	got = c.ask(`{"application":` + web + `,"metrics":{"heat-a":3,"heat-b":2}}`)
	if d := got.Decision; d.Chosen != "a" || d.Candidates[0].Terms[0].Read != nil || len(got.Notes) != 0 {
		t.Errorf("the answer is %+v", got)
	}
}

// What people see, with values that the scheduler has read.
func TestRokExplains(t *testing.T) {
	c := warm(t, "scheduler")
	c.await(`{"application":`+web+`}`, read)
	dir := t.TempDir()
	config, manifest := filepath.Join(dir, "rok.yaml"), filepath.Join(dir, "web.yaml")
	for path, text := range map[string]string{
		config:   "api_url: " + c.base + "\nuser: testing\n",
		manifest: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rok := func(args ...string) string {
		var out, errs bytes.Buffer
		world := cli.IO{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }}
		if code := cli.Main(t.Context(), append([]string{"kube", "app"}, append(args, "--config", config)...), world); code != 0 {
			t.Fatalf("rok %q: %d %s", args, code, &errs)
		}
		return out.String()
	}
	says := func(text string, patterns ...string) {
		t.Helper()
		for _, pattern := range patterns {
			if !regexp.MustCompile(pattern).MatchString(text) {
				t.Errorf("want %s in\n%s", pattern, text)
			}
		}
	}
	says(rok("create", "--dry-run", "-f", manifest, "web"), `the metrics give b the best score, 0\.7, and a the next, 0\.5`,
		`\| b +\| 0\.7 +\| chosen +\| heat-b 7: 0\.7, read \d+m?\d*s ago +\|`, `(?m)^Without b it would go to a\.$`)
	rok("create", "-f", manifest, "web")
	c.await(`{"name":"web"}`, func(e api.PlacementExplanation) bool { return e.Decision.Current == "b" })
	says(rok("explain", "web"), `\| b +\| 0\.7 +\| chosen, where it is +\| heat-b 7: 0\.7, read`, `(?m)^It moves for a score above 0\.727, if that lasts\.$`,
		`What was decided:\n  \S+ \S+ placed \(first\): 2 clusters match`)
	says(rok("explain", "--not", "a", "web"), `\| a +\| 0\.5 +\| next `, `It would move to a, once that had paid for the move, if the metric heat-a rose from 5 to 7\.3`)
	says(rok("update", "--dry-run", "-L", "location is DE", "web"), `It moves from b to a: "location is DE" does not hold, the label is FR\.`)
	if got := c.ask(`{"name":"web"}`).Decision; got.Current != "b" || got.Code != "matches" {
		t.Errorf("a dry run has changed something: %+v", got)
	}
}
