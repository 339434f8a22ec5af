// Package controller is the runtime that all controllers share: changes in caches become keys in a queue, workers take
// the keys and bring one object at a time in line with what is wanted of it.
//
//	apps := client.NewCache(client.Of[api.Application](c), log)
//	ctl := controller.New(controller.Config{Name: "scheduler", Reconcile: s.reconcile, Log: log})
//	controller.For(ctl, apps)                      // each application is worked on when it changes
//	controller.OnChange(ctl, clusters, s.affected) // and when a cluster changes that concerns it
//	err := controller.Supervise(ctx, log, controller.Component{Name: "applications cache", Run: apps.Run},
//		controller.Component{Name: "scheduler", Run: ctl.Run})
//
// A key says only which object to look at, never what happened to it: Reconcile reads the newest state from the caches,
// and whatever it does must be right when it is called once too often, or for the first time after a crash. Caches must
// be connected before they run, since they tell only of what comes after.
//
// The package knows nothing of kinds. What a controller needs beyond the queue is the controller's own. A lease, when
// several processes stand ready to do the same work, goes around a component's Run: Run may be called again after it
// has returned, and begins by looking at every object.
package controller
