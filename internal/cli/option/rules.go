package option

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// A Rule is what a role allows.
type Rule struct {
	API        string   `json:"api"`
	Resources  []string `json:"resources"`
	Namespaces []string `json:"namespaces"`
	Verbs      []string `json:"verbs"`
}

// Rules collects rules: api=kubernetes;resources=applications,clusters;namespaces=*;verbs=get,list.
type Rules []Rule

// everything is how a command line writes what the API writes as an empty text.
const everything = "*"

// String is empty: there is no default to show.
func (r *Rules) String() string { return "" }

// Type is what help calls the value.
func (r *Rules) Type() string { return "RULE" }

// Set adds a rule. Parts that are left out mean everything, but for the verbs.
func (r *Rules) Set(text string) error {
	parts := map[string][]string{"api": {""}, "resources": {""}, "namespaces": {""}, "verbs": nil}
	for _, part := range strings.Split(text, ";") {
		key, value, ok := strings.Cut(part, "=")
		if key = strings.TrimSpace(key); key == "" && !ok {
			continue // a semicolon at the end
		}
		if _, known := parts[key]; !ok || !known {
			return fmt.Errorf("'%s' is not of the form KEY=VALUE,VALUE with one of the keys api, resources, namespaces, verbs", part)
		}
		parts[key] = nil
		for _, v := range strings.Split(value, ",") {
			if v = strings.TrimSpace(v); v == "" {
				return fmt.Errorf("'%s' has an empty value; %s is everything", part, everything)
			}
			parts[key] = append(parts[key], strings.TrimPrefix(v, everything))
		}
	}
	switch {
	case len(parts["api"]) > 1:
		return errors.New("a rule has one api")
	case len(parts["verbs"]) == 0:
		return errors.New("a rule has verbs: verbs=get,list")
	}
	verbs, err := verbs(parts["verbs"])
	if err != nil {
		return err
	}
	*r = append(*r, Rule{API: parts["api"][0], Resources: parts["resources"], Namespaces: parts["namespaces"], Verbs: verbs})
	return nil
}

// verbs checks the verbs of a rule. For them, everything is all of them: the API has no other word for it.
func verbs(named []string) ([]string, error) {
	known := api.Verb("").Members()
	if slices.Contains(named, "") {
		return known, nil
	}
	for _, verb := range named {
		if !slices.Contains(known, verb) {
			return nil, fmt.Errorf("invalid verb: '%s' (choose from %s)", verb, quoted(known))
		}
	}
	return named, nil
}
