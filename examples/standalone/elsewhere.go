package main

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

// elsewhere says where visitors are sent who ask for something that is no link:
// for the root, or for a path that does not exist. These redirects are no links:
// nothing is counted.
type elsewhere struct {
	home     *url.URL // nil: to the pages
	notFound *url.URL // nil: nowhere, a page says that there is no such link
	hosts    []string // see hostOf; the first is that of the base URL
	// bases are the paths below which the links of each host are, without a slash
	// at the end, by nameOf; "" stands for a host that is not the service's.
	bases map[string]string
}

// newElsewhere checks that no visitor is sent in circles.
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
	if err := e.circle(e.hosts); err != nil {
		return nil, err
	}
	return e, nil
}

// circle returns the error of targets between which visitors could be sent in
// circles if the service has these names.
func (e *elsewhere) circle(names []string) error {
	home, homeBeside := e.lands(e.home, names)
	notFound, notFoundBeside := e.lands(e.notFound, names)
	switch {
	case home == onRoot && !homeBeside:
		return errors.New("-home must not lead to the root of this service, because that redirects there")
	case notFound == onLinks && !notFoundBeside:
		return errors.New("-not-found must not lead to a link of this service, because the link may not exist; it may lead to the root or to the pages")
	case notFound == onRoot && home == onLinks:
		return errors.New("-not-found must not lead to the root of this service while -home redirects that to a link, because the link may not exist")
	}
	return nil
}

// circular reports whether a request came under the name of a target, which the
// service was not told to be its own, and visitors would be sent in circles
// because it is.
func (e *elsewhere) circular(r *http.Request) bool {
	here := hostOf(&url.URL{Host: r.Host})
	names := slices.Clone(e.hosts)
	for _, target := range []*url.URL{e.home, e.notFound} {
		if target != nil {
			names = append(names, hostOf(target))
		}
	}
	return slices.Contains(names[len(e.hosts):], here) && !slices.Contains(e.hosts, here) && e.circle(names) != nil
}

// bases are the URLs that links begin with, the base URL first. One that cannot
// be read is left out: the Tracker refuses it.
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

// base is the path below which the links of a host are. A host that is not the
// service's has that of the base URL.
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

// hostOf is the host of a URL to compare, in the form that browsers make of it.
// Visitors come by http or by https, so that the ports of both are alike, and all
// names of this machine for itself are.
func hostOf(u *url.URL) string {
	host, port := nameOf(u)
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err == nil && (addr.IsLoopback() || addr.IsUnspecified()) || strings.HasSuffix(host, ".localhost") {
		host = "localhost"
	}
	return host + port
}

// nameOf is the host of a URL in the form that browsers make of it, and its port
// with the colon, "" for those of http and https.
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

// What a URL leads to.
type landing int

const (
	away    landing = iota // another site
	onRoot                 // of this service
	onPages                // for people
	onLinks
)

// lands says what a URL leads to if the service has these names. beside says
// that it is not below the base URL: the service takes it for what it is without
// the base, unless a proxy leads it elsewhere.
func (e *elsewhere) lands(u *url.URL, names []string) (to landing, beside bool) {
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

// cleaned is a path as browsers ask for it, "." and ".." being resolved, without
// slashes at its ends.
func cleaned(p string) string { return strings.Trim(path.Clean("/"+p), "/") }

// below is the path of a request below the base, without slashes at its ends. A
// proxy may have cut the base off.
func (e *elsewhere) below(r *http.Request) string {
	return strings.Trim(strings.TrimPrefix(r.URL.Path, e.base(&url.URL{Host: r.Host})), "/")
}

// root returns where a request for the root is sent, if it is one.
func (e *elsewhere) root(r *http.Request, pages string) (to string, ok bool) {
	if e.below(r) != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", false
	}
	if e.home != nil && !e.same(e.home, r) && !e.circular(r) {
		return e.home.String(), true
	}
	return (&url.URL{Path: pages}).EscapedPath(), true
}

// same reports whether the request is for the target, under whatever name it
// came.
func (e *elsewhere) same(target *url.URL, r *http.Request) bool {
	here := hostOf(target) == hostOf(&url.URL{Host: r.Host}) || slices.Contains(e.hosts, hostOf(target))
	return here && cleaned(target.Path) == cleaned(r.URL.Path)
}

// wrap returns pages that send visitors elsewhere instead of telling them that a
// path does not exist.
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

// ServePage implements [linktrack.VisitorPages]. What programs ask for is answered 404
// as ever.
func (n *notFoundElsewhere) ServePage(w http.ResponseWriter, r *http.Request, p linktrack.Page) {
	path := n.to.below(r)
	switch {
	case p.Kind != linktrack.PageNotFound, r.Method != http.MethodGet && r.Method != http.MethodHead,
		path == "api", path == "robots.txt", path == "favicon.ico",
		strings.HasPrefix(path, "api/"), strings.HasPrefix(path, ".well-known/"), n.to.same(n.to.notFound, r), n.to.circular(r):
		n.VisitorPages.ServePage(w, r, p)
	default:
		http.Redirect(w, r, n.to.notFound.String(), http.StatusFound)
	}
}
