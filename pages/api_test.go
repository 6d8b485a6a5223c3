package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/apispec"
	"github.com/linktrackhq/linktrack/internal/testtool"
	"github.com/linktrackhq/linktrack/pages"
)

func TestTheAPIIsShownWithTheAccountsOwnLogin(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/bobs"}})
	r := s.get("api")
	require.Equal(t, 200, r.StatusCode)
	require.Contains(t, r.body, "pass=YOUR_PASS")
	require.Contains(t, r.body, "redirect_hash=YOUR_LINK")
	require.NotContains(t, r.body, pass)
	require.Contains(t, r.texts("pre")[0], "https://go.example.com/api/v1_0/makeLink?login=ada&pass=YOUR_PASS&external_url=https://example.com/spring")
	require.Contains(t, r.texts("pre")[1], "curl 'https://go.example.com/api/v1_0/makeLink' \\\n  --data-urlencode 'login=ada'")
	require.Equal(t, 200, s.get("/api/openapi.json").StatusCode)
	require.Contains(t, r.body, `href="https://go.example.com/api/openapi.json"`)
	require.Equal(t, []string{"API"}, currentOf(r))
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	require.Contains(t, s.get("api").body, "redirect_hash=spring", "an example is of the account's own link")

	s.signIn("bob", pass)
	require.Len(t, s.get("api").texts("barred"), 16, "a free account is told what it may not use")
}

func TestTheAPIIsShownAsItIsDescribedAndAsTheHostWordsIt(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{Texts: map[string]string{
		"api.error.404": "Kein solcher Link.", "api.param.exportHistory.start_date": "Der Anfang.", "api.returns.ping.200": "Die Zeit.",
	}})
	s.signIn("ada", pass)
	page := strings.Join(s.get("api").texts("main"), "")
	for _, own := range []string{"Kein solcher Link.", "Der Anfang.", "Die Zeit."} {
		require.Equal(t, 1, strings.Count(page, own), own)
	}
	for _, e := range apispec.Errors() {
		require.Equal(t, e.Status != "404", strings.Contains(page, e.Status+e.Text), e.Status)
	}
	for _, c := range apispec.Calls() {
		if !strings.HasPrefix(c.Path, "/api/v1_0/") {
			continue
		}
		require.Contains(t, page, c.Text)
		for _, a := range c.Answers {
			require.Contains(t, page, a.Status+a.Text)
		}
		for _, q := range c.Params {
			require.Contains(t, page, q.Name)
			require.Equal(t, c.Name != "exportHistory" || q.Name != "start_date", strings.Contains(page, q.Text), "%s of %s", q.Name, c.Name)
		}
		require.Contains(t, page, strings.Join(c.Fields, " "))
	}
}

func currentOf(r *answer) (texts []string) {
	for _, n := range r.all(func(n *html.Node) bool { return has(n, "aria-current") }) {
		texts = append(texts, text(n))
	}
	return texts
}

// odd is a login with every character that ends a text in some language.
const odd = "a'b\"c\\d$e`f</code><script>&g {{h}}"

func TestALoginThatLooksLikeProgramIsShownAsItIs(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	_, _, err := s.tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: odd, Pass: pass})
	require.NoError(t, err)
	s.signIn(odd, pass)
	r := s.get("api")
	require.Contains(t, r.texts("code"), odd)
	require.NotContains(t, r.body, "</code><script>")
	require.Contains(t, r.body, `--data-urlencode &#39;login=a&#39;\&#39;&#39;b`)
}

func TestTheSamplesRun(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	s := newSite(t, linktrack.Options{BaseURL: "http://" + server.Listener.Addr().String()}, pages.Options{})
	a, _, err := s.tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: odd, Pass: "YOUR_PASS", Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	link := s.make(a, linktrack.NewLink{VanityLink: "spring"})
	server.Config.Handler = s.handler
	server.Start()
	defer server.Close()
	s.cookies = map[string]*http.Cookie{}
	r := httptest.NewRequest("POST", server.URL+"/account/login", strings.NewReader(url.Values{"login": {odd}, "pass": {"YOUR_PASS"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, 303, s.do(r).StatusCode)
	page := s.get("api")
	run := func(t *testing.T, program string, args ...string) string {
		t.Helper()
		out, err := exec.Command(program, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	made := 0
	for i, code := range page.texts("pre")[1:] {
		// For the slower languages, the answers of makeLink and getLink are enough.
		name := filepath.Join(t.TempDir(), fmt.Sprintf("%d.go", i))
		switch {
		case strings.HasPrefix(code, "curl"):
			t.Run("curl", func(t *testing.T) {
				testtool.Path(t, "curl")
				out := run(t, "sh", "-c", strings.Replace(code, "curl ", "curl --silent --show-error ", 1))
				require.NotContains(t, out, "Error: not allowed", code)
				if strings.Contains(code, "getLink'") {
					require.Contains(t, out, `"redirect_hash":"`+link.Path+`"`)
				}
			})
		case i > 5:
			continue
		case strings.HasPrefix(code, "<?php"):
			t.Run("PHP", func(t *testing.T) {
				php := testtool.PHP(t)
				require.NoError(t, os.WriteFile(name, []byte(code), 0o600))
				require.Regexp(t, `^(201 http://127|200 \{"link)`, run(t, php, name))
			})
		default:
			t.Run("Go", func(t *testing.T) {
				require.NoError(t, os.WriteFile(name, []byte(code+"\n"), 0o600))
				require.Empty(t, run(t, "gofmt", "-l", name), "the sample is formatted")
				require.Regexp(t, `^(201 http://127|200 \{"link)`, run(t, "go", "run", name))
			})
		}
		made++
	}
	require.Greater(t, made, 12)
}

func TestACallIsTriedInTheNameOfWhoIsSignedIn(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/bobs"}})
	bobs := s.links(s.bob)[0]
	for _, name := range []string{"makeLink", "getLink", "getLinks", "getLinkHistory", "getReport", "exportHistory", "conversion", "getOptOutLink", "ping"} {
		r := s.get("api/" + name)
		require.Equal(t, 200, r.StatusCode, name)
		require.Empty(t, r.texts("answer"), "%s: nothing is called by GET", name)
		require.Empty(t, r.all(func(n *html.Node) bool { return attribute(n, "name") == "pass" }))
		require.Len(t, s.post("api/"+name, r.form()).texts("answer"), 1, name)
	}
	require.Empty(t, s.links(s.ada))

	r := s.post("api/makeLink", url.Values{
		"external_url": {"https://example.com/<x>"}, "title": {"T&T"}, "vanity_link": {"spring"}, "notes": {"a\r\nb"}, "password": {"secret"}, "login": {"bob"}, "pass": {pass},
	})
	require.Equal(t, "https://go.example.com/spring", r.texts("answer")[0])
	require.Equal(t, "201 Created", r.texts("method")[0])
	require.Equal(t, "a\nb", s.link("spring").Notes)
	require.Contains(t, r.texts("pre")[1], "--data-urlencode 'title=T&T'")
	require.NotContains(t, r.texts("pre")[1], "secret")

	r = s.post("api/makeLink", url.Values{"external_url": {"nowhere"}})
	require.Equal(t, "400 Bad Request", r.texts("method")[0])
	require.Equal(t, "Error: external_url must begin with http:// or https://", r.texts("answer")[0])
	require.Equal(t, "nowhere", r.form().Get("external_url"), "what was given stays")

	r = s.post("api/getLinks", url.Values{"format": {"json"}})
	require.Contains(t, r.texts("answer")[0], `"title":"T&T"`)
	require.NotContains(t, r.body, "bobs")
	require.Equal(t, "404 Not Found", s.post("api/getLink", url.Values{"redirect_hash": {bobs.Path}}).texts("method")[0])
	require.Contains(t, s.post("api/exportHistory", url.Values{"redirect_hash": {"spring"}}).texts("answer")[0], "id,created_at")

	require.Equal(t, 404, s.get("api/none").StatusCode)
	require.Equal(t, 404, s.post("api/openapi.json", nil).StatusCode)
	s.signIn("bob", pass)
	r = s.post("api/makeLink", url.Values{"external_url": {"https://example.com/"}, "title": {"T"}})
	require.Equal(t, "403 Forbidden", r.texts("method")[0])
	s.post("logout", nil)
	require.Equal(t, 401, s.post("api/makeLink", url.Values{"external_url": {"https://example.com/"}}).StatusCode, "the form is kept, see there")
	require.Len(t, s.links(s.bob), 1)
}

func TestALongAnswerIsCut(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{Notes: strings.Repeat("ü", 10_000)}})
	for range 20 {
		s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Notes: strings.Repeat("ü", 10_000)}})
	}
	for range 1500 {
		_, err := s.tracker.Follow(t.Context(), linktrack.Visit{Host: l.Host, Path: l.Path, UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
		require.NoError(t, err)
	}
	for _, name := range []string{"getLinks", "exportHistory"} {
		r := s.post("api/"+name, url.Values{"redirect_hash": {"spring"}})
		require.Equal(t, 200, r.StatusCode, name)
		require.Contains(t, r.texts("hint"), "Only the beginning is shown.", name)
		require.InDelta(t, 64<<10, len(r.texts("answer")[0]), 1000, name) // the parser of HTML drops CR
	}
}

func TestARenewedPassIsShownOnceAndTheOldOneStops(t *testing.T) {
	s := signedIn(t, "ada")
	elsewhere := &site{T: t, handler: s.handler, cookies: map[string]*http.Cookie{}}
	elsewhere.signIn("ada", pass)
	api := func(pass string) int {
		return s.get("/api/v1_0/getLinks?login=ada&pass=" + url.QueryEscape(pass)).StatusCode
	}
	require.Contains(t, s.get("api").body, `href="/account/pass"`)
	form := s.get("pass").form()
	require.Equal(t, 200, api(pass), "to ask changes nothing")
	require.Equal(t, 409, s.post("pass", nil).StatusCode)
	require.Equal(t, 403, s.post("pass", form, "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Equal(t, 200, api(pass), "it is not renewed by another form")

	r := s.post("pass", form)
	require.Equal(t, 200, r.StatusCode)
	require.Contains(t, r.Header.Get("Cache-Control"), "no-store")
	renewed := r.texts("secret")[0][:32]
	require.Equal(t, 401, api(pass))
	require.Equal(t, 200, api(renewed))
	require.Equal(t, 200, s.get("links").StatusCode, "this browser stays")
	require.Equal(t, 303, elsewhere.get("links").StatusCode, "others do not")
	require.Equal(t, 403, elsewhere.signIn("ada", pass).StatusCode)
	require.Equal(t, 303, elsewhere.signIn("ada", renewed).StatusCode)

	r = s.post("pass", form)
	require.Equal(t, 409, r.StatusCode, "who loads the answer again")
	require.NotContains(t, r.body, renewed)
	require.Equal(t, 200, api(renewed), "keeps the pass")
	require.Equal(t, 200, s.get("/api/v1_0/getLinks?login=bob&pass="+url.QueryEscape(pass)).StatusCode, "others keep theirs")
	require.Equal(t, 200, s.post("pass", r.form()).StatusCode)
	require.Equal(t, 401, api(renewed))
}

func TestAHostsOwnAccountsHaveNoPassHere(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{Session: func(*http.Request) (linktrack.Account, error) {
		return linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}, nil // as Ada's
	}})
	r := s.get("api")
	require.NotContains(t, r.body, "/account/pass")
	require.Contains(t, r.body, "login=YOUR_LOGIN")
	require.Equal(t, 404, s.get("pass").StatusCode)
	require.Equal(t, 405, s.post("pass", nil).StatusCode)
	require.Equal(t, 200, s.get("/api/v1_0/getLinks?login=ada&pass="+url.QueryEscape(pass)).StatusCode)
	require.Equal(t, "201 Created", s.post("api/makeLink", url.Values{"external_url": {"https://example.com/"}}).texts("method")[0])
}
