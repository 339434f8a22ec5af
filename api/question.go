package api

// A Question is asked by a POST of a document to a path beside the objects of a kind, /GROUP/namespaces/NAMESPACE/NAME, and
// answered by another document. Nothing is stored. What answers it is mounted into the server. Its permission is its name.
type Question struct {
	Name    string
	Summary string
	// Body and Answer make the documents.
	Body   func() any
	Answer func() any
}

// Question returns the question of this name, nil when there is none.
func (k *Kind) Question(name string) *Question {
	for i := range k.Questions {
		if k.Questions[i].Name == name {
			return &k.Questions[i]
		}
	}
	return nil
}

// applicationQuestions are those about applications.
var applicationQuestions = []Question{{
	Name: PlacementsQuestion, Summary: "Tell where an application would be placed now, and why. Nothing is written.",
	Body:   func() any { return &PlacementDraft{} },
	Answer: func() any { return &PlacementExplanation{} },
}}

// askForPlacement is the question about an application as it is.
func askForPlacement(name string) any { return &PlacementDraft{Name: name} }
