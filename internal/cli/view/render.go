package view

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

const none = "None"

// Plain writes texts as they are, numbers shortly, and everything else as a literal of Python.
func Plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return number(v)
	default:
		return document.Python(v)
	}
}

// number leaves out the decimals of whole numbers and gives others three; large ones get an exponent.
func number(n json.Number) string {
	f, err := n.Float64()
	switch {
	case err != nil:
		return string(n)
	case math.Abs(f) > 1e8:
		return strconv.FormatFloat(f, 'e', 3, 64)
	case f == math.Trunc(f):
		return strconv.FormatFloat(f, 'f', 0, 64)
	default:
		return strconv.FormatFloat(f, 'f', 3, 64)
	}
}

// Dict writes an object with a line for each key; a list in it gets a line for each element.
func Dict(v any) string {
	o, _ := v.(*document.Object)
	if o == nil || o.Len() == 0 {
		return none
	}
	lines := make([]string, 0, o.Len())
	for _, key := range o.Keys() {
		lines = append(lines, key+": "+dictValue(o.Get(key)))
	}
	return strings.Join(lines, "\n")
}

func dictValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		lines := make([]string, len(v))
		for i, item := range v {
			lines[i] = dictValue(item)
		}
		return strings.Join(lines, "\n")
	default:
		return document.Python(v)
	}
}

// Time cuts the fraction and the zone off; it does not convert to local time.
func Time(v any) string {
	s, ok := v.(string)
	if !ok {
		return none
	}
	const length = len("2006-01-02 15:04:05")
	return strings.Replace(s[:min(len(s), length)], "T", " ", 1)
}

// KindName writes a reference to an object of the namespace that is shown.
func KindName(v any) string {
	o, ok := v.(*document.Object)
	if !ok {
		return none
	}
	return Plain(o.Get("kind")) + " " + Plain(o.Get("name"))
}

// Ref writes a reference to an object. Its keys are in one order, whatever order they came in.
func Ref(v any) string {
	o, ok := v.(*document.Object)
	if !ok {
		return Plain(v)
	}
	out := document.New()
	for _, key := range []string{"kind", "api", "name", "namespace"} {
		if o.Has(key) {
			out.Set(key, o.Get(key))
		}
	}
	for _, key := range o.Keys() {
		out.Set(key, o.Get(key))
	}
	return document.Python(out)
}

// Metrics writes references to metrics. A weight has a decimal even if it came without: it is no count.
func Metrics(v any) string {
	items, ok := v.([]any)
	if !ok {
		return Plain(v)
	}
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = document.Python(withWeight(item))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func withWeight(item any) any {
	o, ok := item.(*document.Object)
	if !ok {
		return item
	}
	return changed(o, func(key string, value any) any {
		if key == "weight" {
			return decimal(value)
		}
		return value
	})
}

// Readings writes metrics with their values, a line for each. A value has a decimal even if it came without.
func Readings(v any) string {
	o, ok := v.(*document.Object)
	if !ok {
		return Dict(v)
	}
	return Dict(changed(o, func(_ string, value any) any { return decimal(value) }))
}

func changed(o *document.Object, change func(key string, value any) any) *document.Object {
	out := document.New()
	for _, key := range o.Keys() {
		out.Set(key, change(key, o.Get(key)))
	}
	return out
}

// decimal writes a number as Python writes those that are no counts: 1 as 1.0.
func decimal(v any) any {
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return json.Number(document.PythonFloat(f))
		}
	}
	return v
}

// Pods writes how many containers run of how many that should.
func Pods(v any) string {
	count := func(key string) (json.Number, bool) {
		n, ok := document.At(v, key).(json.Number)
		return n, ok
	}
	running, known := count("running_pods")
	desired, alsoKnown := count("desired_pods")
	if !known && !alsoKnown {
		return none
	}
	completed, jobs := count("completed_pods")
	if !jobs {
		return fmt.Sprintf("%s active / %s desired", zero(running), zero(desired))
	}
	failed, _ := count("failed_pods")
	return fmt.Sprintf("%s active / %s failed / %s succeeded / %s desired", zero(running), zero(failed), completed, zero(desired))
}

func zero(n json.Number) json.Number {
	if n == "" {
		return "0"
	}
	return n
}

// Nodes returns a renderer that counts the nodes of a cluster of which a condition is true: 2/3.
func Nodes(condition string) func(any) string {
	return func(v any) string {
		nodes, _ := v.([]any)
		if len(nodes) == 0 {
			return none
		}
		n := 0
		for _, node := range nodes {
			for _, c := range document.List(node, "status", "conditions") {
				if document.Text(c, "type") == condition && document.Text(c, "status") == "True" {
					n++
				}
			}
		}
		return fmt.Sprintf("%d/%d", n, len(nodes))
	}
}

// Answer returns a renderer that says what a condition answers, since when, and why on the lines below.
func Answer(condition string) func(any) string {
	return func(v any) string {
		conditions, _ := v.([]any)
		for _, c := range conditions {
			if document.Text(c, "type") != condition {
				continue
			}
			text := document.Text(c, "status")
			if reason := document.Text(c, "reason"); reason != "" {
				text += ", " + reason
			}
			if since := document.Text(c, "last_transition"); since != "" {
				text += ", since " + Time(since)
			}
			if message := document.Text(c, "message"); message != "" {
				text += "\n" + message
			}
			return text
		}
		return none
	}
}

// OrNone writes a text that may be empty.
func OrNone(v any) string {
	if v == nil || v == "" {
		return none
	}
	return Plain(v)
}

// Failure writes the error of a status with its code, and since when there is one.
func Failure(v any) string {
	code := document.Text(v, "error", "code")
	if code == "" {
		return none
	}
	return code + ", since " + Time(document.At(v, "failed_since")) + "\n" + document.Text(v, "error", "message")
}

// Secret says that there is one, and nothing of what it is.
func Secret(v any) string {
	if v == nil {
		return none
	}
	return "***"
}

// Rules writes what a role allows, a line for each rule: get, list: kubernetes / applications in *.
func Rules(v any) string {
	rules, _ := v.([]any)
	if len(rules) == 0 {
		return none
	}
	lines := make([]string, len(rules))
	for i, rule := range rules {
		lines[i] = fmt.Sprintf("%s: %s / %s in %s", joined(document.List(rule, "verbs")), anything(document.Text(rule, "api")),
			joined(document.List(rule, "resources")), joined(document.List(rule, "namespaces")))
	}
	return strings.Join(lines, "\n")
}

func joined(values []any) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = anything(Plain(v))
	}
	return strings.Join(out, ", ")
}

// anything is written for the empty text, which means that in a rule.
func anything(text string) string {
	if text == "" {
		return "*"
	}
	return text
}
