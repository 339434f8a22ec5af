package fleet

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// HealthReport sums up how an application's live objects are doing.
type HealthReport struct {
	// Ready: every object is there and has become what it is meant to be.
	Ready bool
	// Failed: an object will not get well by waiting.
	Failed bool
	// Completed: all Jobs and bare Pods have ended well, there is at least one, and nothing else is meant to run.
	Completed bool
	// Restarting: a container of a bare Pod has ended and is about to be started again. One that ends again and again
	// (CrashLoopBackOff) is not restarting but not ready.
	Restarting bool
	// Message names the object that is worst off and says what is wrong; empty when Ready.
	Message string
	// Containers counts pods.
	Containers api.ContainerHealth
}

// severity orders what can be said of an object; the worst one speaks for the application.
var severity = map[status.Status]int{
	status.CurrentStatus:     0,
	status.UnknownStatus:     1,
	status.InProgressStatus:  2,
	status.TerminatingStatus: 3,
	status.NotFoundStatus:    4,
	status.FailedStatus:      5,
}

// Health judges live objects, and those that should be there and are not.
func Health(live []*unstructured.Unstructured, missing []api.InventoryObject) HealthReport {
	worst, message := status.CurrentStatus, ""
	consider := func(s status.Status, text string) {
		if severity[s] > severity[worst] {
			worst, message = s, text
		}
	}
	var r HealthReport
	var tasks, ended int // Jobs and bare Pods
	lasting := false     // something is meant to run for ever
	for _, object := range live {
		s, text := judge(object)
		consider(s, text)
		c := count(object)
		r.Containers.DesiredPods += c.DesiredPods
		r.Containers.RunningPods += c.RunningPods
		r.Containers.CompletedPods += c.CompletedPods
		r.Containers.FailedPods += c.FailedPods
		r.Restarting = r.Restarting || isRestarting(object)
		switch {
		case isTask(object):
			tasks++
			if hasEnded(object) {
				ended++
			}
		case c.DesiredPods > 0:
			lasting = true
		}
	}
	for _, e := range missing {
		consider(status.NotFoundStatus, fmt.Sprintf("%s is missing on the cluster", KeyOf(e)))
		lasting = true
	}
	r.Ready, r.Failed, r.Message = worst == status.CurrentStatus, worst == status.FailedStatus, message
	r.Completed = tasks > 0 && ended == tasks && !lasting
	return r
}

// judge says how one object is doing.
func judge(object *unstructured.Unstructured) (status.Status, string) {
	name := keyOf(object)
	result, err := status.Compute(object)
	if err != nil {
		return status.UnknownStatus, fmt.Sprintf("%s has a status that makes no sense: %v", name, err)
	}
	return result.Status, fmt.Sprintf("%s: %s", name, result.Message)
}
