package rules

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var apiCalls = []rule{
	{"getLink accepts every way to name a link", getLinkAcceptsEveryWayToNameALink},
	{"getLinks sorts, filters and limits", getLinksSortsFiltersAndLimits},
	{"an account sees its own links only", anAccountSeesItsOwnLinksOnly},
	{"getLinkHistory answers clicks", getLinkHistoryAnswersClicks},
	{"UpdateLink keeps the rules of makeLink", updateLinkKeepsTheRulesOfMakeLink},
}

func getLinkAcceptsEveryWayToNameALink(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{Hosts: []string{"alt.example"}})
	made := s.MakeLink()
	path := strings.TrimPrefix(made, "http://go.example.com/")
	vanity := s.MakeLink("vanity_link", "My_vanity")
	for _, name := range []string{path, path[1:], strings.ToUpper(path), made, "https://go.example.com/" + path, "go.example.com/" + path, "/" + path, " " + path + " ", made + "+"} {
		require.Equal(t, made, s.Link(name)["link"], name)
	}
	for _, name := range []string{"My_vanity", "MY_VANITY", ".my_vanity", vanity} {
		require.Equal(t, vanity, s.Link(name)["link"], name)
	}
	for _, name := range []string{"nope", "http://other.example/" + path, "http://alt.example/" + path, "a/b/" + path, "äöü", "%", "\x00", strings.Repeat("x", 5000), "+", "."} {
		r := s.Call("getLink", trackertest.Values("redirect_hash", name))
		require.Equal(t, 404, r.StatusCode, name)
		require.Equal(t, xml.Header+"<error><code>404</code><message>not found</message></error>\n", trackertest.Text(t, r))
	}
	on2 := s.MakeLink("vanity_link", "my_vanity", "host", "alt.example")
	for _, call := range []string{"getLink", "getLinkHistory", "getReport", "exportHistory"} {
		for _, name := range []string{"my_vanity", "/MY_VANITY"} {
			r := s.Call(call, trackertest.Values("redirect_hash", name, "format", "json"))
			require.Equal(t, 400, r.StatusCode, "%s %s", call, name)
			require.Contains(t, trackertest.Text(t, r), `"message":"redirect_hash must be the whole tracking URL, such as `+vanity+`, because the account has links with this path on several hosts"`)
		}
		require.Equal(t, 200, s.Call(call, trackertest.Values("redirect_hash", on2, "format", "json")).StatusCode, call)
	}
	require.Equal(t, vanity, s.Link(vanity)["link"])
	require.Equal(t, on2, s.Link("http://alt.example/my_vanity")["link"])
}

func getLinksSortsFiltersAndLimits(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	s.MakeLink("vanity_link", "one", "external_url", "http://c.example", "title", "Zebra", "group", "News")
	s.MakeLink("vanity_link", "Two", "external_url", "http://a.example", "title", "apple", "group", "news")
	s.MakeLink("vanity_link", "three", "external_url", "http://b.example")
	for range 3 {
		s.Get("/two")
	}
	s.Get("/three")
	for sort, want := range map[string]string{
		"l.external_url":  "Two three one",
		"l.redirect_hash": "one three Two",
		"l.created_at":    "one Two three",
		"lc.count_day":    "one three Two",
		"lc.count_total":  "one three Two",
		"lc.updated_at":   "one Two three",
		"d.title":         "three one Two",
		"g.name":          "three one Two",
	} {
		require.Equal(t, strings.Fields(want), s.Hashes("sort", sort, "order", "asc"), sort)
		backwards := strings.Fields(want)
		for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
			backwards[i], backwards[j] = backwards[j], backwards[i]
		}
		require.Equal(t, backwards, s.Hashes("sort", sort, "order", "DESC"), sort)
		require.Equal(t, backwards[:2], s.Hashes("sort", sort, "limit", "2"), sort)
	}
	require.Equal(t, []string{"three", "Two", "one"}, s.Hashes(), "the newest first")
	require.Equal(t, []string{"Two", "one"}, s.Hashes("links", " ONE, .two ,nope,one"))
	require.Equal(t, []string{"Two", "one"}, s.Hashes("groups", "x, NEWS"))
	require.Equal(t, []string{"one"}, s.Hashes("groups", "news", "links", "one,three"), "both must hold")
	require.Empty(t, s.Hashes("links", "nope"))
	require.Empty(t, s.Hashes("groups", "nope"))
	s.MakeLink("vanity_link", "comma", "external_url", "http://d.example", "group", `Berlin, "Summer"`)
	require.Equal(t, []string{"comma"}, s.Hashes("groups", `nope, "berlin, ""summer"""`), "a group with a comma can be asked for")
	require.Equal(t, []string{"comma", "Two", "one"}, s.Hashes("groups", `"Berlin, ""Summer""",news`))
	require.Equal(t, []string{"comma", "Two"}, s.Hashes("links", `"comma", ".two"`))
	require.Equal(t, "News", s.Link("two")["group"], "a group keeps the name it was made with")
	for pairs, want := range map[[2]string]string{
		{"sort", "title"}:                         "sort must be one of l.external_url, l.redirect_hash, l.created_at, lc.count_day, lc.count_total, lc.updated_at, d.title, g.name",
		{"sort", "l.created_at; DROP TABLE link"}: "sort must be one of l.external_url, l.redirect_hash, l.created_at, lc.count_day, lc.count_total, lc.updated_at, d.title, g.name",
		{"order", "up"}:                           "order must be asc or desc",
		{"limit", "0"}:                            "limit must be a number from 1 to 1000",
		{"limit", "1001"}:                         "limit must be a number from 1 to 1000",
		{"links", strings.Repeat("a,", 1001)}:     "links must have at most 1000 items",
		{"groups", strings.Repeat("a,", 1001)}:    "groups must have at most 1000 items",
		{"links", `"one`}:                         "links has an unclosed quotation mark",
		{"groups", `"News" x`}:                    "groups has text after a closing quotation mark",
		{"format", "jsonp"}:                       "format must be xml or json",
	} {
		r := s.Call("getLinks", trackertest.Values(pairs[0], pairs[1]))
		require.Equal(t, 400, r.StatusCode)
		require.Equal(t, xml.Header+"<error><code>400</code><message>"+want+"</message></error>\n", trackertest.Text(t, r))
	}
}

func anAccountSeesItsOwnLinksOnly(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	s.MakeLink("vanity_link", "mine", "group", "g")
	other, otherPass, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	as := func(name string, pairs ...string) *http.Response {
		return s.Post("/api/v1_0/"+name, trackertest.Values(append([]string{"login", other.Login, "pass", otherPass, "format", "json"}, pairs...)...))
	}
	for _, name := range []string{"getLink", "getLinkHistory"} {
		r := as(name, "redirect_hash", "mine")
		require.Equal(t, 404, r.StatusCode)
		mine := trackertest.Text(t, r)
		require.Equal(t, mine, trackertest.Text(t, as(name, "redirect_hash", "does_not_exist")), "as if it did not exist")
	}
	require.Equal(t, `{"links":[]}`+"\n", trackertest.Text(t, as("getLinks")))
	require.Equal(t, `{"links":[]}`+"\n", trackertest.Text(t, as("getLinks", "links", "mine")))
	require.Equal(t, `{"links":[]}`+"\n", trackertest.Text(t, as("getLinks", "groups", "g")))
	_, err = s.Tracker.UpdateLink(t.Context(), other, "mine", func(e *linktrack.LinkEdit) { e.Title = "x" })
	require.ErrorIs(t, err, linktrack.ErrNotFound)
	require.Equal(t, 409, as("makeLink", "external_url", "http://example.com", "vanity_link", "MINE").StatusCode)
}

func getLinkHistoryAnswersClicks(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	s.MakeLink("vanity_link", "spring")
	for i := range 5 {
		r := trackertest.Request(http.MethodGet, fmt.Sprintf("/spring?n=%d&x=%%zz", i), "",
			"User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
			"Referer", "https://News.example.org:8080/a?b=c")
		r.RemoteAddr = "192.0.2.7:1234"
		require.Equal(t, 302, s.Do(r).StatusCode)
	}
	s.Get("/spring", "User-Agent", "Googlebot/2.1 (+http://www.google.com/bot.html)")
	items := s.History("spring")
	require.Len(t, items, 6)
	require.Equal(t, 1.0, items[0]["is_bot"])
	require.Equal(t, 0.0, items[0]["is_unique"])
	first := items[5]
	_, ok := linktrack.ParseClickID(first["id"].(string))
	require.True(t, ok)
	delete(first, "id")
	delete(first, "created_at")
	require.Equal(t, map[string]any{
		"ip_address": "192.0.2.0", "referrer": "https://News.example.org:8080/a?b=c", "referrer_host": "news.example.org",
		"user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"browser":    "Firefox", "platform": "Windows", "is_unique": 1.0, "is_bot": 0.0, "query": "n=0&x=%zz",
	}, first)
	l := s.Link("spring")
	require.Equal(t, []any{5.0, 5.0, 5.0, 1.0}, []any{l["count_total"], l["count_unique"], l["count_day"], l["count_bot"]})
	require.NotNil(t, l["updated_at"])

	asc := s.History("spring", "order", "asc")
	require.Equal(t, items[0]["query"], asc[5]["query"])
	var paged []any
	after := ""
	for range 3 {
		page := s.History("spring", "order", "asc", "limit", "2", "after", after)
		for _, item := range page {
			paged = append(paged, item["id"])
		}
		after = page[len(page)-1]["id"].(string)
	}
	for i := range asc {
		require.Equal(t, asc[i]["id"], paged[i])
	}
	require.Len(t, s.History("spring", "before", asc[2]["id"].(string)), 2)

	today := time.Now().In(trackertest.Chicago(t))
	day := func(n int) string { return today.AddDate(0, 0, n).Format("2006-01-02") }
	require.Len(t, s.History("spring", "start_date", day(-30)), 6)
	require.Len(t, s.History("spring", "start_date", day(0)), 6)
	require.Empty(t, s.History("spring", "start_date", day(1)))
	require.Empty(t, s.History("spring", "end_date", day(0)))
	require.Empty(t, s.History("spring", "start_date", day(-2), "end_date", day(-1)))
	require.Empty(t, s.History("spring", "start_date", day(-1), "end_date", day(-2)), "end before start")
	require.Len(t, s.History("spring", "end_date", today.Add(time.Hour).Format("2006-01-02 15:04:05")), 6)
	for pairs, want := range map[[2]string]string{
		{"start_date", day(-32)}:   "start_date must not be more than 30 days back",
		{"start_date", "x"}:        "start_date must be a time such as",
		{"end_date", "2024-11-31"}: "end_date must be a time such as",
		{"sort", "l.created_at"}:   "sort must be h.created_at",
		{"limit", "1001"}:          "limit must be a number from 1 to 1000",
		{"before", "5"}:            "before must be the id of a click",
		{"order", "x"}:             "order must be asc or desc",
	} {
		r := s.Call("getLinkHistory", trackertest.Values("redirect_hash", "spring", pairs[0], pairs[1]))
		require.Equal(t, 400, r.StatusCode)
		require.Contains(t, trackertest.Text(t, r), want)
	}
	r := s.Call("getLinkHistory", nil)
	require.Equal(t, 400, r.StatusCode)
	require.Contains(t, trackertest.Text(t, r), "redirect_hash is missing")
	require.Equal(t, 200, s.Call("getLinkHistory", trackertest.Values("redirect_hash", "spring", "sort", "h.created_at")).StatusCode)
}

func updateLinkKeepsTheRulesOfMakeLink(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	s.MakeLink("vanity_link", "spring", "title", "Old", "group", "g")
	require.Equal(t, "https://example.com/page", s.Get("/spring").Header.Get("Location"))
	const destination = "https://example.org/new"
	l, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) {
		e.ExternalURL, e.Title, e.Group = destination, "New", ""
	})
	require.NoError(t, err)
	require.Equal(t, "New", l.Title)
	require.EqualValues(t, 1, l.Counts.People)
	require.Equal(t, destination, s.Get("/spring").Header.Get("Location"), "an edit is seen at once")
	require.Nil(t, s.Link("spring")["group"])
	for want, edit := range map[string]func(*linktrack.LinkEdit){
		"external_url is missing":                    func(e *linktrack.LinkEdit) { e.ExternalURL = "" },
		"title must have at most 255 characters":     func(e *linktrack.LinkEdit) { e.Title = strings.Repeat("x", 256) },
		"deactivate_at must be a whole number":       func(e *linktrack.LinkEdit) { e.DeactivateAt = -1 },
		"external_url must begin with http:// or":    func(e *linktrack.LinkEdit) { e.ExternalURL, e.Title = "javascript://x", "changed" },
		"password must have at most 1000 bytes":      func(e *linktrack.LinkEdit) { e.Password = new(strings.Repeat("x", 1001)) },
		"expires_at must be a year from 1970 to 999": func(e *linktrack.LinkEdit) { e.ExpiresAt = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		_, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", edit)
		if strings.HasPrefix(want, "external_url must begin") {
			want = "external_url must not use the scheme javascript"
		}
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, "New", s.Link("spring")["title"], "nothing is half done")
	_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) { e.Password = new("secret") })
	require.NoError(t, err)
	require.Equal(t, 200, s.Get("/spring").StatusCode)
	_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) {
		e.Password, e.ExpiresAt = new(""), time.Now().Add(-time.Second)
	})
	require.NoError(t, err)
	require.Equal(t, 410, s.Get("/spring").StatusCode)
	_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) { e.ExpiresAt = time.Time{} })
	require.NoError(t, err)
	require.Equal(t, 302, s.Get("/spring").StatusCode)
}
