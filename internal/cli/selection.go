package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/option"
)

// selection is which objects of a list are wanted. The API selects.
type selection struct{ labels, fields *option.Texts }

// addSelection adds the options for it. They are new ones: they come after the old ones.
func addSelection(cmd *cobra.Command) selection {
	return selection{
		labels: addTexts(cmd, "selector", "", "EXPRESSION", "what the labels must fulfil, such as 'tier in (web, db)'"),
		fields: addTexts(cmd, "field", "", "FIELD=VALUE", "what a field must be, such as status.state=FAILED, or not be, with !="),
	}
}

// query is the selection as it is sent, nil for everything.
func (s selection) query() (url.Values, error) {
	if err := checkConstraints(s.labels, &option.Texts{}); err != nil {
		return nil, err
	}
	for _, field := range s.fields.Values {
		if !strings.Contains(field, "=") {
			return nil, fmt.Errorf("the field '%s' is to be selected by a value: write FIELD=VALUE or FIELD!=VALUE", field)
		}
	}
	query := url.Values{}
	for name, texts := range map[string]*option.Texts{"label_selector": s.labels, "field_selector": s.fields} {
		if len(texts.Values) > 0 {
			query[name] = texts.Values
		}
	}
	return query, nil
}
