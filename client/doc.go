// Package client talks to a Krake API server. Objects are typed by generics over package api:
//
//	c, err := client.New(client.Config{URL: "http://127.0.0.1:8080"})
//	apps := client.Of[api.Application](c)
//	app, err := apps.Get(ctx, "default", "echo-demo")
//
// Writes of an object that was read before state its version, so that nothing is overwritten that the caller has not
// seen; a server that says no returns an *api.Problem, recognised by the functions NotFound, Conflict and so on.
//
// A Watch survives lost connections: it resumes where it was, without losing or repeating an event. A Cache keeps all
// objects of a kind in memory, for readers that look often and for controllers.
//
// The package imports nothing of the server; programs outside this module may use it.
package client
