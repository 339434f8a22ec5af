package core

import (
	"fmt"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Demand says when and how clusters are made for applications that ask for it.
type Demand struct {
	// Template is the TOSCA template of such a cluster; without it none is made.
	Template map[string]any
	// Margin is by how much the score of a cloud must be higher than that of the best cluster for a new one to be made
	// although another fits; 1 for never.
	Margin float64
	// Limit is how many such clusters there may be in a namespace at a time; 0 for any number.
	Limit int
	// Timeout is how long applications wait for a cluster that is being made.
	Timeout time.Duration
	// Retention is how long a cluster that was made is kept without an application.
	Retention time.Duration
}

// DefaultDemand is that of a Krake that is not told otherwise.
var DefaultDemand = Demand{Margin: 0.1, Limit: 5, Timeout: 30 * time.Minute, Retention: 10 * time.Minute}

// Check says what cannot be meant.
func (d Demand) Check() error {
	switch {
	case !(d.Margin >= 0 && d.Margin <= 1):
		return fmt.Errorf("the margin for making a cluster must be from 0 to 1, not %v", d.Margin)
	case d.Limit < 0:
		return fmt.Errorf("the number of clusters that are made must not be below zero")
	case d.Timeout <= 0 || d.Retention < 0:
		return fmt.Errorf("the time that is waited for a cluster must be above zero, and the time that it is kept not below")
	}
	return nil
}

// Offer returns the clouds on one of which a cluster is to be made for an application, given what was decided without:
// those that are equally good. None, if it runs somewhere already, does not ask for it, or no cloud is better than what
// there is. Only clouds of which all metrics are known count, if any that matches has some.
//
// Clouds list no custom resources, so an application that needs some cannot be helped.
func (d Demand) Offer(m Market, a *api.Application, without api.Decision) []*Place {
	wanted := &a.Spec.Constraints.Cluster
	if !a.Spec.AutoClusterCreate || a.Status.ScheduledTo != nil || len(wanted.CustomResources) > 0 {
		return nil
	}
	m.Strict = true
	best := m.best(Wish{UID: a.Metadata.UID, Labels: wanted.Labels, Metrics: wanted.Metrics})
	if len(best) > 0 && without.Outcome == Placed && !(best[0].Measured && best[0].Score > without.Candidates[0].Score+d.Margin) {
		return nil
	}
	return best
}

// best are the places that are equally good and better than all others.
func (m Market) best(w Wish) []*Place {
	for _, tier := range m.Tiers {
		c := choice{market: m, wish: w, refused: map[Code]int64{}}
		ranked := c.rank(tier)
		for i := range ranked {
			if ranked[i].compare(&ranked[0].Readings) != 0 {
				return ranked[:i]
			}
		}
		if len(ranked) > 0 {
			return ranked
		}
	}
	return nil
}
