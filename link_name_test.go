package linktrack_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

func TestAPathOnSeveralHostsNamesNoLink(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{Hosts: []string{"alt.example"}})
		make := func(host, path string) linktrack.Link {
			links, err := s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, Host: host}, Path: path}})
			require.NoError(t, err)
			return links[0]
		}
		first, second := make("go.example.com", "sale"), make("alt.example", "sale")
		bare, dotted := make("go.example.com", "spring"), make("alt.example", ".spring")
		make("go.example.com", ".f2jt")
		make("alt.example", ".f2jt")

		for _, name := range []string{"sale", "SALE", "/sale", ".sale", ".f2jt", "f2jt"} {
			var invalid *linktrack.InvalidError
			_, err := s.Tracker.Link(t.Context(), s.Account, name)
			require.ErrorAs(t, err, &invalid, name)
			require.Equal(t, "redirect_hash", invalid.Param)
			_, err = s.Tracker.UpdateLink(t.Context(), s.Account, name, func(e *linktrack.LinkEdit) { e.Title = "changed" })
			require.ErrorAs(t, err, &invalid)
			_, err = s.Tracker.History(t.Context(), s.Account, name, linktrack.HistoryQuery{})
			require.ErrorAs(t, err, &invalid)
			_, err = s.Tracker.Report(t.Context(), s.Account, name, linktrack.ReportQuery{})
			require.ErrorAs(t, err, &invalid)
			require.ErrorAs(t, s.Tracker.ExportHistory(t.Context(), s.Account, name, linktrack.ClickRange{}, linktrack.FormatCSV, io.Discard), &invalid)
			for _, err := range s.Tracker.Clicks(t.Context(), s.Account, name, linktrack.ClickRange{}) {
				require.ErrorAs(t, err, &invalid)
			}
		}
		for _, want := range []linktrack.Link{first, second} {
			l, err := s.Tracker.UpdateLink(t.Context(), s.Account, s.Tracker.TrackingURL(want), func(e *linktrack.LinkEdit) { e.Title = "changed" })
			require.NoError(t, err)
			require.Equal(t, want.ID, l.ID)
		}
		for name, want := range map[string]linktrack.Link{"spring": bare, ".spring": dotted} { // as written comes first
			l, err := s.Tracker.Link(t.Context(), s.Account, name)
			require.NoError(t, err)
			require.Equal(t, want.ID, l.ID, name)
		}
		found, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Paths: []string{"sale"}})
		require.NoError(t, err)
		require.Len(t, found, 2, "a list has them all")
	})
}

func TestALinkOnAHostThatIsServedNoMoreHasATrackingURLAndIsFoundByIt(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		before := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://old.example:8080/go", Hosts: []string{"https://older.example"}})
		old := before.MakeLink("vanity_link", "sale")
		older := before.MakeLink("vanity_link", "sale", "host", "older.example")

		tracker, err := linktrack.New(store, linktrack.Options{BaseURL: "https://new.example/l"})
		require.NoError(t, err)
		defer tracker.Close(t.Context())
		now, err := tracker.MakeLink(t.Context(), before.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "sale"})
		require.NoError(t, err)
		_, err = tracker.Link(t.Context(), before.Account, "sale")
		require.ErrorContains(t, err, "such as https://old.example:8080/l/sale, because")
		for name, host := range map[string]string{
			old: "old.example:8080", older: "older.example", older + "/": "older.example", older + "?a=/b": "older.example", "https://OLDER.example:443/sale": "older.example",
			"https://old.example:8080/l/sale": "old.example:8080", "https://older.example/l/sale": "older.example",
			tracker.TrackingURL(now): "new.example",
		} {
			l, err := tracker.Link(t.Context(), before.Account, name)
			require.NoError(t, err, name)
			require.Equal(t, host, l.Host, name)
			if host != "new.example" {
				require.Equal(t, "https://"+host+"/l/sale", tracker.TrackingURL(l), "as it would be here")
			}
		}
		for _, name := range []string{"https://older.example/", "https://older.example", "https://gone.example/sale", "https:///sale", "//older.example/sale", "https://new.example/other/sale"} {
			_, err := tracker.Link(t.Context(), before.Account, name)
			require.ErrorIs(t, err, linktrack.ErrNotFound, name)
		}
	})
}

func TestALinkOnAPortThatIsServedNoMoreIsNotTakenForAnother(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		before := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://go.example.com:8080"})
		for _, path := range []string{"sale", "spring"} {
			before.MakeLink("vanity_link", path)
		}
		tracker, err := linktrack.New(store, linktrack.Options{BaseURL: "http://go.example.com"})
		require.NoError(t, err)
		defer tracker.Close(t.Context())
		_, err = tracker.MakeLink(t.Context(), before.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "sale"})
		require.NoError(t, err)
		_, err = tracker.MakeLink(t.Context(), before.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "summer"})
		require.NoError(t, err)
		for name, host := range map[string]string{
			"http://go.example.com:8080/sale": "go.example.com:8080", "http://go.example.com/sale": "go.example.com",
			"http://go.example.com:8080/spring": "go.example.com:8080", "spring": "go.example.com:8080",
			"http://go.example.com:8080/summer": "go.example.com", "http://go.example.com:9090/sale": "go.example.com",
		} {
			l, err := tracker.Link(t.Context(), before.Account, name)
			require.NoError(t, err, name)
			require.Equal(t, host, l.Host, name)
			again, err := tracker.Link(t.Context(), before.Account, tracker.TrackingURL(l))
			require.NoError(t, err)
			require.Equal(t, l, again, "a tracking URL names its link")
		}
	})
}

func TestALinkIsFoundByItsID(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		s.MakeLink("title", "first")
		s.MakeLink("title", "second")
		links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
		require.NoError(t, err)
		require.Len(t, links, 2)
		for _, want := range links {
			l, err := s.Tracker.LinkByID(t.Context(), s.Account, want.ID)
			require.NoError(t, err)
			require.Equal(t, want, l)
		}
		other, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{})
		require.NoError(t, err)
		for _, id := range []int64{links[0].ID, links[1].ID} {
			_, err = s.Tracker.LinkByID(t.Context(), other, id)
			require.ErrorIs(t, err, linktrack.ErrNotFound, "it is another account's")
		}
		for _, id := range []int64{-1 << 63, -1, 0, links[0].ID + 1, 1<<63 - 1} {
			_, err = s.Tracker.LinkByID(t.Context(), s.Account, id)
			require.ErrorIs(t, err, linktrack.ErrNotFound, id)
		}
		_, err = s.Tracker.LinkByID(t.Context(), linktrack.Account{ID: linktrack.AnonymousAccount}, links[0].ID)
		require.ErrorIs(t, err, linktrack.ErrForbidden)
	})
}
