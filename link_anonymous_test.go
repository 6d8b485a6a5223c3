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
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// throttled requires that a client is told to come back after that long.
func throttled(s *trackertest.Service, client string, after time.Duration) {
	s.T.Helper()
	_, _, err := s.Tracker.MakeAnonymousLink(s.T.Context(), client, trackertest.Destination)
	var throttled *linktrack.ThrottledError
	require.ErrorAs(s.T, err, &throttled)
	require.Equal(s.T, after, throttled.RetryAfter)
}

func TestAClaimIsNotMadeUp(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Hosts: []string{"alt.example"}})
	l, claim := s.MakeAnonymousLink("192.0.2.1")
	other, otherClaim := s.MakeAnonymousLink("192.0.2.1")
	_, signature, _ := strings.Cut(claim, l.Path+"/")
	_, otherSignature, _ := strings.Cut(otherClaim, other.Path+"/")
	// The same path on another host, and a link of somebody's.
	twin := l
	twin.Host = "alt.example"
	_, err := trackertest.CreateLink(t.Context(), s.Store, twin)
	require.NoError(t, err)
	own, err := s.Tracker.MakeLink(t.Context(), s.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination}})
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
		_, err := s.Tracker.AnonymousLink(t.Context(), forged)
		require.ErrorIs(t, err, linktrack.ErrNotFound, forged)
		_, err = s.Tracker.ClaimLink(t.Context(), s.Account, forged)
		require.ErrorIs(t, err, linktrack.ErrNotFound, forged)
	}
	elsewhere := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	_, err = trackertest.CreateLink(t.Context(), elsewhere.Store, l)
	require.NoError(t, err)
	_, err = elsewhere.Tracker.AnonymousLink(t.Context(), claim)
	require.ErrorIs(t, err, linktrack.ErrNotFound, "another service has another secret")
	got, err := s.Tracker.AnonymousLink(t.Context(), claim)
	require.NoError(t, err)
	require.Equal(t, l, got)
}

func TestAQuickLinkThatNobodyClaimsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		l, claim := s.MakeAnonymousLink("192.0.2.1")
		kept, keep := s.MakeAnonymousLink("192.0.2.1")
		time.Sleep(linktrack.AnonymousLinkLife - time.Second)
		require.Equal(t, http.StatusFound, s.Get("/"+l.Path).StatusCode)
		require.Equal(t, http.StatusFound, s.Get("/"+kept.Path).StatusCode) // it is in the cache as it is
		_, err := s.Tracker.ClaimLink(t.Context(), s.Account, keep)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.Equal(t, http.StatusGone, s.Get("/"+l.Path).StatusCode)
		require.Equal(t, http.StatusFound, s.Get("/"+kept.Path).StatusCode)
		_, err = s.Tracker.AnonymousLink(t.Context(), claim)
		require.ErrorIs(t, err, linktrack.ErrExpired)
		_, err = s.Tracker.ClaimLink(t.Context(), s.Account, claim)
		require.ErrorIs(t, err, linktrack.ErrExpired)
	})
}

func TestOneClientMakesTenQuickLinksAnHourAndAHundredADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		for hour := range 10 {
			for range 10 {
				s.MakeAnonymousLink("192.0.2.1")
			}
			if hour < 9 {
				throttled(s, "192.0.2.1", time.Hour)
				s.MakeAnonymousLink(fmt.Sprint("another", hour))
			}
			time.Sleep(time.Hour)
		}
		throttled(s, "192.0.2.1", 14*time.Hour)
		time.Sleep(14 * time.Hour)
		s.MakeAnonymousLink("192.0.2.1")
	})
}

func TestAllClientsTogetherMakeAThousandQuickLinksAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		for i := range 1000 {
			s.MakeAnonymousLink(fmt.Sprint(i))
		}
		throttled(s, "new", time.Hour)
		time.Sleep(time.Hour)
		s.MakeAnonymousLink("new")
	})
}

func TestLimitsOfQuickLinksHoldForThoseMadeAtOnce(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	var made atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", trackertest.Destination); err == nil {
				made.Add(1)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 10, made.Load())
}

func TestAQuickLinkKeepsTheRulesOfDestinations(t *testing.T) {
	refuses := true
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{CheckDestination: func(context.Context, string) error {
		if refuses {
			return errors.New("it is listed")
		}
		return nil
	}}})
	var invalid *linktrack.InvalidError
	for _, bad := range []string{"", "javascript:alert(1)", "http://go.example.com/x", "example.com"} {
		_, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", bad)
		require.ErrorAs(t, err, &invalid, bad)
		require.Equal(t, "external_url", invalid.Param)
	}
	for range 10 {
		_, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", trackertest.Destination)
		require.ErrorIs(t, err, linktrack.ErrForbidden)
	}
	refuses = false
	_, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", trackertest.Destination)
	require.ErrorIs(t, err, linktrack.ErrThrottled, "what the host refuses counts")
}

func TestNobodyActsForTheAccountOfQuickLinks(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{
		Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
			return linktrack.Account{ID: linktrack.AnonymousAccount, Type: linktrack.AccountTypeProfessional}, nil
		}},
	})
	l, claim, err := s.Tracker.MakeAnonymousLink(t.Context(), "", "https://example.com/")
	require.NoError(t, err)
	nobody := linktrack.Account{ID: linktrack.AnonymousAccount, Type: linktrack.AccountTypeProfessional}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Authenticate": func() error {
			_, err := s.Tracker.Authenticate(ctx, trackertest.Login, trackertest.Pass, "")
			return err
		},
		"MakeLink": func() error {
			_, err := s.Tracker.MakeLink(ctx, nobody, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
			return err
		},
		"UpdateLink": func() error {
			_, err := s.Tracker.UpdateLink(ctx, nobody, l.Path, func(*linktrack.LinkEdit) {})
			return err
		},
		"Link":  func() error { _, err := s.Tracker.Link(ctx, nobody, l.Path); return err },
		"Links": func() error { _, err := s.Tracker.Links(ctx, nobody, linktrack.LinksQuery{}); return err },
		"AllLinks": func() error {
			for _, err := range s.Tracker.AllLinks(ctx, nobody) {
				return err
			}
			return nil
		},
		"Groups":  func() error { _, err := s.Tracker.Groups(ctx, nobody); return err },
		"History": func() error { _, err := s.Tracker.History(ctx, nobody, l.Path, linktrack.HistoryQuery{}); return err },
		"ExportHistory": func() error {
			return s.Tracker.ExportHistory(ctx, nobody, l.Path, linktrack.ClickRange{}, linktrack.FormatCSV, io.Discard)
		},
		"Report":  func() error { _, err := s.Tracker.Report(ctx, nobody, l.Path, linktrack.ReportQuery{}); return err },
		"LastDay": func() error { _, err := s.Tracker.LastDay(ctx, nobody, []linktrack.Link{l}); return err },
		"ImportLinks": func() error {
			_, err := s.Tracker.ImportLinks(ctx, nobody, []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}}})
			return err
		},
		"ClaimLink": func() error { _, err := s.Tracker.ClaimLink(ctx, nobody, claim); return err },
		"Convert":   func() error { _, err := s.Tracker.Convert(ctx, &nobody, linktrack.Conversion{}); return err },
		"OptOutURL": func() error { _, err := s.Tracker.OptOutURL(nobody, ""); return err },
	} {
		require.ErrorIs(t, call(), linktrack.ErrForbidden, name)
	}
	for _, call := range []string{"getLinks", "getLink", "getReport", "getLinkHistory", "makeLink", "getOptOutLink"} {
		r := s.Call(call, trackertest.Values("redirect_hash", l.Path, "external_url", "https://example.com/"))
		require.Equal(t, http.StatusForbidden, r.StatusCode, "by the host's Authenticate: %s", call)
		w := httptest.NewRecorder()
		s.Tracker.API(nobody).ServeHTTP(w, trackertest.Request("GET", "/api/v1_0/"+call+"?redirect_hash="+l.Path+"&external_url=https://example.com/", ""))
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
	s := trackertest.NewService(t, store, linktrack.Options{})
	_, claim := s.MakeAnonymousLink("192.0.2.1")
	for _, by := range []time.Duration{time.Microsecond, -time.Microsecond, time.Hour} {
		store.by = by
		_, err := s.Tracker.AnonymousLink(t.Context(), claim)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "after a backup was restored another link may have the number and the path")
	}
	store.by = 0
	_, err := s.Tracker.AnonymousLink(t.Context(), claim)
	require.NoError(t, err)
}
