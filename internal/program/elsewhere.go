package program

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/weburl"
)

// elsewhere redirects requests that are not for a link: requests for the root,
// and for paths that do not exist. These redirects are not links, and nothing is
// counted.
type elsewhere struct {
	home     *url.URL // nil means the pages
	notFound *url.URL // nil means a 404 page
	hosts    []string // of the service, as hostOf returns them; the host of the base URL is the first
	// bases has the path of the links on each host, without a slash at the end,
	// by the result of nameOf. The key "" is for hosts that are not the
	// service's.
	bases map[string]string
}

// newElsewhere returns the redirects of the flags, or an error if they form a
// loop.
func newElsewhere(c config) (*elsewhere, error) {
	e := &elsewhere{bases: make(map[string]string)}
	for i, base := range c.bases() {
		e.hosts = append(e.hosts, hostOf(base))
		name, port := nameOf(base)
		e.bases[name+port] = strings.TrimRight(base.Path, "/")
		if i == 0 {
			e.bases[""] = strings.TrimRight(base.Path, "/")
		}
	}
	var err error
	if e.home, err = targetOf("-home", c.home); err != nil {
		return nil, err
	}
	if e.notFound, err = targetOf("-not-found", c.notFound); err != nil {
		return nil, err
	}
	if err := e.loop(e.hosts); err != nil {
		return nil, err
	}
	return e, nil
}

// loop returns an error if the redirects form a loop when the service has these
// names.
func (e *elsewhere) loop(names []string) error {
	home, homeOutside := e.lands(e.home, names)
	notFound, notFoundOutside := e.lands(e.notFound, names)
	switch {
	case home == onRoot && !homeOutside:
		return errors.New("-home must not lead to the root of this service, because that redirects there")
	case notFound == onLinks && !notFoundOutside:
		return errors.New("-not-found must not lead to a link of this service, because the link may not exist; it may lead to the root or to the pages")
	case notFound == onRoot && home == onLinks:
		return errors.New("-not-found must not lead to the root of this service while -home redirects that to a link, because the link may not exist")
	}
	return nil
}

// loops reports whether the redirects form a loop because the service has been
// reached by the name of a target, which the flags do not name as a host of the
// service.
func (e *elsewhere) loops(r *http.Request) bool {
	here := hostOf(&url.URL{Host: r.Host})
	names := slices.Clone(e.hosts)
	for _, target := range []*url.URL{e.home, e.notFound} {
		if target != nil {
			names = append(names, hostOf(target))
		}
	}
	return slices.Contains(names[len(e.hosts):], here) && !slices.Contains(e.hosts, here) && e.loop(names) != nil
}

// bases returns the URLs that links begin with, the base URL first. It leaves out
// a URL that cannot be parsed, because the Tracker refuses it.
func (c config) bases() []*url.URL {
	first, err := url.Parse(c.baseURL)
	if err != nil {
		return nil
	}
	bases := []*url.URL{first}
	for _, host := range c.hosts {
		base := &url.URL{Host: host, Path: first.Path}
		if strings.Contains(host, "/") {
			if base, err = url.Parse(host); err != nil {
				continue
			}
		}
		bases = append(bases, base)
	}
	return bases
}

// base returns the path of the links on a host. For a host that is not the
// service's, it is the path of the base URL.
func (e *elsewhere) base(host *url.URL) string {
	name, port := nameOf(host)
	if base, ok := e.bases[name+port]; ok {
		return base
	}
	return e.bases[""]
}

func targetOf(name, address string) (*url.URL, error) {
	if address == "" {
		return nil, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, fmt.Errorf("%s must be an absolute http or https URL such as https://www.example.com/, without a user", name)
	}
	return u, nil
}

// hostOf returns the host of a URL in a form that can be compared. Ports 80 and
// 443 are left out, because visitors may come by http or https, and all names of
// this machine for itself become localhost.
func hostOf(u *url.URL) string {
	host, port := nameOf(u)
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err == nil && (addr.IsLoopback() || addr.IsUnspecified()) || strings.HasSuffix(host, ".localhost") {
		host = "localhost"
	}
	return host + port
}

// nameOf returns the host of a URL as browsers write it, and its port with a
// colon, "" for the ports of http and https.
func nameOf(u *url.URL) (host, port string) {
	host = u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if name, err := weburl.Host(host); err == nil {
		host = name
	}
	if port = u.Port(); port == "" || port == "80" || port == "443" {
		return host, ""
	}
	return host, ":" + port
}

// A landing is the target of a URL.
type landing int

const (
	away    landing = iota // another site
	onRoot                 // the root of this service
	onPages                // the pages for people
	onLinks                // a link, or an unknown path
)

// lands returns the target of a URL if the service has these names. outside
// reports that the path is not below the base URL: then a proxy may send it
// elsewhere.
func (e *elsewhere) lands(u *url.URL, names []string) (to landing, outside bool) {
	if u == nil || !slices.Contains(names, hostOf(u)) {
		return away, false
	}
	path := cleaned(u.Path)
	below, ok := strings.CutPrefix(path+"/", strings.TrimPrefix(e.base(u)+"/", "/"))
	if ok {
		path = strings.Trim(below, "/")
	}
	switch {
	case path == "":
		return onRoot, !ok
	case ok && (path == "account" || strings.HasPrefix(path, "account/")):
		return onPages, false
	}
	return onLinks, !ok
}

// cleaned returns a path as browsers request it, with "." and ".." resolved, and
// without slashes at its ends.
func cleaned(p string) string { return strings.Trim(path.Clean("/"+p), "/") }

// below returns the path of a request below the base, without slashes at its
// ends. A proxy may have removed the base.
func (e *elsewhere) below(r *http.Request) string {
	return strings.Trim(strings.TrimPrefix(r.URL.Path, e.base(&url.URL{Host: r.Host})), "/")
}

// root returns the redirect for a request for the root. ok is false for other
// requests.
func (e *elsewhere) root(r *http.Request, pages string) (to string, ok bool) {
	if e.below(r) != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", false
	}
	if e.home != nil && !e.same(e.home, r) && !e.loops(r) {
		return e.home.String(), true
	}
	return (&url.URL{Path: pages}).EscapedPath(), true
}

// same reports whether the request is for the target, by any name of the service.
func (e *elsewhere) same(target *url.URL, r *http.Request) bool {
	here := hostOf(target) == hostOf(&url.URL{Host: r.Host}) || slices.Contains(e.hosts, hostOf(target))
	return here && cleaned(target.Path) == cleaned(r.URL.Path)
}

// wrap returns pages that redirect a visitor instead of showing that a path does
// not exist.
func (e *elsewhere) wrap(p linktrack.VisitorPages) linktrack.VisitorPages {
	if e.notFound == nil {
		return p
	}
	return &notFoundElsewhere{p, e}
}

type notFoundElsewhere struct {
	linktrack.VisitorPages
	to *elsewhere
}

// ServePage implements [linktrack.VisitorPages]. Paths that only programs
// request, such as robots.txt, are still answered with 404.
func (n *notFoundElsewhere) ServePage(w http.ResponseWriter, r *http.Request, p linktrack.Page) {
	path := n.to.below(r)
	switch {
	case p.Kind != linktrack.PageNotFound, r.Method != http.MethodGet && r.Method != http.MethodHead,
		path == "api", path == "robots.txt", path == "favicon.ico",
		strings.HasPrefix(path, "api/"), strings.HasPrefix(path, ".well-known/"), n.to.same(n.to.notFound, r), n.to.loops(r):
		n.VisitorPages.ServePage(w, r, p)
	default:
		http.Redirect(w, r, n.to.notFound.String(), http.StatusFound)
	}
}
