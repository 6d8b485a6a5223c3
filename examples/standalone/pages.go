package main

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// withPages serves the pages for people beside the links, and at the root what
// leads to them. No mux is between: it would redirect paths that it takes for
// unclean, which are the links' affair.
func withPages(t *linktrack.Tracker, c config, to *elsewhere, look pages.Options) (http.Handler, error) {
	prefix := pagesPrefix(c.baseURL)
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
		path = strings.TrimSuffix(u.Path, "/")
	}
	return path + "/account/"
}
