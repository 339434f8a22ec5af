package kubernetes

import "testing"

func TestOneClusterLeavesRoomForOthers(t *testing.T) {
	var l lanes
	for range perCluster {
		if !l.enter([]string{"slow"}) {
			t.Fatal("there is room")
		}
	}
	if l.enter([]string{"slow"}) || l.enter([]string{"quick", "slow"}) {
		t.Error("there is no room left on the slow one")
	}
	if len(l.busy) != 1 {
		t.Errorf("who found no room on one cluster has taken room on another: %v", l.busy)
	}
	if perCluster > workers/2 {
		t.Error("one cluster may have most of the workers")
	}
	if !l.enter([]string{"quick"}) || !l.enter(nil) {
		t.Error("there is room on the others")
	}
	l.leave([]string{"quick"})
	for range perCluster {
		l.leave([]string{"slow"})
	}
	if len(l.busy) != 0 || !l.enter([]string{"slow"}) {
		t.Errorf("all have left: %v", l.busy)
	}
}
