package openapi

import _ "embed"

// Page is a document in HTML that shows /openapi.json. It loads nothing else.
//
//go:embed page.html
var Page []byte
