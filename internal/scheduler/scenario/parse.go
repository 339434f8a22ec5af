package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/internal/capacity"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// Parse reads a story and its variants. A variant has the lines of the story before it, but for what is expected, and its
// own.
func Parse(text string) ([]*Scenario, error) {
	title, story := "", []line{}
	var variants [][]line
	var titles []string
	for i, raw := range strings.Split(text, "\n") {
		content, comment, _ := strings.Cut(raw, "#")
		if content = strings.TrimSpace(content); content == "" {
			if title == "" {
				title = strings.TrimSpace(comment)
			}
			continue
		}
		l := line{i + 1, content}
		if name, ok := strings.CutPrefix(content, "variant "); ok {
			titles, variants = append(titles, strings.Trim(name, `"`)), append(variants, nil)
			continue
		}
		if n := len(variants); n > 0 {
			variants[n-1] = append(variants[n-1], l)
			continue
		}
		story = append(story, l)
	}
	base, err := read(title, story)
	if err != nil {
		return nil, err
	}
	out := []*Scenario{base}
	setting := slices.DeleteFunc(slices.Clone(story), func(l line) bool { return strings.Contains(l.text, " expect ") })
	for i, own := range variants {
		v, err := read(titles[i], append(slices.Clone(setting), own...))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

type line struct {
	number int
	text   string
}

// reader is a scenario in the making.
type reader struct {
	*Scenario
	seed uint64
}

func read(title string, lines []line) (*Scenario, error) {
	r := reader{&Scenario{Title: title, Step: 10 * time.Second, Rules: core.DefaultRules, Metrics: map[string]api.MetricSpec{}}, 1}
	for _, l := range lines {
		word, rest, _ := strings.Cut(l.text, " ")
		if err := r.line(l.number, word, strings.TrimSpace(rest)); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", l.number, l.text, err)
		}
	}
	for _, c := range r.Clusters {
		for _, ref := range c.Object.Spec.Metrics {
			if c.Values[ref.Name] == nil {
				return nil, fmt.Errorf("the metric %s of the cluster %s has no values", ref.Name, c.Object.Metadata.Name)
			}
		}
	}
	return r.Scenario, nil
}

func (r *reader) line(number int, word, rest string) (err error) {
	switch word {
	case "seed":
		r.seed, err = strconv.ParseUint(rest, 10, 64)
	case "step":
		r.Step, err = time.ParseDuration(rest)
	case "rules":
		err = r.rules(rest)
	case "metric":
		err = r.metric(rest)
	case "cluster":
		err = r.cluster(rest)
	case "value":
		err = r.value(rest)
	case "app":
		var a *api.Application
		if a, err = parseApp(rest); err == nil {
			r.Apps = append(r.Apps, a)
		}
	case "fault":
		err = r.fault(rest)
	case "at":
		err = r.at(number, rest)
	default:
		err = fmt.Errorf("no line begins with %q", word)
	}
	return err
}

func (r *reader) rules(text string) error {
	for _, rule := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(rule), " ")
		var err error
		switch name {
		case "reschedule-after":
			r.Rules.RescheduleAfter, err = time.ParseDuration(value)
		case "cool-down":
			r.Rules.CoolDown, err = time.ParseDuration(value)
		case "stickiness":
			r.Rules.Stickiness, err = strconv.ParseFloat(value, 64)
		case "margin":
			r.Rules.Margin, err = strconv.ParseFloat(value, 64)
		case "price":
			r.Rules.Price, err = strconv.ParseFloat(value, 64)
		case "per-application":
			r.Rules.PerApplication, err = strconv.Atoi(value)
		case "per-target":
			r.Rules.PerTarget, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("there is no rule %q", name)
		}
		if err != nil {
			return err
		}
	}
	return r.Rules.Check()
}

// metric reads NAME MIN..MAX [lower] [clamp].
func (r *reader) metric(text string) error {
	words := strings.Fields(text)
	if len(words) < 2 {
		return fmt.Errorf("want NAME MIN..MAX")
	}
	spec := api.MetricSpec{Direction: api.HigherIsBetter, OutOfRange: api.RejectOutOfRange}
	low, high, _ := strings.Cut(words[1], "..")
	var errLow, errHigh error
	spec.Min, errLow = strconv.ParseFloat(low, 64)
	spec.Max, errHigh = strconv.ParseFloat(high, 64)
	if errLow != nil || errHigh != nil {
		return fmt.Errorf("%q is no range", words[1])
	}
	for _, w := range words[2:] {
		switch w {
		case "lower":
			spec.Direction = api.LowerIsBetter
		case "clamp":
			spec.OutOfRange = api.ClampOutOfRange
		default:
			return fmt.Errorf("a metric cannot be %q", w)
		}
	}
	r.Metrics[words[0]] = spec
	return nil
}

// cluster reads NAME [labels K=V …] [offers RESOURCE …] [metrics NAME*WEIGHT …] [room RESOURCE=QUANTITY …].
func (r *reader) cluster(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return fmt.Errorf("want a name")
	}
	namespace := space
	o := api.New[api.Cluster]()
	o.Metadata.Name, o.Metadata.Namespace, o.Metadata.UID = words[0], &namespace, "uid of "+words[0]
	o.Metadata.Labels, o.Status.State = api.Labels{}, api.ClusterOnline
	kind, room := "", map[string]string{}
	for _, w := range words[1:] {
		switch {
		case slices.Contains([]string{"labels", "offers", "metrics", "room"}, w):
			kind = w
		case kind == "labels":
			key, value, _ := strings.Cut(w, "=")
			o.Metadata.Labels[key] = value
		case kind == "offers":
			o.Spec.CustomResources = append(o.Spec.CustomResources, w)
		case kind == "metrics":
			name, weight, _ := strings.Cut(w, "*")
			f, err := strconv.ParseFloat(weight, 64)
			if _, known := r.Metrics[name]; err != nil || !known {
				return fmt.Errorf("%q is no metric with a weight", w)
			}
			o.Spec.Metrics = append(o.Spec.Metrics, api.MetricRef{Name: name, Weight: f})
		case kind == "room":
			if err := quantity(room, w); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a cluster has no %q", w)
		}
	}
	c := &Cluster{Object: o, Values: map[string]Series{}}
	if kind == "room" || len(room) > 0 {
		c.Room = &core.Room{Known: true, Offered: capacity.Amounts(room), Shared: []api.ResourceRef{api.ClusterKind.Ref(space, words[0])}}
	}
	r.Clusters = append(r.Clusters, c)
	return nil
}

func (r *reader) find(name string) (*Cluster, error) {
	i := slices.IndexFunc(r.Clusters, func(c *Cluster) bool { return c.Object.Metadata.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no cluster %q", name)
	}
	return r.Clusters[i], nil
}

// value reads CLUSTER METRIC SERIES.
func (r *reader) value(text string) error {
	words := strings.SplitN(text, " ", 3)
	if len(words) < 3 {
		return fmt.Errorf("want CLUSTER METRIC VALUES")
	}
	c, err := r.find(words[0])
	if err != nil {
		return err
	}
	c.Values[words[1]], err = parseSeries(words[2], r.seed, words[0]+" "+words[1])
	return err
}

// quantity reads RESOURCE=QUANTITY.
func quantity(into map[string]string, text string) error {
	name, value, _ := strings.Cut(text, "=")
	if into[name] = value; len(capacity.Amounts(map[string]string{name: value})) == 0 && value != "0" {
		return fmt.Errorf("%q is no resource with a quantity", text)
	}
	return nil
}

// parseApp reads NAME [fixed] [asks RESOURCE=QUANTITY …] [where CONSTRAINT and CONSTRAINT …].
func parseApp(text string) (*api.Application, error) {
	head, where, _ := strings.Cut(text, " where ")
	words := strings.Fields(head)
	if len(words) == 0 {
		return nil, fmt.Errorf("want a name")
	}
	namespace := space
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace, a.Metadata.UID = words[0], &namespace, "uid of "+words[0]
	a.Spec.Constraints.Migration = !slices.Contains(words, "fixed")
	if i := slices.Index(words, "asks"); i > 0 {
		asked := map[string]string{}
		for _, w := range words[i+1:] {
			if err := quantity(asked, w); err != nil {
				return nil, err
			}
		}
		a.Spec.Requests = &api.Requests{Total: capacity.Amounts(asked)}
	}
	return a, demand(a, where)
}

// demand replaces the constraints of an application.
func demand(a *api.Application, where string) error {
	var wanted api.ClusterConstraints
	for _, text := range strings.Split(where, " and ") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if name, ok := strings.CutPrefix(text, "offers "); ok {
			wanted.CustomResources = append(wanted.CustomResources, name)
			continue
		}
		if l, err := constraint.ParseLabel(text); err == nil {
			wanted.Labels = append(wanted.Labels, l)
			continue
		}
		m, err := constraint.ParseMetric(text)
		if err != nil {
			return fmt.Errorf("%q is no constraint: %w", text, err)
		}
		wanted.Metrics = append(wanted.Metrics, m)
	}
	a.Spec.Constraints.Cluster = wanted
	return nil
}

// fault reads FROM..TO metrics [CLUSTER], FROM..TO offline CLUSTER, or every TIME restart.
func (r *reader) fault(text string) error {
	words := strings.Fields(text)
	if len(words) == 3 && words[0] == "every" && words[2] == "restart" {
		var err error
		r.Restart, err = time.ParseDuration(words[1])
		return err
	}
	if len(words) < 2 || words[1] != "metrics" && (words[1] != "offline" || len(words) < 3) {
		return fmt.Errorf("want FROM..TO metrics [CLUSTER], FROM..TO offline CLUSTER, or every TIME restart")
	}
	from, to, _ := strings.Cut(words[0], "..")
	o := Outage{Metrics: words[1] == "metrics"}
	var errFrom, errTo error
	o.From, errFrom = time.ParseDuration(from)
	o.To, errTo = time.ParseDuration(to)
	if errFrom != nil || errTo != nil {
		return fmt.Errorf("%q is no span of time", words[0])
	}
	if len(words) > 2 {
		o.Cluster = words[2]
		if _, err := r.find(o.Cluster); err != nil {
			return err
		}
	}
	r.Outages = append(r.Outages, o)
	return nil
}

// at reads TIME and what happens then.
func (r *reader) at(number int, text string) error {
	when, what, _ := strings.Cut(text, " ")
	at, err := time.ParseDuration(when)
	if err != nil {
		return err
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(what), " ")
	if word == "expect" {
		e, err := parseExpectation(rest)
		e.Line, e.At = number, at
		r.Expect = append(r.Expect, e)
		return err
	}
	do, err := r.action(word, strings.TrimSpace(rest))
	r.Events = append(r.Events, Event{at, do})
	return err
}

// action reads what can happen.
func (r *reader) action(word, rest string) (func(w *World), error) {
	name, more, _ := strings.Cut(rest, " ")
	more = strings.TrimSpace(more)
	ofApp := func(do func(a *resident)) func(w *World) {
		return func(w *World) {
			if a := w.app(name); a != nil {
				do(a)
				a.Metadata.Generation++
			}
		}
	}
	switch word {
	case "restart":
		return (*World).restart, nil
	case "clock":
		d, err := time.ParseDuration(rest)
		return func(w *World) { w.ahead += d }, err
	case "app":
		_, err := parseApp(rest)
		return func(w *World) {
			a, _ := parseApp(rest)
			w.arrive(a)
		}, err
	case "fix":
		return ofApp(func(a *resident) { a.Spec.Constraints.Migration = false }), nil
	case "free":
		return ofApp(func(a *resident) { a.Spec.Constraints.Migration = true }), nil
	case "where":
		return ofApp(func(a *resident) { _ = demand(a.Application, more) }), demand(&api.Application{}, more)
	case "hold":
		d, err := time.ParseDuration(more)
		return func(w *World) {
			if a := w.app(name); a != nil {
				a.Status.MigrationTimeout = w.clock().Add(d).Unix()
			}
		}, err
	case "used":
		return others(name, more)
	case "leave":
		return func(w *World) {
			w.apps = slices.DeleteFunc(w.apps, func(a *resident) bool { return a.Metadata.Name == name })
		}, nil
	case "remove":
		_, err := r.find(name)
		return func(w *World) { w.gone[name] = true }, err
	case "state":
		_, err := r.find(name)
		return func(w *World) { w.edit(name, func(o *api.Cluster) { o.Status.State = api.ClusterState(more) }) }, err
	case "label":
		key, value, _ := strings.Cut(more, "=")
		_, err := r.find(name)
		return func(w *World) {
			w.edit(name, func(o *api.Cluster) {
				o.Metadata.Labels = maps.Clone(o.Metadata.Labels)
				o.Metadata.Labels[key] = value
			})
		}, err
	}
	return nil, fmt.Errorf("nothing happens by the name of %q", word)
}

// others reads RESOURCE=QUANTITY …, which the pods of others on a cluster ask for from then on.
func others(cluster, text string) (func(w *World), error) {
	used := map[string]string{}
	for _, word := range strings.Fields(text) {
		if err := quantity(used, word); err != nil {
			return nil, err
		}
	}
	return func(w *World) {
		for _, c := range w.Clusters {
			if c.Object.Metadata.Name == cluster && c.Room != nil {
				room := *c.Room
				room.Others = capacity.Amounts(used)
				c.Room = &room
			}
		}
	}, nil
}

// edit changes the record of a cluster.
func (w *World) edit(name string, change func(*api.Cluster)) {
	for _, c := range w.Clusters {
		if c.Object.Metadata.Name == name {
			o := *c.Object
			change(&o)
			c.Object = &o
		}
	}
}

// parseExpectation reads NAME [on CLUSTER] and, after commas: moves N, reason CODE, stays CODE, waits CODE [until TIME],
// refused.
func parseExpectation(text string) (Expectation, error) {
	parts := strings.Split(text, ",")
	words := strings.Fields(parts[0])
	e := Expectation{}
	switch {
	case len(words) == 3 && words[1] == "on":
		e.On = words[2]
	case len(words) == 2 && words[1] == "nowhere":
		e.On = words[1]
	case len(words) != 1:
		return e, fmt.Errorf("want NAME on CLUSTER, or NAME nowhere")
	}
	e.App = words[0]
	for _, part := range parts[1:] {
		words := append(strings.Fields(part), "")
		var err error
		switch words[0] {
		case "moves":
			var n int
			n, err = strconv.Atoi(words[1])
			e.Moves = &n
		case "reason":
			e.Reason = words[1]
		case "stays":
			e.Outcome, e.Code = core.Kept, words[1]
		case "refused":
			e.Outcome, e.Code = core.Refused, core.Nowhere
		case "waits":
			e.Outcome, e.Code = core.Waiting, words[1]
			if len(words) > 3 && words[2] == "until" {
				var d time.Duration
				d, err = time.ParseDuration(words[3])
				e.Until = &d
			}
		default:
			err = fmt.Errorf("%q cannot be expected", strings.TrimSpace(part))
		}
		if err != nil {
			return e, err
		}
	}
	return e, nil
}
