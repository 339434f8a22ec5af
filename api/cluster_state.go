package api

// Reasons of a cluster's conditions that its state depends on.
const (
	Answers     = "Answers"     // Reachable: the cluster answered
	Reconnected = "Reconnected" // Reachable: it answered for the first time after it had not
	Refuses     = "Refuses"     // Reachable: it is there, but not for Krake: it refuses the credentials, or is another cluster
	Pressure    = "Pressure"    // Healthy: a node lacks memory, disk or process numbers
	NotReady    = "NotReady"    // Healthy: a node is not ready
)

// Settle keeps the stamps monotonic, and recomputes the state when a condition has changed.
func (c *Cluster) Settle(before Resource) {
	old, _ := before.(*Cluster)
	if old == nil {
		old = &Cluster{}
	}
	c.Status.Scheduled = notBefore(c.Status.Scheduled, old.Status.Scheduled)
	c.Status.KubeControllerTriggered = notBefore(c.Status.KubeControllerTriggered, old.Status.KubeControllerTriggered)
	if conditionsChanged(c.Status.Conditions, old.Status.Conditions) {
		c.Status.State, c.Status.Reason = c.project()
	}
}

// project computes state and reason from the conditions: the first row of the table in docs/states.md that holds.
func (c *Cluster) project() (ClusterState, *Reason) {
	reachable, healthy := c.Status.Conditions.Get(Reachable), c.Status.Conditions.Get(Healthy)
	readable, scheduled := c.Status.Conditions.Get(MetricsReadable), c.Status.Conditions.Get(Scheduled)
	failed := c.Status.State == ClusterFailed && c.Status.Reason.Unplaced()
	switch {
	case reachable.Status == Unknown && scheduled.Status == False && (c.Status.State == ClusterPending || failed):
		return ClusterFailed, scheduled.asReason()
	case reachable.Status == Unknown && scheduled.Status == True && failed:
		return ClusterPending, nil
	case reachable.Status == Unknown && c.Status.State == ClusterOnline && readable.Status == False:
		return ClusterFailingMetrics, nil
	case reachable.Status == Unknown && c.Status.State == ClusterFailingMetrics && readable.Status == True:
		return ClusterOnline, nil
	case reachable.Status == Unknown:
		return c.Status.State, c.Status.Reason
	case reachable.Status == False && reachable.Reason == Refuses:
		return ClusterOffline, &Reason{Code: ClusterNotReachable, Message: reachable.Message}
	case reachable.Status == False:
		return ClusterOffline, reachable.asReason()
	case c.Status.State == ClusterFailingMetrics && readable.Status == Unknown:
		return ClusterFailingMetrics, c.Status.Reason // the reference's scheduler has written it
	case reachable.Reason == Reconnected:
		return ClusterConnecting, nil
	case healthy.Status == False && healthy.Reason == Pressure:
		return ClusterUnhealthy, nil
	case healthy.Status == False:
		return ClusterNotReady, nil
	case readable.Status == False:
		return ClusterFailingMetrics, nil
	default:
		return ClusterOnline, nil
	}
}

// SilentSince is since when a cluster has not answered that Krake has known before, nil if it does. One that refuses Krake
// is there, and not silent.
func (c *Cluster) SilentSince() *Time {
	reachable := c.Status.Conditions.Get(Reachable)
	if c.Status.State != ClusterOffline || c.Status.Identity == "" || reachable.Status != False ||
		reachable.Reason != string(ClusterNotReachable) {
		return nil
	}
	return reachable.LastTransition
}
