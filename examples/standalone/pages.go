package main

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// withPages serves the pages for people beside the links, below the same path on
// each host, and at the root what leads to them. No mux is between: it would
// redirect paths that it takes for unclean, which are the links' affair.
func withPages(t *linktrack.Tracker, c config, to *elsewhere, look pages.Options) (http.Handler, error) {
	mounts := make(map[string]http.Handler) // by the path of the base
	for _, base := range to.bases {
		if mounts[base] == nil {
			h, err := withPagesAt(base+"/account/", t, c, to, look)
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

// withPagesAt is withPages with the pages below a prefix.
func withPagesAt(prefix string, t *linktrack.Tracker, c config, to *elsewhere, look pages.Options) (http.Handler, error) {
	look.Prefix, look.AnonymousLinks = prefix, c.quick
	account, err := pages.New(t, look)
	if err != nil {
		return nil, err
	}
	links, quick := account.QR(t.Handler()), account.AnonymousForm()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix) || r.URL.Path == strings.TrimSuffix(prefix, "/") {
			account.ServeHTTP(w, r)
			return
		}
		if c.hasFront() && r.URL.Path == strings.TrimSuffix(prefix, "account/") {
			quick.ServeHTTP(w, r)
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

// hasFront reports whether the front page for quick links is at the root.
func (c config) hasFront() bool { return c.quick && c.home == "" }

// pagesPrefix is where the pages are: account is a word that no link may have.
func pagesPrefix(baseURL string) string {
	path := ""
	if u, err := url.Parse(baseURL); err == nil {
		path = strings.TrimRight(u.Path, "/")
	}
	return path + "/account/"
}
