// Package objectrule compiles the rules for kinds of objects (api.GlobalObjectRule) and asks them about objects. The API
// server checks rules with it before it stores them, the application controller asks them about what is on clusters.
//
// Whoever may write a rule may not stop the process with it: expressions have no I/O and no clock, and are bounded in
// length, in nesting, in what an evaluation may cost, in the size of what it makes, and in time.
//
// It is the only package that knows the Common Expression Language. It does no I/O and knows neither clusters nor the
// server. A new question about objects is a field of api.ObjectRuleSpec and a line in compile.go and in rule.go.
package objectrule
