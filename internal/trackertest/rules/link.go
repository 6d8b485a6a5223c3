package rules

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var links = []rule{
	{"a quick link is claimed once", aQuickLinkIsClaimedOnce},
	{"a path on several hosts names no link", aPathOnSeveralHostsNamesNoLink},
	{"a link on a host that is not served any more has a tracking URL and is found by it", aLinkOnAHostThatIsServedNoMoreHasATrackingURLAndIsFoundByIt},
	{"a link on a port that is not served any more is not taken for another", aLinkOnAPortThatIsServedNoMoreIsNotTakenForAnother},
	{"a link is found by its ID", aLinkIsFoundByItsID},
	{"a search understands words and tracking URLs", aSearchUnderstandsWordsAndTrackingURLs},
	{"two edits at the same time both hold", twoEditsAtTheSameTimeBothHold},
}

func aQuickLinkIsClaimedOnce(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{Hosts: []string{"alt.example"}})
	l, claim := s.MakeAnonymousLink("192.0.2.1")
	require.Equal(t, linktrack.AnonymousAccount, l.Account)
	require.Equal(t, linktrack.AnonymousLinkLife, l.ExpiresAt.Sub(l.CreatedAt).Round(time.Second))
	require.Equal(t, "go.example.com", l.Host)
	require.Equal(t, http.StatusFound, s.Get("/"+l.Path).StatusCode)

	bob, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "bob"})
	require.NoError(t, err)
	_, err = s.Tracker.ClaimLink(t.Context(), linktrack.Account{ID: linktrack.AnonymousAccount}, claim)
	require.ErrorIs(t, err, linktrack.ErrForbidden)
	_, err = s.Tracker.ClaimLink(t.Context(), linktrack.Account{ID: bob.ID, Hosts: []string{"alt.example"}}, claim)
	require.ErrorIs(t, err, linktrack.ErrForbidden)

	var claimed atomic.Int64
	var wait sync.WaitGroup
	for _, a := range []linktrack.Account{s.Account, bob, s.Account, bob} {
		wait.Go(func() {
			got, err := s.Tracker.ClaimLink(t.Context(), a, claim)
			if err == nil && got.Account == a.ID {
				claimed.Store(int64(a.ID))
			} else if !errors.Is(err, linktrack.ErrTaken) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wait.Wait()
	winner, loser := s.Account, bob
	if claimed.Load() == int64(bob.ID) {
		winner, loser = bob, s.Account
	}
	got, err := s.Tracker.Link(t.Context(), winner, l.Path)
	require.NoError(t, err)
	require.True(t, got.ExpiresAt.IsZero(), "it does not end any more")
	require.EqualValues(t, 1, got.Counts.People, "its clicks are there")
	again, err := s.Tracker.ClaimLink(t.Context(), winner, claim)
	require.NoError(t, err, "who has it may ask twice")
	require.Equal(t, l.ID, again.ID)
	_, err = s.Tracker.ClaimLink(t.Context(), loser, claim)
	require.ErrorIs(t, err, linktrack.ErrTaken)
	_, err = s.Tracker.AnonymousLink(t.Context(), claim)
	require.ErrorIs(t, err, linktrack.ErrTaken)
	require.Equal(t, http.StatusFound, s.Get("/"+l.Path).StatusCode)
}

func aPathOnSeveralHostsNamesNoLink(t *testing.T, store linktrack.Store) {
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
}

func aLinkOnAHostThatIsServedNoMoreHasATrackingURLAndIsFoundByIt(t *testing.T, store linktrack.Store) {
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
}

func aLinkOnAPortThatIsServedNoMoreIsNotTakenForAnother(t *testing.T, store linktrack.Store) {
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
}

func aLinkIsFoundByItsID(t *testing.T, store linktrack.Store) {
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
}

func aSearchUnderstandsWordsAndTrackingURLs(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://go.example.com:8080/l", Hosts: []string{"alt.example"}})
	for _, in := range []linktrack.NewLink{
		{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/sale", Title: "The April newsletter"}},
		{VanityLink: "spring", Host: "alt.example", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/l/other"}},
		{VanityLink: "summer", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/newsletter", Notes: "in April, or May"}},
	} {
		_, err := s.Tracker.MakeLink(t.Context(), s.Account, in)
		require.NoError(t, err)
	}
	const one, two, three = "go.example.com:8080/spring", "alt.example/spring", "go.example.com:8080/summer"
	for text, want := range map[string][]string{
		"newsletter april":                          {one, three},
		"APRIL  newsletter":                         {one, three},
		"april newsletter may":                      {three},
		"april winter":                              nil,
		"http://go.example.com:8080/l/spring":       {one},
		"go.example.com:8080/l/spring":              {one},
		"GO.example.com/l/Spring?utm=x#y":           {one},
		"https://alt.example/l/spring/":             {two},
		"alt.example/l/spring+":                     {two},
		"alt.example/l/spr":                         {two},
		"alt.example/spring":                        {two},
		"alt.example/l/spring sale":                 nil,
		"go.example.com:8080/l/spring the sale":     {one},
		"https://go.example.com:8080/l/ newsletter": {one, three},
		"https://alt.example":                       {two},
		"alt.example/l":                             {two},
		"alt.example":                               {two},
		"https://example.com/l/other":               {two},
		"example.com/sale":                          {one},
		"":                                          {one, two, three},
	} {
		links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: text, Ascending: true})
		require.NoError(t, err, text)
		var found []string
		for _, l := range links {
			found = append(found, l.Host+"/"+l.Path)
		}
		require.Equal(t, want, found, "%q", text)
	}
	words := strings.Fields("the april newsletter sale spring a b c d e f g h i j k l m n o p")
	_, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: strings.Join(words[:20], " ")})
	require.NoError(t, err)
	_, err = s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: strings.Join(words, " ")})
	var invalid *linktrack.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "search must have at most 20 words", err.Error())
}

func twoEditsAtTheSameTimeBothHold(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	s.MakeLink("vanity_link", "spring", "alert_at", "5", "password", "old")
	calls := 0
	l, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) {
		e.Title, e.AlertAt, e.Password = "mine", e.AlertAt+1, new("new")
		if calls++; calls <= 2 { // somebody else is quicker, twice
			_, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) {
				e.Notes, e.AlertAt = e.Notes+"theirs", e.AlertAt+10
			})
			require.NoError(t, err)
		}
	})
	require.NoError(t, err)
	require.Equal(t, 3, calls)
	require.Equal(t, "mine", l.Title)
	require.Equal(t, "theirstheirs", l.Notes)
	require.EqualValues(t, 26, l.AlertAt, "it is added to what is there")
	found, err := s.Tracker.Link(t.Context(), s.Account, "spring")
	require.NoError(t, err)
	require.Equal(t, l.LinkSettings, found.LinkSettings)
	require.Equal(t, 303, s.Post("/spring", trackertest.Values("password", "new")).StatusCode, "the password, too")
}
