package linktrack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAReferrerHasAHostOnlyIfItIsAHostName(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for referrer, want := range map[string]string{
		"https://News.Example.org/a?b":           "news.example.org",
		"https://news.example.org.:8080":         "news.example.org",
		"https://user@news.example.org/":         "news.example.org",
		"https://bücher.example/":                "xn--bcher-kva.example",
		"https://b%C3%BCcher.example/":           "xn--bcher-kva.example",
		"android-app://com.example.reader/":      "com.example.reader",
		"http://0xa.5/":                          "10.0.0.5",
		"http://[::1]:80/":                       "[::1]",
		"http://buy cheap pills today/":          "",
		"http://buy-pills.example call 555/":     "",
		"http://<b>buy</b>.example/":             "",
		"http://buy!now.example/":                "",
		"http://buy..example/":                   "",
		"http://xn--a.example/":                  "",
		"http://256.256.256.256/":                "",
		"http://" + strings.Repeat("a", 300):     "",
		"http://" + strings.Repeat("写", 500):     "",
		"http://💩\xff.example/":                  "",
		"http://example.com:port/":               "",
		"news.example.org":                       "",
		"://":                                    "",
		"http://\u202eelpmaxe.com\u202d/":        "",
		"http://a\u00a0b.example/and more of it": "",
	} {
		link := s.MakeLink()
		require.Equal(t, http.StatusFound, s.Get(link, "Referer", referrer).StatusCode)
		clicks := s.History(link)
		require.Len(t, clicks, 1)
		got, _ := clicks[0]["referrer_host"].(string)
		require.Equal(t, want, got, "%q", referrer)
	}
}

func TestThePublicReportShowsNoTextOfStrangers(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com", HasPublicTracking: true}, VanityLink: "wall"})
	hosts := []string{"news.example.org", "", "buy cheap pills", "intranet-payroll", "<i>x.example", "10.0.0.5", "xn--a.example", "UPPER.example"}
	browsers := []string{"Firefox", "", "Buy Cheap Pills", "Safari"}
	var clicks []linktrack.Click
	for i := range 40 { // as a former version kept them
		clicks = append(clicks, linktrack.Click{
			ID: linktrack.NewClickID(time.Now()), Link: l.ID, ReferrerHost: hosts[i%len(hosts)], Browser: browsers[i%len(browsers)],
		})
	}
	s.Record(clicks...)
	r, err := s.Tracker.Public(t.Context(), "", "wall", linktrack.PageReport)
	require.NoError(t, err)
	require.Equal(t, linktrack.Breakdown{Top: []linktrack.ValueClicks{{"", 5}, {"news.example.org", 5}}, Other: 30}, r.Referrers)
	require.Equal(t, linktrack.Breakdown{Top: []linktrack.ValueClicks{{"", 10}, {"Firefox", 10}, {"Safari", 10}}, Other: 10}, r.Browsers)
	require.Equal(t, http.StatusFound, s.Get("/wall", "User-Agent", "Call-555-1234/1.0", "Referer", "http://call me now/").StatusCode)
	body := strings.ToLower(trackertest.Text(t, s.Get("/wall+")))
	for _, graffiti := range []string{"pills", "payroll", "x.example", "10.0.0.5", "upper", "call"} {
		require.NotContains(t, body, graffiti)
	}
	own, err := s.Tracker.Report(t.Context(), s.Account, "wall", linktrack.ReportQuery{})
	require.NoError(t, err)
	require.Len(t, own.Browsers.Top, 5, "the owner sees them all")
}
