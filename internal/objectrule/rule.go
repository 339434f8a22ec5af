package objectrule

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/rak-n-rok/krake/api"
)

// patience is how long a rule may think about one object, in all.
const patience = time.Second

// A Report is what a rule says of one object.
type Report struct {
	// Decides says whether the rule is asked when the object is ready, Counts whether it counts pods, Ends whether the
	// object is there to end some day.
	Decides, Counts, Ends bool

	Ready, Failed, Completed bool
	// Message is for people, about an object that is not ready.
	Message string
	// Addresses are those that the object has by now, as HOST:PORT by their names.
	Addresses map[string]string
	Pods      api.ObjectPods
}

// An expression is one question.
type expression struct {
	name    string // where it stands in the specification
	program cel.Program
	want    *cel.Type
}

// Ask asks the rule about an object, which is a tree of JSON and is not changed. An error names the expression that cannot
// be evaluated; of the report then nothing is to be relied on.
func (r *Rule) Ask(ctx context.Context, object map[string]any) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.ask(ctx, object)
}

// ask is Ask for as long as it takes.
func (r *Rule) ask(ctx context.Context, object map[string]any) (Report, error) {
	a := &asking{ctx: ctx, vars: map[string]any{self: object}}
	pods := r.pods
	report := Report{
		Decides: r.ready != nil, Ends: r.completed != nil,
		Counts: pods.desired != nil || pods.running != nil || pods.completed != nil || pods.failed != nil,
		Ready:  a.yes(r.ready), Failed: a.yes(r.failed), Completed: a.yes(r.completed), Message: short(a.text(r.message)),
		Pods: api.ObjectPods{
			Desired: a.number(pods.desired), Running: a.number(pods.running),
			Completed: a.number(pods.completed), Failed: a.number(pods.failed),
		},
		Addresses: map[string]string{},
	}
	for _, name := range slices.Sorted(maps.Keys(r.addresses)) {
		if address := a.address(r.addresses[name]); address != "" {
			report.Addresses[name] = address
		}
	}
	return report, a.err
}

// asking evaluates one expression after the other, until one fails.
type asking struct {
	ctx  context.Context
	vars map[string]any
	err  error
}

func (a *asking) yes(x *expression) bool {
	v, _ := a.value(x).(types.Bool)
	return bool(v)
}

func (a *asking) text(x *expression) string {
	v, _ := a.value(x).(types.String)
	return string(v)
}

func (a *asking) number(x *expression) int64 {
	v, _ := a.value(x).(types.Int)
	if v < 0 {
		a.err = fmt.Errorf("%s: it gives %d, and pods are never fewer than none", x.name, v)
	}
	return int64(v)
}

func (a *asking) address(x *expression) string {
	address := a.text(x)
	if address == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || !isPort(port) || len(address) > maxAddress {
		a.err = fmt.Errorf("%s: it gives %q, and has to give HOST:PORT, or an empty string while there is none", x.name, short(address))
		return ""
	}
	return address
}

// maxAddress is the longest name of a host and a port.
const maxAddress = 253 + len(":65535")

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// value evaluates an expression. It is nil for one that is not there or does not give what it has to.
func (a *asking) value(x *expression) ref.Val {
	if x == nil || a.err != nil {
		return nil
	}
	v, _, err := x.program.ContextEval(a.ctx, a.vars)
	switch {
	case a.ctx.Err() != nil:
		a.err = fmt.Errorf("%s: it takes longer than %s", x.name, patience)
	case err != nil:
		a.err = fmt.Errorf("%s: %s", x.name, short(err.Error()))
	case v.Type() != ref.Type(x.want):
		a.err = fmt.Errorf("%s: it gives %s, and has to give %s", x.name, v.Type().TypeName(), cel.FormatCELType(x.want))
	default:
		return v
	}
	return nil
}
