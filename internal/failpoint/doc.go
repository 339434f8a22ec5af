// Package failpoint lets tests kill the process at a chosen step. In ordinary builds it does nothing and costs nothing;
// with the build tag failpoint, KRAKE_FAILPOINT=NAME:N makes the N-th arrival at the step NAME end the process at once,
// as kill -9 would.
//
// A new step is a name in points.go and a call of Hit after what it is named after.
package failpoint
