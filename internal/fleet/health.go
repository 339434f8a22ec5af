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
	// Unjudged: nothing is known to be wrong, and of an object it cannot be said how it is doing.
	Unjudged bool
	// Message names the object that is worst off and says what is wrong; empty when Ready.
	Message string
	// Containers counts pods.
	Containers api.ContainerHealth
	// Objects tells of each object that is there, and of those that should be.
	Objects map[Key]ObjectHealth
}

// ObjectHealth is how one object is doing.
type ObjectHealth struct {
	Word    string // of kstatus: Current, InProgress, Terminating, NotFound, Failed or Unknown
	Message string // what is wrong; empty when Current
}

// Severity is 0 for an object with which nothing is wrong, and higher the worse it is.
func (h ObjectHealth) Severity() int { return severity[status.Status(h.Word)] }

// NotSeen is the health of an object of which nothing is known.
var NotSeen = ObjectHealth{Word: status.UnknownStatus.String()}

// severity orders what can be said of an object; the worst one speaks for the application.
var severity = map[status.Status]int{
	status.CurrentStatus:     0,
	status.UnknownStatus:     1,
	status.InProgressStatus:  2,
	status.TerminatingStatus: 3,
	status.NotFoundStatus:    4,
	status.FailedStatus:      5,
}

// Health judges live objects, by what rules say of them where there are any, and those that should be there and are not.
func Health(live []*unstructured.Unstructured, missing []api.InventoryObject, verdicts Verdicts) HealthReport {
	r := HealthReport{Objects: map[Key]ObjectHealth{}}
	worst, message := status.CurrentStatus, ""
	consider := func(object Key, s status.Status, text, sentence string) {
		if severity[s] > severity[worst] {
			worst, message = s, sentence
		}
		if s == status.CurrentStatus {
			text = ""
		}
		r.Objects[object] = ObjectHealth{s.String(), text}
	}
	var tasks, ended int // Jobs and bare Pods
	lasting := false     // something is meant to run for ever
	for _, object := range live {
		name, rule := keyOf(object), verdicts[object]
		s, text := judge(object, rule)
		consider(name, s, text, fmt.Sprintf("%s: %s", name, text))
		c := pods(object, rule)
		r.Containers.DesiredPods += c.DesiredPods
		r.Containers.RunningPods += c.RunningPods
		r.Containers.CompletedPods += c.CompletedPods
		r.Containers.FailedPods += c.FailedPods
		r.Restarting = r.Restarting || isRestarting(object)
		switch {
		case rule.Ends:
			tasks++
			if rule.Completed && s == status.CurrentStatus {
				ended++
			}
		case isTask(object):
			tasks++
			if hasEnded(object) {
				ended++
			}
		case c.DesiredPods > 0 || rule.Problem != "":
			lasting = true
		}
	}
	for _, e := range missing {
		const missing = "is missing on the cluster"
		consider(KeyOf(e), status.NotFoundStatus, missing, fmt.Sprintf("%s %s", KeyOf(e), missing))
		lasting = true
	}
	r.Ready, r.Failed, r.Message = worst == status.CurrentStatus, worst == status.FailedStatus, message
	r.Unjudged = worst == status.UnknownStatus
	r.Completed = tasks > 0 && ended == tasks && !lasting
	return r
}

// judge says how one object is doing.
func judge(object *unstructured.Unstructured, rule Verdict) (status.Status, string) {
	if s, text := judgeByRule(object, rule); s != "" {
		return s, text
	}
	result, err := status.Compute(object)
	if err != nil {
		return status.UnknownStatus, fmt.Sprintf("it has a status that makes no sense: %v", err)
	}
	return result.Status, result.Message
}
