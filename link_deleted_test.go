package linktrack_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// setDeleted deletes a link in the store, or restores it.
func setDeleted(t *testing.T, store linktrack.Store, id int64, at time.Time) {
	t.Helper()
	_, err := store.UpdateLink(t.Context(), id, func(l *linktrack.Link) error { l.DeletedAt = at; return nil })
	require.NoError(t, err)
}

func TestADeletedLinkAnswersGoneAndShowsNothingOfItself(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "sale", Password: "letmein", LinkSettings: linktrack.LinkSettings{
		ExternalURL: trackertest.Destination, Title: "secret title", FallbackURL: "https://example.net/fallback",
		IsPublic: true, HasPlusTracking: true, HasPublicTracking: true, DeactivateAt: 1,
	}})
	setDeleted(t, store, l.ID, time.Now())
	for _, path := range []string{"/sale", "/SALE", "/sale+", "/sale.qr", "/sale?a=b"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			r := s.Do(trackertest.Request(method, path, "password=letmein"))
			require.Equal(t, http.StatusGone, r.StatusCode, "%s %s", method, path)
			require.Empty(t, r.Header.Get("Location"))
			require.Empty(t, r.Header.Get("Set-Cookie"))
			if method != http.MethodHead {
				text := trackertest.Text(t, r)
				require.Contains(t, text, "It was deleted.")
				require.NotContains(t, text, "secret")
				require.NotContains(t, text, "example.net")
			}
		}
	}
	out, err := s.Tracker.Follow(t.Context(), linktrack.Visit{Path: "sale"})
	require.ErrorIs(t, err, linktrack.ErrDeleted)
	require.ErrorIs(t, err, linktrack.ErrGone)
	require.Equal(t, linktrack.Link{ID: l.ID, Account: l.Account, Host: l.Host, Path: "sale", DeletedAt: out.Link.DeletedAt}, out.Link)
	for _, page := range []linktrack.PageKind{linktrack.PageQR, linktrack.PageSummary, linktrack.PageReport} {
		report, err := s.Tracker.Public(t.Context(), "", "sale", page)
		require.ErrorIs(t, err, linktrack.ErrDeleted)
		require.Zero(t, report)
	}
}

func TestADeletedLinkIsOutOfListsReportsAndExportsUntilItIsRestored(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "sale", LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination}})
	in := linktrack.ImportedLink{NewLink: linktrack.NewLink{VanityLink: "sale", LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination}}}
	found := func() (errs []error, links int, check error) {
		_, err := s.Tracker.Link(t.Context(), s.Account, "sale")
		errs = append(errs, err)
		_, err = s.Tracker.LinkByID(t.Context(), s.Account, l.ID)
		errs = append(errs, err)
		_, err = s.Tracker.Report(t.Context(), s.Account, "sale", linktrack.ReportQuery{})
		errs = append(errs, err)
		_, err = s.Tracker.History(t.Context(), s.Account, "sale", linktrack.HistoryQuery{})
		errs = append(errs, err)
		_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "sale", func(*linktrack.LinkEdit) {})
		errs = append(errs, err)
		list, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
		require.NoError(t, err)
		links = len(list)
		for _, err := range s.Tracker.AllLinks(t.Context(), s.Account) {
			require.NoError(t, err)
			links++
		}
		checks, err := s.Tracker.CheckImport(t.Context(), s.Account, []linktrack.ImportedLink{in})
		require.NoError(t, err)
		return errs, links, checks[0].Err
	}
	setDeleted(t, store, l.ID, time.Now())
	errs, links, check := found()
	for i, err := range errs {
		require.ErrorIs(t, err, linktrack.ErrNotFound, "call %d", i)
	}
	require.Zero(t, links)
	require.ErrorIs(t, check, linktrack.ErrTaken, "the link that is there does not lead on")
	setDeleted(t, store, l.ID, time.Time{})
	errs, links, check = found()
	for i, err := range errs {
		require.NoError(t, err, "call %d", i)
	}
	require.Equal(t, 2, links)
	require.ErrorIs(t, check, linktrack.ErrPresent)
	require.Equal(t, trackertest.Destination, s.Get("/sale").Header.Get("Location"))
}

func TestAnEditDoesNotReachALinkThatWasDeletedOrMovedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(*linktrack.Link){
		"deleted": func(l *linktrack.Link) { l.DeletedAt = time.Now() },
		"moved":   func(l *linktrack.Link) { l.Account++ },
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New()
			s := trackertest.NewService(t, store, linktrack.Options{})
			l := s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination}})
			_, err := s.Tracker.UpdateLink(t.Context(), s.Account, l.Path, func(e *linktrack.LinkEdit) {
				_, err := store.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { change(l); return nil })
				require.NoError(t, err)
				e.Title = "too late"
			})
			require.ErrorIs(t, err, linktrack.ErrNotFound)
			l, err = store.LinkByPath(t.Context(), l.Host, l.Key())
			require.NoError(t, err)
			require.Empty(t, l.Title)
		})
	}
}

func TestADeletedAnonymousLinkCannotBeClaimed(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l, claim := s.MakeAnonymousLink("192.0.2.7")
	setDeleted(t, store, l.ID, time.Now())
	_, err := s.Tracker.AnonymousLink(t.Context(), claim)
	require.ErrorIs(t, err, linktrack.ErrDeleted)
	_, err = s.Tracker.ClaimLink(t.Context(), s.Account, claim)
	require.ErrorIs(t, err, linktrack.ErrDeleted)
	setDeleted(t, store, l.ID, time.Time{})
	_, err = s.Tracker.ClaimLink(t.Context(), s.Account, claim)
	require.NoError(t, err)
}
