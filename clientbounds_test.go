package linktrack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// guess tries a password at a link from an address.
func guess(s *trackertest.Service, l linktrack.Link, from, password string) error {
	_, err := s.Tracker.Follow(s.T.Context(), linktrack.Visit{Path: l.Path, IP: netip.MustParseAddr(from), HasPassword: true, Password: password})
	return err
}

func protected(s *trackertest.Service) linktrack.Link {
	s.T.Helper()
	// As the Tracker keeps it, but with the least cost: tests guess it many times.
	sum := sha256.Sum256([]byte("open sesame"))
	hash, err := bcrypt.GenerateFromPassword([]byte(base64.RawStdEncoding.EncodeToString(sum[:])), bcrypt.MinCost)
	require.NoError(s.T, err)
	made, err := s.Tracker.ImportLinks(s.T.Context(), s.Account, []linktrack.ImportedLink{
		{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}, PasswordHash: hash},
	})
	require.NoError(s.T, err)
	return made[0]
}

func TestAPasswordIsNotGuessedFromManyNetworks(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := protected(s)
	require.NoError(t, guess(s, l, "198.51.100.1", "open sesame"))
	wrong := 0
	for i := range 150 {
		err := guess(s, l, fmt.Sprintf("2001:db8:%x::1", i), "wrong")
		if err == linktrack.ErrWrongPassword {
			wrong++
			continue
		}
		require.ErrorIs(t, err, linktrack.ErrThrottled)
	}
	require.Equal(t, 100+20, wrong, "the link's bound, and the tries of new clients")
	require.ErrorIs(t, guess(s, l, "198.51.100.2", "open sesame"), linktrack.ErrThrottled, "nor from a client that is new")
	require.NoError(t, guess(s, l, "198.51.100.1", "open sesame"), "a client that was right lately may try")
	require.ErrorIs(t, guess(s, l, "198.51.100.1", "wrong"), linktrack.ErrWrongPassword)
	require.NoError(t, guess(s, protected(s), "198.51.100.2", "open sesame"), "another link is not concerned")
}

func TestAClassroomBehindOneAddressGetsIn(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := protected(s)
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() { assert.NoError(t, guess(s, l, "198.51.100.7", "open sesame")) })
	}
	wait.Wait()
}

func TestAPasswordIsNotGuessedFromTheNetworksOfOneSite(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := protected(s)
	for i := range 30 {
		require.ErrorIs(t, guess(s, l, fmt.Sprintf("2001:db8:1:%x::1", i), "wrong"), linktrack.ErrWrongPassword)
	}
	require.ErrorIs(t, guess(s, l, "2001:db8:1:ffff::1", "wrong"), linktrack.ErrThrottled)
	require.NoError(t, guess(s, l, "2001:db8:2::1", "open sesame"), "another site is not concerned")
}

func TestOneClientDoesNotHoldAllPlacesForPasswords(t *testing.T) {
	for name, from := range map[string]func(i int) string{
		"an address":           func(int) string { return "192.0.2.1" },
		"many networks of one": func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i) },
	} {
		t.Run(name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
			l := protected(s)
			var wait sync.WaitGroup
			begin := make(chan struct{})
			var mu sync.Mutex
			throttled := 0
			for i := range 200 {
				wait.Go(func() {
					<-begin
					at := time.Now()
					if err := guess(s, l, from(i), "open sesame"); err != nil {
						assert.ErrorIs(t, err, linktrack.ErrThrottled)
						assert.Less(t, time.Since(at), 4*time.Second, "it does not wait long")
						mu.Lock()
						defer mu.Unlock()
						throttled++
					}
				})
			}
			close(begin)
			require.NoError(t, guess(s, l, "203.0.113.7", "open sesame"), "another client gets its turn")
			wait.Wait()
			require.Greater(t, throttled, 100, "most are refused at once")
		})
	}
}

func TestRightCredentialsPassWhereManyAreWrong(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	const proxy = "10.0.0.1"
	try := func(login, pass, client string) error {
		_, err := s.Tracker.Authenticate(t.Context(), login, pass, client)
		return err
	}
	require.NoError(t, try(trackertest.Login, trackertest.Pass, proxy))
	for i := range 50 {
		require.ErrorIs(t, try(fmt.Sprint("login", i), "x", proxy), linktrack.ErrUnauthorized)
	}
	require.ErrorIs(t, try("another", "x", proxy), linktrack.ErrThrottled)
	require.NoError(t, try(trackertest.Login, trackertest.Pass, proxy), "a login that was right from there lately")
	for range 10 {
		require.ErrorIs(t, try(trackertest.Login, "x", proxy), linktrack.ErrUnauthorized, "is held to its own bound")
	}
	require.ErrorIs(t, try(trackertest.Login, "x", proxy), linktrack.ErrThrottled)
	require.NoError(t, try(trackertest.Login, trackertest.Pass, proxy), "the pass that was right lately is no guess")
	require.ErrorIs(t, try(trackertest.Login, trackertest.Pass+"x", proxy+"1"), linktrack.ErrUnauthorized)
}

func TestAPassThatIsRightNoMoreIsThrottledAsAny(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	_, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "192.0.2.1")
	require.NoError(t, err)
	_, err = s.Tracker.RenewPass(t.Context(), s.Account)
	require.NoError(t, err)
	for range 10 {
		_, err = s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "192.0.2.1")
		require.ErrorIs(t, err, linktrack.ErrUnauthorized)
	}
	_, err = s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "192.0.2.1")
	require.ErrorIs(t, err, linktrack.ErrThrottled)
}

func TestLoginsAreNotGuessedFromTheNetworksOfOneSite(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for i := range 200 {
		_, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, "x", fmt.Sprintf("2001:db8:1:%x::", i))
		require.ErrorIs(t, err, linktrack.ErrUnauthorized)
	}
	_, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, "x", "2001:db8:1:ffff::")
	require.ErrorIs(t, err, linktrack.ErrThrottled)
	_, err = s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "2001:db8:2::")
	require.NoError(t, err)
}

func TestAProxyThatWasNotNamedIsToldOfOnce(t *testing.T) {
	for name, c := range map[string]struct {
		remote string
		header string
		want   []string
	}{
		"X-Forwarded-For":       {"192.0.2.77:80", "X-Forwarded-For", []string{"Options.Proxies.Trusted", "-trusted-proxies", "192.0.2.0"}},
		"Forwarded":             {"[2001:db8:1:2::77]:80", "Forwarded", []string{"Options.Proxies.Trusted", "-trusted-proxies", "2001:db8:1::"}},
		"over a Unix socket":    {"@", "X-Forwarded-For", []string{"TrustUnixSocket", "-trusted-proxies unix"}},
		"a proxy that is named": {"10.0.0.1:80", "X-Forwarded-For", nil},
		"none of the headers":   {"192.0.2.77:80", "X-Other", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := trackertest.NewService(t, memstore.New(), linktrack.Options{
				Proxies: linktrack.ProxyOptions{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			for range 3 {
				r := trackertest.Request("GET", "/none", "", c.header, "for=198.51.100.1")
				r.RemoteAddr = c.remote
				s.Do(r)
			}
			require.Equal(t, min(len(c.want), 1), strings.Count(log.String(), "\n"), log.String())
			for _, w := range c.want {
				require.Contains(t, log.String(), w)
			}
			require.NotContains(t, log.String(), "77")
			require.NotContains(t, log.String(), "198.51.100.1")
		})
	}
}

func TestTheProxyBehindAUnixSocketIsTrustedIfTheHostSaysSo(t *testing.T) {
	for _, remote := range []string{"@", "", "/run/proxy.sock"} {
		r := trackertest.Request("GET", "/", "", "X-Forwarded-For", "198.51.100.1, 192.0.2.9")
		r.RemoteAddr = remote
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{Proxies: linktrack.ProxyOptions{TrustUnixSocket: true}})
		require.Equal(t, "192.0.2.9", s.Tracker.ClientOf(r))
		s = trackertest.NewService(t, memstore.New(), linktrack.Options{})
		require.Equal(t, remote, s.Tracker.ClientOf(r))
		r.RemoteAddr = "203.0.113.1:80"
		s = trackertest.NewService(t, memstore.New(), linktrack.Options{Proxies: linktrack.ProxyOptions{TrustUnixSocket: true}})
		require.Equal(t, "203.0.113.1", s.Tracker.ClientOf(r), "who has an address is no Unix socket")
	}
}

func TestOneSiteDoesNotUseUpTheQuickLinksOfTheHour(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for i := range 100 {
		s.MakeAnonymousLink(fmt.Sprintf("2001:db8:1:%x::", i))
	}
	_, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "2001:db8:1:ffff::", trackertest.Destination)
	require.ErrorIs(t, err, linktrack.ErrThrottled)
	s.MakeAnonymousLink("2001:db8:2::")
	for i := range 9 {
		s.MakeAnonymousLink(fmt.Sprintf("2001:db8:2::%x", i+1))
	}
	_, _, err = s.Tracker.MakeAnonymousLink(t.Context(), "2001:db8:2::ff", trackertest.Destination)
	require.ErrorIs(t, err, linktrack.ErrThrottled, "all addresses of a /64 are one client")
}

func TestForgedClicksOfOneClientDoNotKeepOthersFromWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &asked{Store: memstore.New()}
		s := trackertest.NewService(t, store, linktrack.Options{})
		var wait sync.WaitGroup
		for range 100 {
			wait.Go(func() {
				ref := linktrack.ClickRef{Link: 1, ID: linktrack.NewClickID(time.Now())}
				r := trackertest.Request(http.MethodGet, "/c.gif?click="+url.QueryEscape(ref.String()), "")
				r.RemoteAddr = "192.0.2.1:80"
				s.Do(r)
			})
		}
		wait.Wait()
		require.LessOrEqual(t, store.count(), 2*100+8*6, "each is looked up twice, before and after the log is applied; 8 of them wait and are looked up six times more")
	})
}

// asked counts how often clicks are looked up.
type asked struct {
	linktrack.Store
	mu sync.Mutex
	n  int
}

func (a *asked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

func (a *asked) LinkByClick(ctx context.Context, c linktrack.ClickRef) (linktrack.Link, error) {
	a.mu.Lock()
	a.n++
	a.mu.Unlock()
	return a.Store.LinkByClick(ctx, c)
}
