package pages

import (
	"fmt"
	"path"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// checkPrefix accepts a prefix that needs no escapes, neither in the address of a
// request nor in a pattern of net/http.ServeMux. Other prefixes would never
// match, or panic.
func checkPrefix(prefix string) error {
	inner, isBelow := strings.CutSuffix(strings.TrimPrefix(prefix, "/"), "/")
	if (prefix == "/" || isBelow && inner != "" && prefix == path.Clean("/"+inner)+"/") && strings.Trim(prefix, prefixCharacters) == "" {
		return nil
	}
	return &linktrack.InvalidError{Param: "Prefix", Reason: fmt.Sprintf(
		`must be a path with a slash at both ends such as /account/, not %q; it may have letters, digits, and -._~!$&'()*+,=:@, but not //, and not the segments . and ..`, prefix)}
}

// prefixCharacters are the characters that a path may contain without an escape
// (RFC 3986, section 3.3), except ";".
const prefixCharacters = "/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@"
