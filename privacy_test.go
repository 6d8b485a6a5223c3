package linktrack_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/memstore"
)

// atlas knows one address of each network, so that it is found out if it is
// asked for another.
type atlas map[string]string

func (a atlas) Locate(ip netip.Addr) string { return a[ip.String()] }

var world = atlas{"192.0.2.7": "DE", "2001:db8:1:2::7": "jp", "198.51.100.1": "Germany", "198.51.100.2": "4!"}

// fullVisit is a visit with every property that a visitor can send.
func fullVisit(ip string) linktrack.Visit {
	return linktrack.Visit{IP: netip.MustParseAddr(ip), Referrer: "https://news.example/private?me", UserAgent: trackertest.Firefox, Query: "to=ada"}
}

// lastClick returns the newest click of the history.
func lastClick(f *trackertest.Follower) linktrack.Click {
	f.Helper()
	clicks, err := f.Tracker.History(f.Context(), f.Account, f.Path, linktrack.HistoryQuery{Limit: 1})
	require.NoError(f, err)
	require.Len(f, clicks, 1)
	return clicks[0]
}

func TestWhatIsKeptOfVisitors(t *testing.T) {
	type kept struct{ ip, referrer, host, userAgent, country string }
	const referrer, host = "https://news.example/private?me", "news.example"
	for name, c := range map[string]struct {
		privacy linktrack.Privacy
		ip      string
		want    kept
	}{
		"by default the network":     {linktrack.Privacy{}, "192.0.2.7", kept{"192.0.2.0", referrer, host, trackertest.Firefox, "DE"}},
		"of version 6":               {linktrack.Privacy{}, "2001:db8:1:2::7", kept{"2001:db8:1::", referrer, host, trackertest.Firefox, "JP"}},
		"of version 4 written as 6":  {linktrack.Privacy{}, "::ffff:192.0.2.7", kept{"192.0.2.0", referrer, host, trackertest.Firefox, "DE"}},
		"of a zone":                  {linktrack.Privacy{}, "fe80::1%eth0", kept{"fe80::", referrer, host, trackertest.Firefox, ""}},
		"all of the address":         {linktrack.Privacy{IP: linktrack.KeepIPWhole}, "192.0.2.7", kept{"192.0.2.7", referrer, host, trackertest.Firefox, "DE"}},
		"no address":                 {linktrack.Privacy{IP: linktrack.KeepIPNone}, "192.0.2.7", kept{"invalid IP", referrer, host, trackertest.Firefox, "DE"}},
		"no user agent":              {linktrack.Privacy{DropUserAgent: true}, "192.0.2.7", kept{"192.0.2.0", referrer, host, "", "DE"}},
		"the referring host":         {linktrack.Privacy{Referrer: linktrack.KeepReferrerHost}, "192.0.2.7", kept{"192.0.2.0", "", host, trackertest.Firefox, "DE"}},
		"no referrer":                {linktrack.Privacy{Referrer: linktrack.KeepReferrerNone}, "192.0.2.7", kept{"192.0.2.0", "", "", trackertest.Firefox, "DE"}},
		"a country that is none":     {linktrack.Privacy{}, "198.51.100.1", kept{"198.51.100.0", referrer, host, trackertest.Firefox, ""}},
		"a country of other letters": {linktrack.Privacy{}, "198.51.100.2", kept{"198.51.100.0", referrer, host, trackertest.Firefox, ""}},
	} {
		for _, ack := range []linktrack.Ack{linktrack.AckStored, linktrack.AckJournaled, linktrack.AckBuffered} {
			t.Run(name+" "+ack.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := &trackertest.FaultyStore{Store: memstore.New()}
					j := newLockedJournal()
					f := trackertest.Follow(t, store, linktrack.Options{Privacy: c.privacy, Visitors: linktrack.VisitorOptions{Locator: world}, Recording: linktrack.RecordingOptions{Ack: ack, Journal: j}}, linktrack.NewLink{})
					store.LoseAnswers.Store(true) // each batch is sent more than once
					f.Passes(fullVisit(c.ip))
					v := fullVisit(c.ip)
					v.UserAgent = trackertest.Googlebot
					f.Passes(v)
					time.Sleep(time.Second)
					store.LoseAnswers.Store(false)
					require.NoError(t, f.Tracker.Close(t.Context()))
					for _, b := range store.Batches() {
						for i, click := range b.Clicks {
							want := c.want
							if click.Bot && want.userAgent != "" {
								want.userAgent = trackertest.Googlebot
							}
							require.Equal(t, want, kept{click.IP.String(), click.Referrer, click.ReferrerHost, click.UserAgent, click.Country}, "click %d", i)
							require.Equal(t, "to=ada", click.Query)
							require.Equal(t, map[bool]string{false: "Firefox", true: "Googlebot"}[click.Bot], click.Browser)
						}
					}
					counts := f.Counts()
					require.Equal(t, []int64{1, 1}, []int64{counts.People, counts.Bots})
				})
			})
		}
	}
}

func TestNothingThatIsNotKeptComesToDisk(t *testing.T) {
	whole := netip.MustParseAddr("2001:db8:1:2:3:4:5:6")
	for name, c := range map[string]struct {
		privacy linktrack.Privacy
		private bool
		there   []string
	}{
		"that is kept, as it should":    {linktrack.Privacy{IP: linktrack.KeepIPWhole}, false, []string{"address", "userAgent", "referrer"}},
		"cut":                           {linktrack.Privacy{}, false, []string{"userAgent", "referrer"}},
		"nothing":                       {linktrack.Privacy{IP: linktrack.KeepIPNone, DropUserAgent: true, Referrer: linktrack.KeepReferrerNone}, false, nil},
		"of one who asks for nothing":   {linktrack.Privacy{IP: linktrack.KeepIPWhole, HonorGPC: true}, true, nil},
		"of one who is not listened to": {linktrack.Privacy{IP: linktrack.KeepIPWhole}, true, []string{"address", "userAgent", "referrer"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j, err := journal.Open(dir, journal.Options{})
			require.NoError(t, err)
			store := &trackertest.FaultyStore{Store: memstore.New()}
			f := trackertest.Follow(t, store, linktrack.Options{Privacy: c.privacy, Visitors: linktrack.VisitorOptions{Locator: atlas{whole.String(): "SE"}}, Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: j}}, linktrack.NewLink{})
			_, err = f.Visit(linktrack.Visit{Peek: true}) // the link is known from then on
			require.NoError(t, err)
			store.Down.Store(true)
			v := fullVisit(whole.String())
			v.Private = c.private
			f.Passes(v)
			var left *linktrack.PendingError
			require.ErrorAs(t, f.Tracker.Close(t.Context()), &left)
			require.EqualValues(t, 1, left.Journaled)
			require.NoError(t, j.Close())

			files, err := filepath.Glob(filepath.Join(dir, "*"))
			require.NoError(t, err)
			var disk []byte
			for _, name := range files {
				b, err := os.ReadFile(name)
				require.NoError(t, err)
				disk = append(disk, b...)
			}
			require.Contains(t, string(disk), "Firefox")
			require.Contains(t, string(disk), "SE")
			var there []string
			for _, part := range []struct {
				name  string
				bytes []byte
			}{{"address", whole.AsSlice()}, {"userAgent", []byte(trackertest.Firefox)}, {"referrer", []byte("private?me")}} {
				if bytes.Contains(disk, part.bytes) {
					there = append(there, part.name)
				}
			}
			require.Equal(t, c.there, there)
		})
	}
}

func TestAVisitorWhoAsksForPrivacyIsCountedAndNotKept(t *testing.T) {
	for name, header := range map[string][2]string{"GPC": {"Sec-GPC", "1"}, "DNT": {"DNT", "1"}} {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{Privacy: linktrack.Privacy{IP: linktrack.KeepIPWhole, HonorGPC: true}, Visitors: linktrack.VisitorOptions{Locator: world}})
		link := s.MakeLink()
		click := func(ip string, header ...string) *http.Response {
			r := trackertest.Request(http.MethodGet, link+"?to=ada", "", append([]string{"User-Agent", trackertest.Firefox, "Referer", "https://news.example/private"}, header...)...)
			r.RemoteAddr = ip + ":1234"
			answer := s.Do(r)
			require.Equal(t, 302, answer.StatusCode, name)
			return answer
		}
		require.Empty(t, click("192.0.2.7", header[:]...).Header["Set-Cookie"], name)
		item := s.History(link)[0]
		for field, want := range map[string]any{
			"ip_address": nil, "user_agent": nil, "referrer": nil, "query": nil,
			"referrer_host": "news.example", "browser": "Firefox", "platform": "Linux", "is_unique": 1.0, "is_bot": 0.0,
		} {
			require.Equal(t, want, item[field], "%s: %s", name, field)
		}
		click("192.0.2.7", header[:]...)
		require.Equal(t, 0.0, s.History(link)[0]["is_unique"], "who was here before is known without a cookie")
		click("192.0.2.8", header[:]...)
		l := s.Link(link)
		require.Equal(t, []any{3.0, 2.0}, []any{l["count_total"], l["count_unique"]}, name)

		for _, other := range []string{"0", "", "yes"} {
			require.NotEmpty(t, click("192.0.2.9", header[0], other).Header["Set-Cookie"], "%s: %s", name, other)
			require.Equal(t, "192.0.2.9", s.History(link)[0]["ip_address"], name)
		}
	}
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	require.NotEmpty(t, s.Get(s.MakeLink(), "Sec-GPC", "1", "DNT", "1").Header["Set-Cookie"], "it is heeded only if the host wants it")
}

func TestBotsThatAskForPrivacyAreBots(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{Privacy: linktrack.Privacy{HonorGPC: true}}, linktrack.NewLink{})
	f.Passes(linktrack.Visit{UserAgent: trackertest.Googlebot, Private: true})
	c := f.Counts()
	require.Equal(t, []int64{0, 0, 1}, []int64{c.People, c.Unique, c.Bots})
}

func TestClicksFromExcludedNetworksAreNotRecorded(t *testing.T) {
	privacy := linktrack.Privacy{Exclude: []netip.Prefix{
		netip.MustParsePrefix("192.0.2.7/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("10.0.0.0/8"),
	}}
	o := linktrack.Options{Privacy: privacy, Proxies: linktrack.ProxyOptions{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}}}
	f := trackertest.Follow(t, memstore.New(), o, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 2}, Password: "secret"})
	visit := func(ip, password string) (linktrack.Outcome, error) {
		return f.Visit(linktrack.Visit{IP: netip.MustParseAddr(ip), Password: password, HasPassword: true})
	}
	for range 5 {
		for _, ip := range []string{"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::1%eth0", "10.0.0.2"} {
			out, err := visit(ip, "secret")
			require.NoError(t, err)
			require.Equal(t, "https://example.com/spring", out.Location)
			require.True(t, out.Click.IsZero())
			require.Empty(t, out.Visitor)
		}
	}
	_, err := visit("192.0.2.1", "wrong")
	require.ErrorIs(t, err, linktrack.ErrWrongPassword, "a password is needed all the same")
	require.Equal(t, linktrack.Counts{}, f.Counts())

	out, err := visit("192.0.3.1", "secret")
	require.NoError(t, err)
	require.False(t, out.Click.IsZero())
	out, err = visit("10.0.0.1", "secret")
	require.NoError(t, err)
	require.False(t, out.Click.IsZero(), "a proxy's address is that of anybody whom it could not name")
	_, err = visit("192.0.2.1", "secret")
	require.ErrorIs(t, err, linktrack.ErrUsedUp, "what is used up is so for everybody")
	require.EqualValues(t, 2, f.Counts().Used)
}

func TestAnOwnerCanOptOutWithACookie(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "https://go.example.com/l", Hosts: []string{"alt.example"}})
	link := s.MakeLink("deactivate_at", "3")
	r := s.Get("https://go.example.com/l/api/v1_0/getOptOutLink?login=" + trackertest.Login + "&pass=" + trackertest.Pass)
	address := trackertest.Text(t, r)
	require.Equal(t, 200, r.StatusCode, address)
	require.True(t, strings.HasPrefix(address, "https://go.example.com/l/api/optout?"), address)

	r = s.Get(address)
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	require.Len(t, r.Cookies(), 1)
	cookie := r.Cookies()[0]
	require.Equal(t, []any{"/l/", true, true, http.SameSiteNoneMode, 365 * 86400},
		[]any{cookie.Path, cookie.HttpOnly, cookie.Secure, cookie.SameSite, cookie.MaxAge})
	own := cookie.Name + "=" + cookie.Value
	for range 5 {
		r = s.Get(link, "Cookie", "a=b; "+own)
		require.Equal(t, 302, r.StatusCode)
		require.Empty(t, r.Header["Set-Cookie"])
	}
	require.Equal(t, 0.0, s.Link(link)["count_total"])

	t.Run("for the links of the account only", func(t *testing.T) {
		other, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
		require.NoError(t, err)
		l, err := s.Tracker.MakeLink(t.Context(), other, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
		require.NoError(t, err)
		renamed, _, _ := strings.Cut(cookie.Name, "_optout_")
		require.Equal(t, 302, s.Get(s.Tracker.TrackingURL(l), "Cookie", own+"; "+renamed+"_optout_2="+cookie.Value).StatusCode)
		links, err := s.Tracker.Links(t.Context(), other, linktrack.LinksQuery{})
		require.NoError(t, err)
		require.EqualValues(t, 1, links[0].Counts.People)
	})
	t.Run("not by a forged one", func(t *testing.T) {
		open := s.MakeLink()
		token := address[strings.Index(address, "token=")+6:]
		for _, forged := range []string{"", "x", token, cookie.Value[1:], "B" + cookie.Value[1:], cookie.Value + "A"} {
			before := s.Link(open)["count_total"].(float64)
			require.Equal(t, 302, s.Get(open, "Cookie", cookie.Name+"="+forged).StatusCode)
			require.Equal(t, before+1, s.Link(open)["count_total"], "%s", forged)
		}
	})
	t.Run("and back in", func(t *testing.T) {
		r := s.Get(address + "&undo=1")
		require.Equal(t, 200, r.StatusCode)
		require.Equal(t, []any{cookie.Name, "", -1, "/l/"}, []any{r.Cookies()[0].Name, r.Cookies()[0].Value, r.Cookies()[0].MaxAge, r.Cookies()[0].Path})
	})
	t.Run("an address that is not whole", func(t *testing.T) {
		for _, bad := range []string{address[:len(address)-1], strings.Replace(address, "account=1", "account=2", 1), "https://go.example.com/l/api/optout", strings.Replace(address, "account=1", "account=x", 1)} {
			r := s.Get(bad)
			require.Equal(t, 403, r.StatusCode, bad)
			require.Empty(t, r.Header["Set-Cookie"])
			require.True(t, strings.HasPrefix(trackertest.Text(t, r), "Error: not allowed: "))
		}
		require.Equal(t, 405, s.Do(trackertest.Request(http.MethodHead, address, "")).StatusCode)
	})
	t.Run("on another host", func(t *testing.T) {
		alt, err := s.Tracker.OptOutURL(s.Account, "alt.example")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(alt, "https://alt.example/l/api/optout?"), alt)
		_, err = s.Tracker.OptOutURL(s.Account, "other.example")
		require.ErrorIs(t, err, linktrack.ErrNotFound)
	})
	r = s.Get("https://go.example.com/l/api/v1_0/getOptOutLink?login=" + trackertest.Login + "&pass=wrong")
	require.Equal(t, 401, r.StatusCode)
	r = s.Get("https://go.example.com/l/api/v1_0/getOptOutLink?host=other.example&login=" + trackertest.Login + "&pass=" + trackertest.Pass)
	require.Equal(t, 400, r.StatusCode)
}

func TestOptingOutEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		link := s.MakeLink()
		address, err := s.Tracker.OptOutURL(s.Account, "")
		require.NoError(t, err)
		time.Sleep(24*time.Hour - time.Second)
		r := s.Get(address)
		require.Len(t, r.Cookies(), 1)
		own := r.Cookies()[0].Name + "=" + r.Cookies()[0].Value
		time.Sleep(time.Second)
		require.Equal(t, 403, s.Get(address).StatusCode)
		time.Sleep(365*24*time.Hour - 2*time.Second)
		s.Get(link, "Cookie", own)
		require.Equal(t, 0.0, s.Link(link)["count_total"])
		time.Sleep(time.Second)
		s.Get(link, "Cookie", own)
		require.Equal(t, 1.0, s.Link(link)["count_total"])
	})
}

func TestAVisitorBehindATrustedProxyIsWhoItSays(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{
		Privacy: linktrack.Privacy{IP: linktrack.KeepIPWhole},
		Proxies: linktrack.ProxyOptions{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
	})
	link := s.MakeLink("password", "secret")
	wrong := func(from, forwardedFor string) int {
		r := trackertest.Request(http.MethodPost, link, "password=wrong", "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", forwardedFor)
		r.RemoteAddr = from + ":1"
		return s.Do(r).StatusCode
	}
	for range 5 {
		require.Equal(t, 403, wrong("10.0.0.1", "192.0.2.1"))
	}
	require.Equal(t, 429, wrong("10.0.0.2", "198.51.100.1, 192.0.2.1"), "passwords are throttled by client, whatever the proxy")
	require.Equal(t, 429, wrong("192.0.2.1", "198.51.100.1"), "who is no proxy can not say who he is")
	require.Equal(t, 403, wrong("10.0.0.1", "192.0.2.2"))

	api := func(forwardedFor string) int {
		r := trackertest.Request(http.MethodGet, "/api/v1_0/getLinks?login=nobody"+forwardedFor[len(forwardedFor)-1:]+"&pass=wrong", "", "X-Forwarded-For", forwardedFor)
		r.RemoteAddr = "10.0.0.1:1"
		return s.Do(r).StatusCode
	}
	status := 0
	for n := 0; n < 1000 && status != 429; n++ {
		status = api("192.0.2.3")
	}
	require.Equal(t, 429, status)
	require.Equal(t, 401, api("192.0.2.4"), "nor is another client of the proxy")

	open := s.MakeLink()
	r := trackertest.Request(http.MethodGet, open, "", "Forwarded", `for="[2001:db8::1]:4711"`)
	r.RemoteAddr = "10.0.0.1:1"
	require.Equal(t, 302, s.Do(r).StatusCode)
	require.Equal(t, "2001:db8::1", s.History(open)[0]["ip_address"])
}

// A panicky Locator has a bug.
type panicky struct{}

func (panicky) Locate(netip.Addr) string { panic("index out of range") }

func TestALocatorThatPanicsLosesNoClick(t *testing.T) {
	var log trackertest.LogBuffer
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{Visitors: linktrack.VisitorOptions{Locator: panicky{}}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
	for range 3 {
		f.Passes(fullVisit("192.0.2.7"))
	}
	require.EqualValues(t, 3, f.Counts().People)
	require.Empty(t, lastClick(f).Country)
	require.Equal(t, 1, strings.Count(log.String(), "the Locator panics"), log.String())
	require.NotContains(t, log.String(), "192.0.2.7")
}

func TestPrivacyOptionsAreChecked(t *testing.T) {
	for param, o := range map[string]linktrack.Options{
		"Privacy.IP":          {Privacy: linktrack.Privacy{IP: 3}},
		"Privacy.Referrer":    {Privacy: linktrack.Privacy{Referrer: -1}},
		"Privacy.HistoryDays": {Privacy: linktrack.Privacy{HistoryDays: 29}},
		"Privacy.Exclude":     {Privacy: linktrack.Privacy{Exclude: make([]netip.Prefix, 1)}},
		"Proxies.Trusted":     {Proxies: linktrack.ProxyOptions{Trusted: make([]netip.Prefix, 1)}},
	} {
		_, err := linktrack.New(memstore.New(), o)
		var inv *linktrack.InvalidError
		require.ErrorAs(t, err, &inv, param)
		require.Equal(t, param, inv.Param)
	}
}

func TestKeptThingsHaveNames(t *testing.T) {
	for want, k := range map[string]linktrack.KeepIP{"cut": linktrack.KeepIPNetwork, "whole": linktrack.KeepIPWhole, "none": linktrack.KeepIPNone} {
		b, err := k.MarshalText()
		require.NoError(t, err)
		require.Equal(t, []string{want, want}, []string{string(b), k.String()})
		var again linktrack.KeepIP
		require.NoError(t, again.UnmarshalText(b))
		require.Equal(t, k, again)
	}
	for want, k := range map[string]linktrack.KeepReferrer{"whole": linktrack.KeepReferrerWhole, "host": linktrack.KeepReferrerHost, "none": linktrack.KeepReferrerNone} {
		b, err := k.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(b))
		var again linktrack.KeepReferrer
		require.NoError(t, again.UnmarshalText(b))
		require.Equal(t, k, again)
	}
	_, err := linktrack.KeepIP(9).MarshalText()
	require.ErrorContains(t, err, "KeepIP(9)")
	var k linktrack.KeepIP
	require.EqualError(t, k.UnmarshalText([]byte("all")), `must be cut, whole or none, not "all"`)
}

// A prunable store notes when it is asked to prune.
type prunable struct {
	*memstore.Store
	mu    sync.Mutex
	asked []time.Time // before which
	err   error
	begun chan struct{} // if not nil, PruneClicks closes it and waits for the end of its context
}

func (p *prunable) PruneClicks(ctx context.Context, before time.Time) error {
	p.mu.Lock()
	p.asked = append(p.asked, before)
	err, begun := p.err, p.begun
	p.mu.Unlock()
	if begun != nil {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return p.Store.PruneClicks(ctx, before)
}

func (p *prunable) askedFor() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time{}, p.asked...)
}

func (p *prunable) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func TestHistoryGoesAfterItsDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		f := trackertest.Follow(t, store, linktrack.Options{Privacy: linktrack.Privacy{HistoryDays: 30}}, linktrack.NewLink{})
		time.Sleep(24*time.Hour - time.Minute) // its day ends in UTC hours before it does in the service zone
		f.Passes(linktrack.Visit{})
		left := func() int {
			l, err := f.Tracker.Link(t.Context(), f.Account, f.Path)
			require.NoError(t, err)
			clicks, err := store.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Limit: 10})
			require.NoError(t, err)
			require.EqualValues(t, 1, f.Counts().People)
			return len(clicks)
		}
		at := time.Now()
		for time.Since(at) < 33*24*time.Hour {
			if askable := lastDay(f, at); askable {
				require.Equal(t, 1, left(), "as long as the API may be asked for it")
			}
			time.Sleep(time.Hour)
		}
		require.Zero(t, left())
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

// lastDay reports whether a click of that time may still be asked for.
func lastDay(f *trackertest.Follower, at time.Time) bool {
	_, err := f.Tracker.History(f.Context(), f.Account, f.Path, linktrack.HistoryQuery{Start: at})
	return err == nil
}

func TestHistoryIsPrunedEveryDayAndFailuresAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &prunable{Store: memstore.New()}
		tracker, err := linktrack.New(store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), TimeZone: time.UTC})
		require.NoError(t, err)
		time.Sleep(time.Minute + time.Second)
		midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		require.Equal(t, []time.Time{midnight.AddDate(0, 0, -90)}, store.askedFor())
		store.fail(errors.New("mysqlstore: the database user may not prune clicks"))
		time.Sleep(3 * 24 * time.Hour)
		require.Len(t, store.askedFor(), 4)
		require.Equal(t, midnight.AddDate(0, 0, 3-90), store.askedFor()[3])
		require.Equal(t, 1, strings.Count(log.String(), "may not prune"), log.String())
		store.fail(nil)
		time.Sleep(2 * 24 * time.Hour)
		require.Equal(t, 1, strings.Count(log.String(), "deleted again"), log.String())
		require.NoError(t, tracker.Close(t.Context()))
		require.NoError(t, tracker.Close(t.Context()), "twice")
		time.Sleep(3 * 24 * time.Hour)
		require.Len(t, store.askedFor(), 6, "nothing goes on after Close")
	})
}

func TestHistoryMayBeKeptForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &prunable{Store: memstore.New()}
		tracker, err := linktrack.New(store, linktrack.Options{Privacy: linktrack.Privacy{HistoryDays: -1}})
		require.NoError(t, err)
		time.Sleep(3 * 24 * time.Hour)
		require.Empty(t, store.askedFor())
		require.NoError(t, tracker.Close(t.Context()))
	})
}

func TestCloseEndsAPruningThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &prunable{Store: memstore.New(), begun: make(chan struct{})}
		tracker, err := linktrack.New(store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		<-store.begun
		start := time.Now()
		require.NoError(t, tracker.Close(t.Context()))
		require.Zero(t, time.Since(start))
		require.Empty(t, log.String(), "that is no failure")
	})
}
