package objectrule

import (
	"fmt"

	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// What an expression makes has to be refused when it is made: nothing interrupts a comparison, and the costs of CEL do not
// see how large it is.
const (
	// maxElements is how many values a list or map may have, those within its values included. A list that holds another
	// one twice takes no more memory for that, but comparing or printing it takes twice as long, and each list around it
	// doubles that: [[a, a], [a, a]] and so on.
	maxElements = 10_000
	maxText     = 64 << 10 // bytes
)

// bounded puts the bounds around all that makes something larger than there was.
func bounded(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch i := i.(type) {
	case interpreter.InterpretableConstructor:
		return boundedConstructor{i}, nil
	case interpreter.InterpretableCall:
		if i.Function() == operators.Add { // which is how macros extend their result
			return boundedCall{i}, nil
		}
	}
	return i, nil
}

type boundedConstructor struct {
	interpreter.InterpretableConstructor
}

func (c boundedConstructor) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return refuseLarge(c.InterpretableConstructor.Exec(frame))
}

func (c boundedConstructor) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

type boundedCall struct{ interpreter.InterpretableCall }

func (c boundedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return refuseLarge(c.InterpretableCall.Exec(frame))
}

func (c boundedCall) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

func refuseLarge(v ref.Val) ref.Val {
	if length(v) > maxText {
		return types.WrapErr(fmt.Errorf("a string would have more than %d bytes", maxText))
	}
	if count(v, maxElements) < 0 {
		return types.WrapErr(fmt.Errorf("a list or map would have more than %d values", maxElements))
	}
	return v
}

func length(v ref.Val) int {
	switch v := v.(type) {
	case types.String:
		return len(v)
	case types.Bytes:
		return len(v)
	}
	return 0
}

// comparisons says what it costs to compare: as much as there are values in the smaller one. By itself CEL takes a map for as
// large as it has keys.
type comparisons struct{}

func (comparisons) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	room := 0
	switch function {
	case operators.Equals, operators.NotEquals:
		room = max(room, count(args[0], maxCost), count(args[1], maxCost))
	case operators.In:
		room = max(room, count(args[1], maxCost))
	default:
		return nil
	}
	return new(uint64(1 + maxCost - room))
}

// count takes the values in v off room, and stops when there is none left.
func count(v ref.Val, room int) int {
	switch v := v.(type) {
	case traits.Mapper:
		for keys := v.Iterator(); room >= 0 && keys.HasNext() == types.True; {
			room = count(v.Get(keys.Next()), room-1)
		}
	case traits.Lister:
		for values := v.Iterator(); room >= 0 && values.HasNext() == types.True; {
			room = count(values.Next(), room-1)
		}
	case *types.Optional:
		if v.HasValue() {
			room = count(v.GetValue(), room-1)
		}
	}
	return room
}
