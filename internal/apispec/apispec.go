// Package apispec holds the one description of the API, openapi.json, and reads
// from it what the pages show of each call.
package apispec

import (
	_ "embed"
	"encoding/json"
	"strings"
)

//go:embed openapi.json
var document string

// Document returns the description of a service at that address, without the
// last slash, whose times are in that zone.
func Document(address, zone string) []byte {
	return []byte(strings.NewReplacer("{{address}}", quote(address), "{{zone}}", quote(zone)).Replace(document))
}

// quote writes a text as it stands between the quotation marks of JSON.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text can be encoded
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}
