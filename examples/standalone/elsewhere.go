package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// elsewhere says where visitors are sent who ask for something that is no link:
// for the root, or for a path that does not exist. These redirects are no links:
// nothing is counted.
type elsewhere struct {
	home     *url.URL // nil: to the pages
	notFound *url.URL // nil: nowhere, a page says that there is no such link
	base     string   // path of the base URL, without a slash at its end
	hosts    []string // see hostOf
}

// newElsewhere checks that no visitor is sent in circles.
func newElsewhere(c config) (*elsewhere, error) {
	e := new(elsewhere)
	if base, err := url.Parse(c.baseURL); err == nil {
		e.base = strings.TrimSuffix(base.Path, "/")
		e.hosts = append(e.hosts, hostOf(base))
	}
	for _, host := range c.hosts {
		e.hosts = append(e.hosts, hostOf(&url.URL{Host: host}))
	}
	var err error
	if e.home, err = targetOf("-home", c.home); err != nil {
		return nil, err
	}
	if e.notFound, err = targetOf("-not-found", c.notFound); err != nil {
		return nil, err
	}
	home, notFound := e.lands(e.home), e.lands(e.notFound)
	switch {
	case home == onRoot:
		return nil, errors.New("-home must not lead to the root of this service, because that redirects there")
	case notFound == onLinks:
		return nil, errors.New("-not-found must not lead to a link of this service, because the link may not exist; it may lead to the root or to the pages")
	case notFound == onRoot && home == onLinks:
		return nil, errors.New("-not-found must not lead to the root of this service while -home redirects that to a link, because the link may not exist")
	}
	return e, nil
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

// hostOf is the host of a URL to compare: visitors come by http or by https, so
// that the ports of both are alike.
func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		host += ":" + port
	}
	return host
}

// What a URL leads to.
type landing int

const (
	away    landing = iota // another site, or another part of this one
	onRoot                 // of this service
	onPages                // for people
	onLinks
)

func (e *elsewhere) lands(u *url.URL) landing {
	if u == nil || !slices.Contains(e.hosts, hostOf(u)) {
		return away
	}
	path, below := strings.CutPrefix(u.Path+"/", e.base+"/")
	switch path = strings.Trim(path, "/"); {
	case !below:
		return away
	case path == "":
		return onRoot
	case path == "account" || strings.HasPrefix(path, "account/"):
		return onPages
	}
	return onLinks
}

// below is the path of a request below the base, without slashes at its ends. A
// proxy may have cut the base off.
func (e *elsewhere) below(path string) string {
	return strings.Trim(strings.TrimPrefix(path, e.base), "/")
}

// root returns where a request for the root is sent, if it is one.
func (e *elsewhere) root(r *http.Request, pages string) (to string, ok bool) {
	if e.below(r.URL.Path) != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", false
	}
	if e.home != nil && !e.same(e.home, r) {
		return e.home.String(), true
	}
	return (&url.URL{Path: pages}).EscapedPath(), true
}

// same reports whether the request is for the target, under whatever name it
// came.
func (e *elsewhere) same(target *url.URL, r *http.Request) bool {
	here := hostOf(target) == hostOf(&url.URL{Host: r.Host}) || slices.Contains(e.hosts, hostOf(target))
	return here && strings.Trim(target.Path, "/") == strings.Trim(r.URL.Path, "/")
}

// wrap returns pages that send visitors elsewhere instead of telling them that a
// path does not exist.
func (e *elsewhere) wrap(p linktrack.Pages) linktrack.Pages {
	if e.notFound == nil {
		return p
	}
	return &notFoundElsewhere{p, e}
}

type notFoundElsewhere struct {
	linktrack.Pages
	to *elsewhere
}

// ServePage implements [linktrack.Pages]. What programs ask for is answered 404
// as ever.
func (n *notFoundElsewhere) ServePage(w http.ResponseWriter, r *http.Request, p linktrack.Page) {
	path := n.to.below(r.URL.Path)
	switch {
	case p.Kind != linktrack.NotFoundPage, r.Method != http.MethodGet && r.Method != http.MethodHead,
		path == "api", path == "robots.txt", path == "favicon.ico",
		strings.HasPrefix(path, "api/"), strings.HasPrefix(path, ".well-known/"), n.to.same(n.to.notFound, r):
		n.Pages.ServePage(w, r, p)
	default:
		http.Redirect(w, r, n.to.notFound.String(), http.StatusFound)
	}
}
