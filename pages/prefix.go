package pages

import (
	"fmt"
	"path"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// checkPrefix accepts what can be, unescaped, both in the address of a request and
// in a pattern of net/http.ServeMux. Other prefixes would never match, or panic.
func checkPrefix(prefix string) error {
	inner, isBelow := strings.CutSuffix(strings.TrimPrefix(prefix, "/"), "/")
	if (prefix == "/" || isBelow && inner != "" && prefix == path.Clean("/"+inner)+"/") && strings.Trim(prefix, prefixCharacters) == "" {
		return nil
	}
	return &linktrack.InvalidError{Param: "Prefix", Reason: fmt.Sprintf(
		`must be a path with a slash at both ends such as /account/, not %q; it may have letters, digits, and -._~!$&'()*+,=:@, but not //, and not the segments . and ..`, prefix)}
}

// prefixCharacters are those that RFC 3986, section 3.3, lets stand in a path
// without an escape, but for ";".
const prefixCharacters = "/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@"
