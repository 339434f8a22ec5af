package api

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/rak-n-rok/krake/api/wire"
)

// GlobalObjectRuleKind is the kind of rules about custom resources, for everybody.
var GlobalObjectRuleKind = &Kind{
	Group: "kubernetes", Name: "GlobalObjectRule", Plural: "globalobjectrules",
	New:    func() Resource { return &GlobalObjectRule{} },
	Fields: []string{"spec.group", "spec.kind"},
}

// GlobalObjectRule says how objects of one kind on clusters are doing: whether they are ready, where they are reached, and
// which pods they have. Of several rules for a kind one that names the version comes before one that does not, and then
// the first by name.
type GlobalObjectRule struct {
	Envelope
	Spec ObjectRuleSpec `json:"spec" wire:"required"`
}

// ObjectRuleSpec is the kind and what is asked about its objects: expressions of the Common Expression Language over the
// variable self, which is the object as it is on the cluster. An empty text asks nothing. The server compiles the
// expressions and runs the tests before it stores them.
type ObjectRuleSpec struct {
	Group   string `json:"group" wire:"required"`
	Version string `json:"version"` // every one when empty
	Kind    string `json:"kind" wire:"required"`

	Ready     string `json:"ready"`     // a bool: it has become what it is meant to be
	Failed    string `json:"failed"`    // a bool: it will not get well by waiting
	Completed string `json:"completed"` // a bool: it has ended well; an object that is asked this is there to end some day
	Message   string `json:"message"`   // a string for people, about an object that is not ready

	// Addresses are strings of the form HOST:PORT by their names, empty while there is none. The application's services
	// have them as OBJECT.NAME.
	Addresses map[string]string `json:"addresses"`
	Pods      ObjectRulePods    `json:"pods"`
	Tests     []ObjectRuleTest  `json:"tests"`
}

// ObjectRulePods counts the pods that an object accounts for, as ints; what is not asked is 0. Without any it has none.
type ObjectRulePods struct {
	Desired   string `json:"desired"`
	Running   string `json:"running"`
	Completed string `json:"completed"`
	Failed    string `json:"failed"`
}

// ObjectRuleTest is an example of an object, and what the expressions have to give for it.
type ObjectRuleTest struct {
	Name   string           `json:"name"` // for people
	Object map[string]any   `json:"object" wire:"required"`
	Expect ObjectRuleResult `json:"expect" wire:"required"`
}

// ObjectRuleResult is what expressions give. What is null is not compared.
type ObjectRuleResult struct {
	Ready     *bool             `json:"ready"`
	Failed    *bool             `json:"failed"`
	Completed *bool             `json:"completed"`
	Message   *string           `json:"message"`
	Addresses map[string]string `json:"addresses" wire:"null"` // without those that are empty
	Pods      *ObjectPods       `json:"pods"`
}

// ObjectPods are the pods of an object.
type ObjectPods struct {
	Desired   int64 `json:"desired"`
	Running   int64 `json:"running"`
	Completed int64 `json:"completed"`
	Failed    int64 `json:"failed"`
}

// How many of each a rule may have: all of them are looked at before it is stored, while the client waits.
const (
	mostAddresses = 16
	mostRuleTests = 32
)

var (
	// A group without a dot is one of Kubernetes' own, whose kinds are known.
	ruleGroup   = regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+\z`)
	ruleKind    = regexp.MustCompile(`\A[A-Z][A-Za-z0-9]*\z`)
	ruleVersion = regexp.MustCompile(`\A([a-z]([a-z0-9-]*[a-z0-9])?)?\z`)
	addressName = regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`)
)

// CheckWire checks which kind is meant, and that anything is asked about it. What is wrong with the expressions themselves
// the server finds.
func (s *ObjectRuleSpec) CheckWire(e *wire.Errors) {
	if !ruleGroup.MatchString(s.Group) {
		e.At("group").Add("Must be the group of a custom resource, such as example.org.")
	}
	if !ruleKind.MatchString(s.Kind) {
		e.At("kind").Add("Must be the kind of a custom resource, such as Database.")
	}
	if !ruleVersion.MatchString(s.Version) {
		e.At("version").Add("Must be a version, such as v1, or empty for all of them.")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Addresses)) {
		if !addressName.MatchString(name) {
			e.At("addresses").At(name).At("key").Add("Must have up to 63 lower-case letters, digits and -.")
		}
	}
	if len(s.Addresses) > mostAddresses {
		e.At("addresses").Add(fmt.Sprintf("There may be up to %d.", mostAddresses))
	}
	if len(s.Tests) > mostRuleTests {
		e.At("tests").Add(fmt.Sprintf("There may be up to %d.", mostRuleTests))
	}
	if s.asksNothing() {
		e.AddSchema("At least one of ready, failed, completed, message, addresses and pods must have an expression.")
	}
}

func (s *ObjectRuleSpec) asksNothing() bool {
	return s.Ready+s.Failed+s.Completed+s.Message == "" && len(s.Addresses) == 0 && s.Pods == ObjectRulePods{}
}
