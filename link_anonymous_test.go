package linktrack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

const destination = "https://example.com/quick"

func (s *service) quick(client string) (linktrack.Link, string) {
	s.t.Helper()
	l, claim, err := s.tracker.MakeAnonymousLink(s.t.Context(), client, destination)
	require.NoError(s.t, err)
	return l, claim
}

// throttled requires that a client is told to come back after that long.
func (s *service) throttled(client string, after time.Duration) {
	s.t.Helper()
	_, _, err := s.tracker.MakeAnonymousLink(s.t.Context(), client, destination)
	var throttled *linktrack.ThrottledError
	require.ErrorAs(s.t, err, &throttled)
	require.Equal(s.t, after, throttled.RetryAfter)
}

func TestAQuickLinkIsClaimedOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := newService(t, store, linktrack.Options{Hosts: []string{"alt.example"}})
		l, claim := s.quick("192.0.2.1")
		require.Equal(t, linktrack.AnonymousAccount, l.Account)
		require.Equal(t, linktrack.AnonymousLinkLife, l.ExpiresAt.Sub(l.CreatedAt).Round(time.Second))
		require.Equal(t, "go.example.com", l.Host)
		require.Equal(t, http.StatusFound, s.get("/"+l.Path).StatusCode)

		bob, _, err := s.tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "bob"})
		require.NoError(t, err)
		_, err = s.tracker.ClaimLink(t.Context(), linktrack.Account{ID: linktrack.AnonymousAccount}, claim)
		require.ErrorIs(t, err, linktrack.ErrForbidden)
		_, err = s.tracker.ClaimLink(t.Context(), linktrack.Account{ID: bob.ID, Hosts: []string{"alt.example"}}, claim)
		require.ErrorIs(t, err, linktrack.ErrForbidden)

		var claimed atomic.Int64
		var wait sync.WaitGroup
		for _, a := range []linktrack.Account{s.account, bob, s.account, bob} {
			wait.Go(func() {
				got, err := s.tracker.ClaimLink(t.Context(), a, claim)
				if err == nil && got.Account == a.ID {
					claimed.Store(int64(a.ID))
				} else if !errors.Is(err, linktrack.ErrTaken) {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		wait.Wait()
		winner, loser := s.account, bob
		if claimed.Load() == int64(bob.ID) {
			winner, loser = bob, s.account
		}
		got, err := s.tracker.Link(t.Context(), winner, l.Path)
		require.NoError(t, err)
		require.True(t, got.ExpiresAt.IsZero(), "it does not end any more")
		require.EqualValues(t, 1, got.Counts.People, "its clicks are there")
		again, err := s.tracker.ClaimLink(t.Context(), winner, claim)
		require.NoError(t, err, "who has it may ask twice")
		require.Equal(t, l.ID, again.ID)
		_, err = s.tracker.ClaimLink(t.Context(), loser, claim)
		require.ErrorIs(t, err, linktrack.ErrTaken)
		_, err = s.tracker.AnonymousLink(t.Context(), claim)
		require.ErrorIs(t, err, linktrack.ErrTaken)
		require.Equal(t, http.StatusFound, s.get("/"+l.Path).StatusCode)
	})
}

func TestAClaimIsNotMadeUp(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{Hosts: []string{"alt.example"}})
	l, claim := s.quick("192.0.2.1")
	other, otherClaim := s.quick("192.0.2.1")
	_, signature, _ := strings.Cut(claim, l.Path+"/")
	_, otherSignature, _ := strings.Cut(otherClaim, other.Path+"/")
	// The same path on another host, and a link of somebody's.
	twin := l
	twin.Host = "alt.example"
	_, err := s.store.CreateLink(t.Context(), twin)
	require.NoError(t, err)
	own, err := s.tracker.MakeLink(t.Context(), s.account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: destination}})
	require.NoError(t, err)
	for _, forged := range []string{
		"", "/", "//", claim + "/", claim[:len(claim)-1], claim + "A", strings.ToUpper(claim),
		"go.example.com/" + l.Path, "go.example.com/" + l.Path + "/",
		"go.example.com/" + l.Path + "+/" + signature,
		"go.example.com/" + l.Path + "/" + otherSignature,
		"go.example.com/" + other.Path + "/" + signature,
		"go.example.com/" + own.Path + "/" + signature,
		"alt.example/" + l.Path + "/" + signature,
		"evil.example/" + l.Path + "/" + signature,
	} {
		_, err := s.tracker.AnonymousLink(t.Context(), forged)
		require.ErrorIs(t, err, linktrack.ErrNotFound, forged)
		_, err = s.tracker.ClaimLink(t.Context(), s.account, forged)
		require.ErrorIs(t, err, linktrack.ErrNotFound, forged)
	}
	elsewhere := newService(t, memstore.New(), linktrack.Options{})
	_, err = elsewhere.store.CreateLink(t.Context(), l)
	require.NoError(t, err)
	_, err = elsewhere.tracker.AnonymousLink(t.Context(), claim)
	require.ErrorIs(t, err, linktrack.ErrNotFound, "another service has another secret")
	got, err := s.tracker.AnonymousLink(t.Context(), claim)
	require.NoError(t, err)
	require.Equal(t, l, got)
}

func TestAQuickLinkThatNobodyClaimsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, memstore.New(), linktrack.Options{})
		l, claim := s.quick("192.0.2.1")
		kept, keep := s.quick("192.0.2.1")
		time.Sleep(linktrack.AnonymousLinkLife - time.Second)
		require.Equal(t, http.StatusFound, s.get("/"+l.Path).StatusCode)
		require.Equal(t, http.StatusFound, s.get("/"+kept.Path).StatusCode) // it is in the cache as it is
		_, err := s.tracker.ClaimLink(t.Context(), s.account, keep)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.Equal(t, http.StatusGone, s.get("/"+l.Path).StatusCode)
		require.Equal(t, http.StatusFound, s.get("/"+kept.Path).StatusCode)
		_, err = s.tracker.AnonymousLink(t.Context(), claim)
		require.ErrorIs(t, err, linktrack.ErrExpired)
		_, err = s.tracker.ClaimLink(t.Context(), s.account, claim)
		require.ErrorIs(t, err, linktrack.ErrExpired)
	})
}

func TestOneClientMakesTenQuickLinksAnHourAndAHundredADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, memstore.New(), linktrack.Options{})
		for hour := range 10 {
			for range 10 {
				s.quick("192.0.2.1")
			}
			if hour < 9 {
				s.throttled("192.0.2.1", time.Hour)
				s.quick(fmt.Sprint("another", hour))
			}
			time.Sleep(time.Hour)
		}
		s.throttled("192.0.2.1", 14*time.Hour)
		time.Sleep(14 * time.Hour)
		s.quick("192.0.2.1")
	})
}

func TestAllClientsTogetherMakeAThousandQuickLinksAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, memstore.New(), linktrack.Options{})
		for i := range 1000 {
			s.quick(fmt.Sprint(i))
		}
		s.throttled("new", time.Hour)
		time.Sleep(time.Hour)
		s.quick("new")
	})
}

func TestLimitsOfQuickLinksHoldForThoseMadeAtOnce(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	var made atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, _, err := s.tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", destination); err == nil {
				made.Add(1)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 10, made.Load())
}

func TestAQuickLinkKeepsTheRulesOfDestinations(t *testing.T) {
	refuses := true
	s := newService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{CheckDestination: func(context.Context, string) error {
		if refuses {
			return errors.New("it is listed")
		}
		return nil
	}}})
	var invalid *linktrack.InvalidError
	for _, bad := range []string{"", "javascript:alert(1)", "http://go.example.com/x", "example.com"} {
		_, _, err := s.tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", bad)
		require.ErrorAs(t, err, &invalid, bad)
		require.Equal(t, "external_url", invalid.Param)
	}
	for range 10 {
		_, _, err := s.tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", destination)
		require.ErrorIs(t, err, linktrack.ErrForbidden)
	}
	refuses = false
	_, _, err := s.tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", destination)
	require.ErrorIs(t, err, linktrack.ErrThrottled, "what the host refuses counts")
}

func TestNobodyActsForTheAccountOfQuickLinks(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{
		Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
			return linktrack.Account{ID: linktrack.AnonymousAccount, Type: linktrack.AccountTypeProfessional}, nil
		}},
	})
	l, claim, err := s.tracker.MakeAnonymousLink(t.Context(), "", "https://example.com/")
	require.NoError(t, err)
	nobody := linktrack.Account{ID: linktrack.AnonymousAccount, Type: linktrack.AccountTypeProfessional}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Authenticate": func() error { _, err := s.tracker.Authenticate(ctx, login, pass, ""); return err },
		"MakeLink": func() error {
			_, err := s.tracker.MakeLink(ctx, nobody, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
			return err
		},
		"UpdateLink": func() error {
			_, err := s.tracker.UpdateLink(ctx, nobody, l.Path, func(*linktrack.LinkEdit) {})
			return err
		},
		"Link":  func() error { _, err := s.tracker.Link(ctx, nobody, l.Path); return err },
		"Links": func() error { _, err := s.tracker.Links(ctx, nobody, linktrack.LinksQuery{}); return err },
		"AllLinks": func() error {
			for _, err := range s.tracker.AllLinks(ctx, nobody) {
				return err
			}
			return nil
		},
		"Groups":  func() error { _, err := s.tracker.Groups(ctx, nobody); return err },
		"History": func() error { _, err := s.tracker.History(ctx, nobody, l.Path, linktrack.HistoryQuery{}); return err },
		"ExportHistory": func() error {
			return s.tracker.ExportHistory(ctx, nobody, l.Path, linktrack.ClickRange{}, linktrack.FormatCSV, io.Discard)
		},
		"Report":  func() error { _, err := s.tracker.Report(ctx, nobody, l.Path, linktrack.ReportQuery{}); return err },
		"LastDay": func() error { _, err := s.tracker.LastDay(ctx, nobody, []linktrack.Link{l}); return err },
		"ImportLinks": func() error {
			_, err := s.tracker.ImportLinks(ctx, nobody, []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}}})
			return err
		},
		"ClaimLink": func() error { _, err := s.tracker.ClaimLink(ctx, nobody, claim); return err },
		"Convert":   func() error { _, err := s.tracker.Convert(ctx, &nobody, linktrack.Conversion{}); return err },
		"OptOutURL": func() error { _, err := s.tracker.OptOutURL(nobody, ""); return err },
	} {
		require.ErrorIs(t, call(), linktrack.ErrForbidden, name)
	}
	for _, call := range []string{"getLinks", "getLink", "getReport", "getLinkHistory", "makeLink", "getOptOutLink"} {
		r := s.call(call, values("redirect_hash", l.Path, "external_url", "https://example.com/"))
		require.Equal(t, http.StatusForbidden, r.StatusCode, "by the host's Authenticate: %s", call)
		w := httptest.NewRecorder()
		s.tracker.API(nobody).ServeHTTP(w, request("GET", "/api/v1_0/"+call+"?redirect_hash="+l.Path+"&external_url=https://example.com/", ""))
		require.Equal(t, http.StatusForbidden, w.Code, "by API: %s", call)
	}
}

// A redated store has its links made at another time.
type redated struct {
	linktrack.Store
	by time.Duration
}

func (r *redated) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	l, err := r.Store.LinkByPath(ctx, host, key)
	l.CreatedAt = l.CreatedAt.Add(r.by)
	return l, err
}

func TestAClaimIsOfTheLinkThatWasMadeAtItsTime(t *testing.T) {
	store := &redated{Store: memstore.New()}
	s := newService(t, store, linktrack.Options{})
	_, claim := s.quick("192.0.2.1")
	for _, by := range []time.Duration{time.Microsecond, -time.Microsecond, time.Hour} {
		store.by = by
		_, err := s.tracker.AnonymousLink(t.Context(), claim)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "after a backup was restored another link may have the number and the path")
	}
	store.by = 0
	_, err := s.tracker.AnonymousLink(t.Context(), claim)
	require.NoError(t, err)
}
