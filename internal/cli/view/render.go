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
	out := document.New()
	for _, key := range o.Keys() {
		value := o.Get(key)
		if n, ok := value.(json.Number); ok && key == "weight" {
			if f, err := n.Float64(); err == nil {
				value = json.Number(document.PythonFloat(f))
			}
		}
		out.Set(key, value)
	}
	return out
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
