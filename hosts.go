package linktrack

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/linktrackhq/linktrack/internal/weburl"
)

// hosts are the hosts whose links a Tracker serves.
type hosts struct {
	list   []*servedHost // the first is BaseURL's
	byName map[string]*servedHost
}

// A servedHost is a host with the path where the Tracker is mounted on it.
type servedHost struct {
	name     string // as the API shows it: "go.example.com", with a port if BaseURL or Hosts has one
	hostname string // the name without the port
	port     string // "": any

	scheme     string // http or https
	prefix     string // of the paths that the Tracker answers: "" or "/l"
	cookiePath string // the prefix and a slash, as browsers write it
	base       string // the beginning of tracking URLs on this host, with the last slash
}

// newHosts reads [Options.BaseURL] and [Options.Hosts].
func newHosts(baseURL string, more []string) (hosts, error) {
	hs := hosts{byName: make(map[string]*servedHost)}
	first, err := readBase(cmp.Or(baseURL, "http://localhost:8080"))
	if err != nil {
		return hosts{}, invalid("BaseURL", "must be an absolute http or https URL such as https://go.example.com or https://example.com/go, not %q", baseURL)
	}
	hs.add(first)
	for _, entry := range more {
		address := entry
		if !strings.ContainsAny(entry, "/@") {
			address = first.scheme + "://" + entry
		}
		h, err := readBase(address)
		if err == nil && address != entry {
			h.mount(first.prefix)
		}
		if err != nil {
			return hosts{}, invalid("Hosts", "has %q, which is not a host name such as alt.example or an absolute URL such as https://alt.example/go", entry)
		}
		if _, twice := hs.byName[h.name]; twice {
			return hosts{}, invalid("Hosts", "has %q twice", entry)
		}
		hs.add(h)
	}
	for _, h := range hs.list { // a name alone is enough where it is clear whose it is
		if _, exists := hs.byName[h.hostname]; !exists {
			hs.byName[h.hostname] = h
		}
	}
	return hs, nil
}

func (hs *hosts) add(h *servedHost) {
	hs.list = append(hs.list, h)
	hs.byName[h.name] = h
}

var errBase = errors.New("not the beginning of links")

// readBase reads the URL with which the links of a host begin. Its path must not have
// empty parts or "..", because browsers read two slashes at its beginning as a host,
// nor characters that end the path of a cookie.
func readBase(address string) (*servedHost, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || u.User != nil || strings.ContainsAny(address, "?#") {
		return nil, errBase
	}
	prefix := strings.TrimRight(u.Path, "/")
	if prefix != "" && prefix != path.Clean(prefix) || strings.ContainsAny(prefix, `;,\`) || strings.ContainsFunc(prefix, unicode.IsControl) {
		return nil, errBase
	}
	h := &servedHost{scheme: u.Scheme}
	if h.hostname, h.port, err = parseHost(u.Host); err != nil {
		return nil, err
	}
	h.name = h.hostname
	switch {
	case h.port == map[string]string{"http": "80", "https": "443"}[h.scheme]:
		h.port = ""
	case h.port != "":
		h.name += ":" + h.port
	}
	h.mount(prefix)
	return h, nil
}

func (h *servedHost) mount(prefix string) {
	h.prefix = prefix
	h.cookiePath = (&url.URL{Path: prefix + "/"}).EscapedPath()
	h.base = h.scheme + "://" + h.name + h.cookiePath
}

// named returns the host that a caller names; "" is the first.
func (hs *hosts) named(name string) (*servedHost, bool) {
	if name == "" {
		return hs.list[0], true
	}
	return hs.find(name)
}

// parseHost splits and normalizes "host" or "host:port".
func parseHost(s string) (hostname, port string, err error) {
	hostname, port, ok := splitHostPort(s)
	if !ok {
		return "", "", fmt.Errorf("bad port")
	}
	hostname, err = weburl.Host(hostname)
	return hostname, port, err
}

// find returns the host that a caller or a Host header names, with or without
// its port, in any case.
func (hs *hosts) find(name string) (*servedHost, bool) {
	if h, ok := hs.byName[name]; ok {
		return h, true
	}
	hostname, port, err := parseHost(name)
	if err != nil {
		return nil, false
	}
	if h, ok := hs.byName[hostname+":"+port]; ok {
		return h, true
	}
	h, ok := hs.byName[hostname]
	return h, ok
}

// serves reports whether a destination there would be a link to a link.
func (hs *hosts) serves(hostname, port string) bool {
	for _, h := range hs.list {
		if h.hostname == hostname && (h.port == "" || h.port == port) {
			return true
		}
	}
	return false
}

// below removes the mount's prefix and the slash from a request's path.
func (h *servedHost) below(path string) (rest string, ok bool) {
	if h.prefix != "" && strings.HasPrefix(path, "//") { // as in a link's path itself, they are one
		path = "/" + strings.TrimLeft(path, "/")
	}
	rest, ok = strings.CutPrefix(path, h.prefix)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(rest, "/")
}

// below removes the longest prefix of any host that a path is below, for a path whose
// host is not known.
func (hs *hosts) below(path string) (rest string, ok bool) {
	for _, h := range hs.list {
		if below, found := h.below(path); found && (!ok || len(below) < len(rest)) {
			rest, ok = below, true
		}
	}
	return rest, ok
}

// of returns the host of a link, and the first for a host that is not served.
func (hs *hosts) of(l *Link) *servedHost {
	if h, ok := hs.find(l.Host); ok {
		return h
	}
	return hs.list[0]
}

// url returns the tracking URL of a link. On a host that is not served, it has the
// scheme and the path of BaseURL.
func (hs *hosts) url(l *Link) string {
	if l.Host == "" {
		return hs.list[0].base + l.Path
	}
	if h, ok := hs.byName[l.Host]; ok && h.name == l.Host {
		return h.base + l.Path
	}
	return hs.list[0].scheme + "://" + l.Host + hs.list[0].cookiePath + l.Path
}
