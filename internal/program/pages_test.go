package program

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestPeopleSignInBesideTheLinks(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for name, args := range map[string][]string{
		"at the root":       nil,
		"below a path":      {"-base-url", "http://localhost/l"},
		"of a free account": {"-type", "free"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, bin, nil, append(args, "-addr", "127.0.0.1:0", "-login", "ada", "-pass", "ada-s-own-pass")...)
			pages := p.Line(t, "pages for people: ")
			jar, _ := cookiejar.New(nil)
			browser := &http.Client{Jar: jar}
			open := func(r *http.Response, err error) string {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				if r.StatusCode != http.StatusOK {
					t.Fatalf("%s: status %d", r.Request.URL, r.StatusCode)
				}
				return r.Request.URL.String()
			}
			if at := open(browser.Get(strings.TrimSuffix(pages, "/"))); at != pages+"login" {
				t.Errorf("one who is not signed in gets %s", at)
			}
			if at := open(browser.PostForm(pages+"login", url.Values{"login": {"ada"}, "pass": {"ada-s-own-pass"}})); at != pages+"links" {
				t.Errorf("one who has signed in gets %s", at)
			}
			at := open(browser.PostForm(pages+"links/new", url.Values{"external_url": {"https://example.com/"}}))
			if !regexp.MustCompile(`/account/links\?made=localhost`).MatchString(at) {
				t.Errorf("one who has made a link gets %s", at)
			}
			p.Stop(t)
		})
	}
}
