package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// withPages serves the pages for people beside the links, and that for quick
// links where nothing else would be. No mux is between: it would redirect paths
// that it takes for unclean, which are the links' affair.
func withPages(t *linktrack.Tracker, c config, logger *slog.Logger) (http.Handler, error) {
	prefix := pagesPrefix(c.baseURL)
	account, err := pages.New(t, pages.Options{Prefix: prefix, Quick: c.quick, Logger: logger})
	if err != nil {
		return nil, err
	}
	links, quick := account.QR(t.Handler()), account.Quick()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix) || r.URL.Path == strings.TrimSuffix(prefix, "/") {
			account.ServeHTTP(w, r)
			return
		}
		if c.quick && r.URL.Path == strings.TrimSuffix(prefix, "account/") {
			quick.ServeHTTP(w, r)
			return
		}
		links.ServeHTTP(w, r)
	}), nil
}

// pagesPrefix is where the pages are: account is a word that no link may have.
func pagesPrefix(baseURL string) string {
	path := ""
	if u, err := url.Parse(baseURL); err == nil {
		path = strings.TrimSuffix(u.Path, "/")
	}
	return path + "/account/"
}
