package program

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// withPages serves the links and, at account/ below the path of each host, the
// pages for people. The root redirects to the pages. No mux is used, because a
// mux redirects paths that are not clean, and such paths can be links.
func withPages(t *linktrack.Tracker, c config, to *elsewhere, o pages.Options) (http.Handler, error) {
	mounts := make(map[string]http.Handler) // by the path of the base
	for _, base := range to.bases {
		if mounts[base] == nil {
			h, err := withPagesAt(base+"/account/", t, c, to, o)
			if err != nil {
				return nil, err
			}
			mounts[base] = h
		}
	}
	if len(mounts) == 1 {
		for _, h := range mounts {
			return h, nil
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mounts[to.base(&url.URL{Host: r.Host})].ServeHTTP(w, r)
	}), nil
}

// withPagesAt serves the pages below a prefix, and links at other paths.
func withPagesAt(prefix string, t *linktrack.Tracker, c config, to *elsewhere, o pages.Options) (http.Handler, error) {
	o.Prefix, o.AnonymousLinks = prefix, c.anonymousLinks
	account, err := pages.New(t, o)
	if err != nil {
		return nil, err
	}
	links, form := account.QR(t.Handler()), account.AnonymousForm()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix) || r.URL.Path == strings.TrimSuffix(prefix, "/") {
			account.ServeHTTP(w, r)
			return
		}
		if c.hasFront() && r.URL.Path == strings.TrimSuffix(prefix, "account/") {
			form.ServeHTTP(w, r)
			return
		}
		if root, ok := to.root(r, prefix); ok {
			w.Header().Set("Cache-Control", "private, no-store")
			http.Redirect(w, r, root, http.StatusFound)
			return
		}
		links.ServeHTTP(w, r)
	}), nil
}

// hasFront reports whether the form for anonymous links is at the root.
func (c config) hasFront() bool { return c.anonymousLinks && c.home == "" }

// pagesPrefix returns the prefix of the pages. account is a reserved word, so no
// link can have this path.
func pagesPrefix(baseURL string) string {
	path := ""
	if u, err := url.Parse(baseURL); err == nil {
		path = strings.TrimRight(u.Path, "/")
	}
	return path + "/account/"
}
