package objectrule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/ext"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// The bounds of an expression.
const (
	// maxLength is in characters.
	maxLength = 2048
	// maxLoops is how many macros that go over a list or bind a variable one expression may have: the types of what they
	// make can double with each, and the time that the compiler takes with them.
	maxLoops = 8
	maxDepth = 30
	// maxCost is about a hundredth of a second. Walking a list of conditions costs less than a hundred.
	maxCost    = 100_000
	maxPattern = 500 // instructions of a regular expression
)

// self is the variable that is the object.
const self = "self"

// environment is what expressions may use.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable(self, cel.DynType),
		cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true), ext.Bindings(), ext.Strings(ext.StringsVersion(5)),
		cel.ParserExpressionSizeLimit(maxLength), cel.ParserRecursionLimit(maxDepth), cel.ExpressionNodeLimit(2*maxLength),
		cel.RegexProgramSizeLimit(maxPattern), cel.ExtendedValidations(),
	)
})

// withheld are functions of these libraries that can make much of little, or take the product of the lengths of two texts:
// what they cost is known only when they have taken it.
var withheld = []string{"format", "indexOf", "join", "lastIndexOf", "replace"}

// A Rule is ready to be asked. It is safe for concurrent use.
type Rule struct {
	ready, failed, completed, message *expression // nil for what is not asked
	pods                              struct{ desired, running, completed, failed *expression }
	addresses                         map[string]*expression
}

// Compile makes a rule of its specification. The error is a *wire.Errors about the specification, with line and column
// of everything that the compiler finds.
func Compile(spec *api.ObjectRuleSpec) (*Rule, error) {
	e := &wire.Errors{}
	r := build(spec, e)
	return r, e.Err()
}

func build(spec *api.ObjectRuleSpec, e *wire.Errors) *Rule {
	r := &Rule{
		ready:     compile("ready", spec.Ready, cel.BoolType, e.At("ready")),
		failed:    compile("failed", spec.Failed, cel.BoolType, e.At("failed")),
		completed: compile("completed", spec.Completed, cel.BoolType, e.At("completed")),
		message:   compile("message", spec.Message, cel.StringType, e.At("message")),
		addresses: map[string]*expression{},
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Addresses)) {
		at := e.At("addresses").At(name).At("value")
		if spec.Addresses[name] == "" {
			at.Add("An expression is required.")
		}
		r.addresses[name] = compile("addresses."+name, spec.Addresses[name], cel.StringType, at)
	}
	pods := e.At("pods")
	r.pods.desired = compile("pods.desired", spec.Pods.Desired, cel.IntType, pods.At("desired"))
	r.pods.running = compile("pods.running", spec.Pods.Running, cel.IntType, pods.At("running"))
	r.pods.completed = compile("pods.completed", spec.Pods.Completed, cel.IntType, pods.At("completed"))
	r.pods.failed = compile("pods.failed", spec.Pods.Failed, cel.IntType, pods.At("failed"))
	return r
}

// compile makes an expression of a text, nil if it is empty or wrong.
func compile(name, text string, want *cel.Type, e *wire.Errors) (x *expression) {
	if text == "" {
		return nil
	}
	defer func() { // a fault of the compiler concerns the rule alone
		if p := recover(); p != nil {
			x = nil
			e.Add(fmt.Sprintf("The compiler cannot cope with it: %v.", p))
		}
	}()
	env, err := environment()
	if err != nil {
		panic(err) // it does not depend on anything
	}
	parsed, issues := env.Parse(text)
	if complain(e, issues) {
		return nil
	}
	if complain(e, bounds(parsed)) {
		return nil
	}
	checked, issues := env.Check(parsed)
	if complain(e, issues) {
		return nil
	}
	if found := checked.OutputType(); !found.IsExactType(want) && !found.IsExactType(cel.DynType) {
		e.Add(fmt.Sprintf("It gives %s, and has to give %s.", short(cel.FormatCELType(found)), cel.FormatCELType(want)))
		return nil
	}
	program, err := env.Program(checked, cel.CostLimit(maxCost), cel.CostTracking(comparisons{}),
		cel.CustomDecoratorV2(bounded), cel.InterruptCheckFrequency(1))
	if err != nil {
		e.Add(short(err.Error()))
		return nil
	}
	return &expression{name: name, program: program, want: want}
}

// bounds says what the compiler must not see of an expression. It would accept it, or never come to an end.
func bounds(parsed *cel.Ast) *cel.Issues {
	tree, source := parsed.NativeRep(), parsed.Source()
	errs, loops := common.NewErrors(source), 0
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		at := tree.SourceInfo().GetStartLocation(x.ID())
		switch x.Kind() {
		case ast.ComprehensionKind:
			if loops++; loops == maxLoops+1 {
				errs.ReportErrorString(at, fmt.Sprintf("there may be up to %d macros such as exists and map", maxLoops))
			}
		case ast.CallKind:
			if name := x.AsCall().FunctionName(); slices.Contains(withheld, name) {
				errs.ReportErrorString(at, "rules cannot use the function "+name)
			}
		}
	}))
	return cel.NewIssues(errs)
}

// mostComplaints is how many errors of one expression are told.
const mostComplaints = 5

// complain tells where an expression is wrong, and says whether it is.
func complain(e *wire.Errors, issues *cel.Issues) bool {
	errs := issues.Errors()
	for _, issue := range errs[:min(len(errs), mostComplaints)] {
		where := ""
		if line := issue.Location.Line(); line > 0 {
			where = fmt.Sprintf("line %d, column %d: ", line, issue.Location.Column()+1)
		}
		e.Add(where + short(strings.ReplaceAll(issue.Message, " (in container '')", "")))
	}
	return len(errs) > 0
}

// short cuts a text that a rule or an object has made longer than people read.
func short(text string) string {
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
