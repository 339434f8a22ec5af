package api

import "github.com/rak-n-rok/krake/api/wire"

// PlacementsQuestion is the name of the question where an application would be placed, and of its permission.
const PlacementsQuestion = "placements"

// TermRecord is what one metric says of a cluster. The score of the cluster is the mean of the merits by their weights.
type TermRecord struct {
	Metric string `json:"metric"`
	// Value is as the provider gave it; Normalised is where it is in the range of the metric, from 0 to 1; Merit is the
	// same turned round for a metric whose low values are the good ones.
	Value      float64 `json:"value"`
	Normalised float64 `json:"normalised"`
	Merit      float64 `json:"merit"`
	Weight     float64 `json:"weight"`
	Read       *Time   `json:"read"` // when the value was read; null if it was stated by a question
	Held       bool    `json:"held"` // it could not be read again since
}

// PlacementDraft is the body of POST …/placements: what is to be placed, and what is to be otherwise than it is.
type PlacementDraft struct {
	// Name is that of an application that exists, empty for one that does not.
	Name string `json:"name"`
	// Application is the document of the application, or, if Name is given, a merge patch (RFC 7396) of what it is.
	Application map[string]any `json:"application"`
	// Metrics are values as their providers would give them, by the names of the metrics.
	Metrics map[string]float64 `json:"metrics"`
	// Clusters are merge patches by the names of the clusters. Null leaves a cluster out; a name that no cluster has adds
	// one, which is ONLINE unless its patch says otherwise.
	Clusters map[string]any `json:"clusters"`
	// About is a cluster of which a change is to be told although it is not among the first.
	About string `json:"about"`
}

// CheckWire checks what can be known without looking at what is stored.
func (d *PlacementDraft) CheckWire(e *wire.Errors) {
	if d.Name == "" && len(d.Application) == 0 {
		e.At("application").Add("Give a document, or the name of an application that exists.")
	}
	if d.Name != "" && !ValidName(d.Name) {
		e.At("name").Add("Not the name of an application.")
	}
	for name, patch := range d.Clusters {
		_, isPatch := patch.(map[string]any)
		switch {
		case !ValidName(name):
			e.At("clusters").At(name).Add("Not the name of a cluster.")
		case patch != nil && !isPatch:
			e.At("clusters").At(name).Add("Not a valid mapping type.")
		}
	}
}

// PlacementExplanation says where an application would be placed now, and why. Nothing of it is stored.
type PlacementExplanation struct {
	// Decision lists every cluster of the namespace as a candidate.
	Decision Decision `json:"decision"`
	// Changes say what would lead to another decision, the smallest change for each of the first clusters and the one that
	// the question is about.
	Changes []PlacementChange `json:"changes"`
	// Notes say what else has to be known to judge the answer, such as that values of metrics are not known.
	Notes []string `json:"notes"`
}

// PlacementChange is something that would lead to another decision.
type PlacementChange struct {
	// Cluster is the one that it is about, empty if it is about the application.
	Cluster  string `json:"cluster"`
	Sentence string `json:"sentence"`
	// Metrics are the values that the sentence names, by metric. They can be asked about as they are.
	Metrics map[string]float64 `json:"metrics"`
}
