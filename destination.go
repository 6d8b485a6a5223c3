package linktrack

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/linktrackhq/linktrack/internal/weburl"
)

const maxDestination = 4096 // bytes

// A destinationRule says which destinations links may have.
type destinationRule struct {
	schemes []string                     // allowed beside http and https, in lower case
	serves  func(host, port string) bool // whether a link there would be a loop
}

// A destination is where a link leads, and the API's name of the parameter that says so.
type destination struct{ param, url string }

// changedDestinations returns the destinations of after that before does not have.
// Every link needs an ExternalURL, so the result has a missing one, too.
func changedDestinations(before, after *LinkSettings) (changed []destination) {
	if after.ExternalURL != before.ExternalURL || after.ExternalURL == "" {
		changed = append(changed, destination{"external_url", after.ExternalURL})
	}
	if after.FallbackURL != before.FallbackURL && after.FallbackURL != "" {
		changed = append(changed, destination{"fallback_url", after.FallbackURL})
	}
	return changed
}

// checkAll returns the first error of check.
func (d destinationRule) checkAll(all []destination) error {
	for _, to := range all {
		if err := d.check(to); err != nil {
			return err
		}
	}
	return nil
}

// check returns an *InvalidError with the first rule that a destination breaks.
func (d destinationRule) check(to destination) error {
	param, s := to.param, to.url
	switch {
	case s == "":
		return invalid(param, "is missing")
	case len(s) > maxDestination:
		return invalid(param, "must have at most %d bytes", maxDestination)
	case !utf8.ValidString(s):
		return invalid(param, "must be UTF-8")
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return invalid(param, "must not begin or end with white space")
	}
	for _, r := range s {
		if unicode.IsSpace(r) {
			return invalid(param, "must not have white space inside (write %%20)")
		}
		if unicode.IsControl(r) {
			return invalid(param, "must not have control characters")
		}
	}
	scheme, rest, err := d.splitScheme(to)
	if err != nil {
		return err
	}
	if scheme != "http" && scheme != "https" {
		return nil // a scheme of the host's own: what follows it is the host's own affair
	}
	if !strings.HasPrefix(rest, "//") {
		return invalid(param, "must begin with http:// or https://")
	}
	a := authority(rest[2:])
	if strings.HasPrefix(rest[2+len(a):], `\`) {
		return invalid(param, "must not have a backslash behind the host") // read in two ways
	}
	return d.checkAuthority(param, a, scheme)
}

// authority is what stands between "//" and the path, where browsers see its
// end: they take a backslash for a slash.
func authority(s string) string {
	for i := range len(s) {
		switch s[i] {
		case '/', '?', '#', '\\':
			return s[:i]
		}
	}
	return s
}

// splitScheme cuts a destination behind the colon of its scheme, and refuses those
// that are not allowed. The redirect asks it again.
func (d destinationRule) splitScheme(to destination) (scheme, rest string, err error) {
	param := to.param
	scheme, rest, found := strings.Cut(to.url, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case !found || !isScheme(scheme):
		return "", "", invalid(param, "must begin with http:// or https://")
	case scheme == "http" || scheme == "https":
	case slices.Contains(neverSchemes, scheme):
		return "", "", invalid(param, "must not use the scheme %s", scheme)
	case !slices.Contains(d.schemes, scheme):
		// "example.com:8080/x" has no scheme, though it looks like one.
		return "", "", invalid(param, "must begin with http:// or https://")
	}
	return scheme, rest, nil
}

// neverSchemes run code or read files where the visitor is; no host may allow
// them.
var neverSchemes = []string{"javascript", "data", "vbscript", "file", "blob"}

// isScheme is RFC 3986, section 3.1, for a scheme in lower case.
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != ""
}

func (d destinationRule) checkAuthority(param, authority, scheme string) error {
	if strings.Contains(authority, "@") {
		return invalid(param, "must not have a user name before the host")
	}
	host, port, ok := splitHostPort(authority)
	if !ok {
		return invalid(param, "has a port that is not a number from 1 to 65535")
	}
	if host == "" {
		return invalid(param, "has no host")
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	written := host
	host, err := weburl.Host(written)
	switch {
	case err != nil && strings.HasPrefix(written, "["):
		return invalid(param, "has a host in brackets that is not an IPv6 address")
	case err != nil || strings.Contains(written, "%"):
		return invalid(param, "has a host that is not a domain name or an IP address")
	case !strings.ContainsAny(strings.TrimPrefix(written, "www."), dots) && !strings.HasPrefix(written, "["),
		!strings.Contains(strings.TrimPrefix(host, "www."), ".") && !weburl.IsIP(host):
		return invalid(param, "must have a complete domain name with a dot as its host")
	}
	if d.serves != nil && d.serves(host, port) {
		return invalid(param, "must not lead to %s, which serves tracking links itself (a loop)", host)
	}
	return nil
}

// dots are the characters that browsers take for one in a host.
const dots = ".\u3002\uff0e\uff61"

// splitHostPort splits what stands between "//" and the path. ok is false if
// the port is none.
func splitHostPort(authority string) (host, port string, ok bool) {
	host = authority
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.Contains(authority[i:], "]") {
		host, port = authority[:i], authority[i+1:]
		n := 0
		for _, c := range []byte(port) {
			if c < '0' || c > '9' || n > 65535 {
				return "", "", false
			}
			n = n*10 + int(c-'0')
		}
		if port != "" && (n < 1 || n > 65535) {
			return "", "", false
		}
		port = strings.TrimLeft(port, "0")
	}
	return host, port, true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// location writes a destination that check accepted as the value of a Location
// header: in ASCII, IDN as "xn--", all else that is not ASCII as percent
// escapes of its UTF-8. What is ASCII stays as written.
func location(destination string) string {
	if isASCII(destination) {
		return destination
	}
	head, rest := "", destination
	if i := strings.Index(destination, "://"); i >= 0 {
		end := i + 3 + len(authority(destination[i+3:]))
		if host, port, ok := splitHostPort(destination[i+3 : end]); ok && !isASCII(host) {
			if name, err := weburl.Host(host); err == nil {
				if port != "" {
					name += ":" + port
				}
				head, rest = destination[:i+3]+name, destination[end:]
			}
		}
	}
	var b strings.Builder
	b.WriteString(head)
	const hexDigits = "0123456789ABCDEF"
	for i := range len(rest) {
		if c := rest[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
