package linktrack

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/linktrackhq/linktrack/internal/weburl"
)

// hosts are those whose links a Tracker serves, and the path below which it is
// mounted on each of them.
type hosts struct {
	list   []*servedHost // the first is BaseURL's
	byName map[string]*servedHost
	prefix string // "" or "/l": of the paths that the Tracker answers
	tls    bool   // visitors come by https

	cookiePath string // prefix and a slash, as browsers write it
}

type servedHost struct {
	name     string // as the API shows it: "go.example.com", with a port if BaseURL or Hosts has one
	hostname string // the name without the port
	port     string // "": any
	base     string // what a tracking URL on this host begins with, up to and with the last slash
}

func newHosts(baseURL string, more []string) (hosts, error) {
	if baseURL == "" {
		baseURL = "http://localhost:8080"
	}
	u, err := url.Parse(baseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return hosts{}, invalid("BaseURL", "must be an absolute http or https URL such as https://go.example.com, not %q", baseURL)
	}
	hs := hosts{
		byName: make(map[string]*servedHost),
		prefix: strings.TrimRight(u.Path, "/"),
		tls:    u.Scheme == "https",
	}
	hs.cookiePath = (&url.URL{Path: hs.prefix + "/"}).EscapedPath()
	for i, name := range append([]string{u.Host}, more...) {
		param := "Hosts"
		if i == 0 {
			param = "BaseURL"
		}
		hostname, port, err := parseHost(name)
		if err != nil {
			return hosts{}, invalid(param, "has %q, which is not a host name", name)
		}
		if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
			port = ""
		}
		h := &servedHost{name: hostname, hostname: hostname, port: port}
		if port != "" {
			h.name += ":" + port
		}
		if _, twice := hs.byName[h.name]; twice && i > 0 {
			return hosts{}, invalid(param, "has %q twice", name)
		}
		h.base = u.Scheme + "://" + h.name + hs.cookiePath
		hs.list = append(hs.list, h)
		hs.byName[h.name] = h
	}
	for _, h := range hs.list { // a name alone is enough where it is clear whose it is
		if _, exists := hs.byName[h.hostname]; !exists {
			hs.byName[h.hostname] = h
		}
	}
	return hs, nil
}

// named returns the host that a caller names; "": the first.
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

// below cuts the mount's prefix and the slash off a request's path.
func (hs *hosts) below(path string) (rest string, ok bool) {
	if hs.prefix != "" && strings.HasPrefix(path, "//") { // as in a link's path itself, they are one
		path = "/" + strings.TrimLeft(path, "/")
	}
	rest, ok = strings.CutPrefix(path, hs.prefix)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(rest, "/")
}
