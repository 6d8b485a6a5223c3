package linktrack_test

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestWhatCountsAndWhatDoesNot(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{})
	out := f.Passes(linktrack.Visit{})
	require.Equal(t, "https://example.com/spring", out.Location)
	out = f.Passes(linktrack.Visit{UserAgent: trackertest.Googlebot})
	require.Equal(t, "https://example.com/spring", out.Location, "bots are redirected")
	for name, v := range map[string]linktrack.Visit{
		"HEAD":     {Peek: true},
		"prefetch": {Prefetch: true},
	} {
		out, err := f.Visit(v)
		require.NoError(t, err, name)
		require.Equal(t, "https://example.com/spring", out.Location, name)
		require.True(t, out.Click.IsZero(), name)
		require.Empty(t, out.Visitor, name)
	}
	f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/nope"})
	f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: f.Path + "+"})
	f.Refused(linktrack.ErrNotFound, linktrack.Visit{Host: "other.example"})
	c := f.Counts()
	require.Equal(t, []int64{1, 1, 1, 1}, []int64{c.People, c.Unique, c.Bots, c.Day})
	clicks, err := f.Tracker.History(t.Context(), f.Account, f.Path, linktrack.HistoryQuery{})
	require.NoError(t, err)
	require.Len(t, clicks, 2)
}

func TestBotsMayBeCountedAsPeople(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{Visitors: linktrack.VisitorOptions{BotsAsPeople: true}}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 2}})
	f.Passes(linktrack.Visit{UserAgent: trackertest.Googlebot})
	f.Passes(linktrack.Visit{})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{UserAgent: trackertest.Googlebot})
	require.Equal(t, []int64{2, 0}, []int64{f.Counts().People, f.Counts().Bots})
}

func TestALinkExpiresAtItsMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExpiresAt: time.Now().Add(time.Hour)}})
		time.Sleep(time.Hour - time.Millisecond)
		f.Passes(linktrack.Visit{})
		time.Sleep(time.Millisecond)
		f.Refused(linktrack.ErrExpired, linktrack.Visit{})
		f.Refused(linktrack.ErrGone, linktrack.Visit{Peek: true})
	})
}

func TestAVisitorIsUniqueAgainAfterThirtyMinutesWithoutAClick(t *testing.T) {
	for name, o := range map[string]linktrack.Options{"by cookie": {}, "without a cookie": {Visitors: linktrack.VisitorOptions{Cookieless: true}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := trackertest.Follow(t, memstore.New(), o, linktrack.NewLink{})
				token := ""
				unique := func() int64 {
					out := f.Passes(linktrack.Visit{IP: netip.MustParseAddr("192.0.2.1"), Visitor: token})
					if o.Visitors.Cookieless {
						require.Empty(t, out.Visitor)
					}
					token = out.Visitor
					return f.Counts().Unique
				}
				require.EqualValues(t, 1, unique())
				for range 5 { // sliding: far beyond 30 minutes after the first
					time.Sleep(30*time.Minute - time.Millisecond)
					require.EqualValues(t, 1, unique())
				}
				time.Sleep(30 * time.Minute)
				require.EqualValues(t, 2, unique(), "exactly 30 minutes old is old")
				out := f.Passes(linktrack.Visit{IP: netip.MustParseAddr("192.0.2.2")})
				require.EqualValues(t, 3, f.Counts().Unique, "somebody else")
				if !o.Visitors.Cookieless {
					for _, forged := range []string{"", "x", out.Visitor[1:], "A" + out.Visitor[1:], out.Visitor[:26] + "A", out.Visitor + "A"} {
						if forged != out.Visitor {
							before := f.Counts().Unique
							f.Passes(linktrack.Visit{Visitor: forged})
							require.Equal(t, before+1, f.Counts().Unique, forged)
						}
					}
				}
			})
		})
	}
}

func TestAVisitorOfOneLinkIsNewToAnother(t *testing.T) {
	for _, cookieless := range []bool{false, true} {
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Visitors: linktrack.VisitorOptions{Cookieless: cookieless}}, linktrack.NewLink{})
		ip := netip.MustParseAddr("192.0.2.1")
		token := f.Passes(linktrack.Visit{IP: ip}).Visitor
		other, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
		require.NoError(t, err)
		f.Path = other.Path
		f.Passes(linktrack.Visit{IP: ip, Visitor: token})
		require.EqualValues(t, 1, f.Counts().Unique)
	}
}

func TestTokensHoldAcrossProcessesOfOneStore(t *testing.T) {
	store := memstore.New()
	f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
	token := f.Passes(linktrack.Visit{}).Visitor
	again, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	f.Tracker = again
	f.Passes(linktrack.Visit{Visitor: token})
	require.EqualValues(t, 1, f.Counts().Unique)
	other, err := linktrack.New(store, linktrack.Options{Secret: []byte("another secret of sixteen bytes")})
	require.NoError(t, err)
	f.Tracker = other
	f.Passes(linktrack.Visit{Visitor: token})
	require.EqualValues(t, 2, f.Counts().Unique)
}

func TestPasswords(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{Password: "letmeïn", LinkSettings: linktrack.LinkSettings{DeactivateAt: 2}})
	for _, v := range []linktrack.Visit{{}, {Peek: true}, {Prefetch: true}} {
		out, err := f.Visit(v)
		require.NoError(t, err)
		require.Equal(t, linktrack.ActionAskPassword, out.Action)
		require.Empty(t, out.Location)
	}
	ip := netip.MustParseAddr("192.0.2.1")
	for _, wrong := range []string{"", "letmein", "LETMEÏN", "letmeïn "} {
		f.Refused(linktrack.ErrWrongPassword, linktrack.Visit{IP: ip, HasPassword: true, Password: wrong})
	}
	require.Zero(t, f.Counts().Used)
	out := f.Passes(linktrack.Visit{IP: ip, HasPassword: true, Password: "letmeïn"})
	require.Equal(t, "https://example.com/spring", out.Location)
	f.Passes(linktrack.Visit{IP: ip, HasPassword: true, Password: "letmeïn"})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{IP: ip, HasPassword: true, Password: "letmeïn"})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{IP: ip})
	require.EqualValues(t, 2, f.Counts().People)
}

func TestWrongPasswordsAreThrottledPerLinkAndClientBeforeTheyAreHashed(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{Password: "secret"})
	other, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}, Password: "secret"})
	require.NoError(t, err)
	try := func(path, ip, password string) error {
		_, err := f.Visit(linktrack.Visit{Path: path, IP: netip.MustParseAddr(ip), HasPassword: true, Password: password})
		return err
	}
	var wg sync.WaitGroup
	var hashed atomic.Int64
	for range 50 { // at once: none may slip through between look and count
		wg.Go(func() {
			if err := try(f.Path, "2001:db8::1", "wrong"); err == linktrack.ErrWrongPassword {
				hashed.Add(1)
			}
		})
	}
	wg.Wait()
	for try(f.Path, "2001:db8::1", "wrong") == linktrack.ErrWrongPassword { // some gave up waiting for a place
		hashed.Add(1)
	}
	require.GreaterOrEqual(t, hashed.Load(), int64(5))
	require.Less(t, hashed.Load(), int64(5+4), "as many more as may be hashed at a time")
	var throttled *linktrack.ThrottledError
	start := time.Now()
	for range 1000 {
		require.ErrorAs(t, try(f.Path, "2001:db8::2", "secret"), &throttled, "the same network")
	}
	require.Less(t, time.Since(start), 5*time.Second, "a thousand hashes take a minute")
	require.Greater(t, throttled.RetryAfter, 30*time.Second)
	require.LessOrEqual(t, throttled.RetryAfter, time.Minute)
	require.NoError(t, try(f.Path, "2001:db8:0:1::1", "secret"), "another client")
	require.NoError(t, try(other.Path, "2001:db8::1", "secret"), "another link")
}

func TestTheThrottleOpensAfterItsMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
		require.NoError(t, err)
		account, pass, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{})
		require.NoError(t, err)
		for range 10 {
			_, err := tracker.Authenticate(t.Context(), account.Login, "wrong", "192.0.2.1")
			require.ErrorIs(t, err, linktrack.ErrUnauthorized)
		}
		_, err = tracker.Authenticate(t.Context(), account.Login, pass, "192.0.2.1")
		var throttled *linktrack.ThrottledError
		require.ErrorAs(t, err, &throttled)
		time.Sleep(throttled.RetryAfter)
		_, err = tracker.Authenticate(t.Context(), account.Login, pass, "192.0.2.1")
		require.NoError(t, err)
	})
}

func TestTheQueryStringIsForwardedIfAskedFor(t *testing.T) {
	for _, c := range []struct{ destination, query, want string }{
		{"https://example.com/a", "x=1&y=2", "https://example.com/a?x=1&y=2"},
		{"https://example.com/a?b=1", "x=1", "https://example.com/a?b=1&x=1"},
		{"https://example.com/a?", "x=1", "https://example.com/a?x=1"},
		{"https://example.com/a?b&", "x=1", "https://example.com/a?b&x=1"},
		{"https://example.com/a#top", "x=1", "https://example.com/a?x=1#top"},
		{"https://example.com/a", "", "https://example.com/a"},
		{"https://example.com/a", "x=ü\r\nSet-Cookie: a=b#frag", "https://example.com/a?x=%C3%BCSet-Cookie: a=bfrag"},
	} {
		for _, byLink := range []bool{true, false} {
			f := trackertest.Follow(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{ForwardQuery: !byLink}}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: c.destination, ForwardQuery: byLink}})
			require.Equal(t, c.want, f.Passes(linktrack.Visit{Query: c.query}).Location)
		}
	}
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{})
	require.Equal(t, "https://example.com/spring", f.Passes(linktrack.Visit{Query: "x=1"}).Location)
}

func TestADestinationWhoseSchemeIsNotAllowedAnyMoreIsNotFollowed(t *testing.T) {
	store := memstore.New()
	f := trackertest.Follow(t, store, linktrack.Options{Links: linktrack.LinkOptions{Schemes: []string{"mailto"}}}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "mailto:someone@example.com"}})
	f.Passes(linktrack.Visit{})
	stricter, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	f.Tracker = stricter
	f.Refused(linktrack.ErrGone, linktrack.Visit{})
}

func TestAnEditByAnotherProcessIsSeenWithinTheCacheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		other, err := linktrack.New(store, linktrack.Options{})
		require.NoError(t, err)
		destination := "https://example.org/"
		_, err = other.UpdateLink(t.Context(), f.Account, f.Path, func(e *linktrack.LinkEdit) { e.ExternalURL = destination })
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		require.Equal(t, destination, f.Passes(linktrack.Visit{}).Location)
		f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/later"})
		_, err = other.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: destination}, VanityLink: "later"})
		require.NoError(t, err)
		time.Sleep(time.Second)
		f.Passes(linktrack.Visit{Path: "/later"})
	})
}

func TestALinkCanBeFollowedTheMomentItIsMade(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{})
	f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/now"})
	_, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}, VanityLink: "Now"})
	require.NoError(t, err)
	f.Passes(linktrack.Visit{Path: "/now"})
}

func TestALinkIsGoneForEveryoneOnceItsLastPlaceIsTaken(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 2}})
	f.Passes(linktrack.Visit{})
	f.Passes(linktrack.Visit{})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{Peek: true})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{UserAgent: trackertest.Googlebot})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{Prefetch: true})
}

func TestARightPasswordCountsWhateverTheBrowserSays(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{Password: "x"})
	f.Passes(linktrack.Visit{HasPassword: true, Password: "x", Prefetch: true})
}

func TestALinkCanBeSwitchedOffWhoseDestinationIsNotAllowedAnyMore(t *testing.T) {
	store := memstore.New()
	f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://new.example/"}})
	again, err := linktrack.New(store, linktrack.Options{Hosts: []string{"new.example"}})
	require.NoError(t, err)
	_, err = again.UpdateLink(t.Context(), f.Account, f.Path, func(e *linktrack.LinkEdit) { e.Disabled = true })
	require.NoError(t, err)
}

func TestAReferrersHostIsKeptIfItIsNoLongerThanHostsAre(t *testing.T) {
	f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, linktrack.NewLink{})
	label := strings.Repeat("a", 60) + "."
	long := strings.Repeat(label, 4) + strings.Repeat("b", 253-4*len(label))
	for referrer, want := range map[string]string{
		"https://" + long + "/page":       long,
		"https://" + long + "b/page":      "",
		"https://" + long + label + "/":   "",
		"https://" + long[:200] + "/page": long[:200],
	} {
		out := f.Passes(linktrack.Visit{Referrer: referrer})
		clicks, err := f.Tracker.History(t.Context(), f.Account, f.Path, linktrack.HistoryQuery{})
		require.NoError(t, err)
		i := slices.IndexFunc(clicks, func(c linktrack.Click) bool { return c.ID == out.Click })
		require.Equal(t, want, clicks[i].ReferrerHost)
		require.Equal(t, referrer, clicks[i].Referrer)
	}
}
