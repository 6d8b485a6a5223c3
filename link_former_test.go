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

// renameLink renames a link in the store, as another process does.
func renameLink(t *testing.T, store linktrack.Store, id int64, host, path string) {
	t.Helper()
	_, err := store.UpdateLink(t.Context(), id, func(l *linktrack.Link) error { l.Host, l.Path = host, path; return nil })
	require.NoError(t, err)
}

func TestAFormerPathLeadsToItsLinkAndCountsThere(t *testing.T) {
	for _, c := range []struct {
		path, visit string
	}{
		{"sale", "/sale"}, {"sale", "/SALE"}, {"sale", "/sale?a=b"}, {"sale", "/%22sale%22"},
		{".f2jt", "/.f2jt"}, {".f2jt", "/f2jt"}, {".f2jt", "/..f2jt"},
	} {
		store := memstore.New()
		s := trackertest.NewService(t, store, linktrack.Options{})
		links, err := s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{{Path: c.path, NewLink: linktrack.NewLink{
			LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination, HasPlusTracking: true, Title: "Spring"}}}})
		require.NoError(t, err)
		l := links[0]
		renameLink(t, store, l.ID, l.Host, "new")
		r := s.Get(c.visit)
		require.Equal(t, http.StatusFound, r.StatusCode, c.visit)
		require.Equal(t, trackertest.Destination, r.Header.Get("Location"), c.visit)
		require.Equal(t, http.StatusFound, s.Get("/new").StatusCode)
		for _, name := range []string{"new", c.path, strings.ToUpper(c.path), "http://" + l.Host + "/" + c.path} {
			got := s.Link(name)
			require.EqualValues(t, 2, got["count_total"], "%s by the name %s", c.visit, name)
			require.Equal(t, "new", got["redirect_hash"])
			require.True(t, strings.HasSuffix(got["link"].(string), "/new"), "the URL is the present one")
		}
		r = s.Get("/" + c.path + "+")
		require.Equal(t, http.StatusOK, r.StatusCode)
		require.Contains(t, trackertest.Text(t, r), "/new", "the page shows the present path")
		setDeleted(t, store, l.ID, time.Now())
		again, _ := trackertest.Open(t, store, linktrack.Options{BaseURL: "http://" + l.Host}) // without an entry in its cache
		_, err = again.Follow(t.Context(), linktrack.Visit{Path: c.path})
		require.ErrorIs(t, err, linktrack.ErrDeleted)
		_, err = again.Link(t.Context(), s.Account, c.path)
		require.ErrorIs(t, err, linktrack.ErrNotFound)
	}
}

func TestAFormerPathIsTakenForEveryOtherLink(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "sale"})
	renameLink(t, store, l.ID, l.Host, "new")
	r := s.Call("makeLink", trackertest.Values("external_url", trackertest.Destination, "vanity_link", "Sale"))
	require.Equal(t, http.StatusConflict, r.StatusCode)
	require.Equal(t, "Error: vanity_link Sale is already taken", strings.TrimSpace(trackertest.Text(t, r)))
	in := linktrack.ImportedLink{Path: "sale", NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination + "/other"}}}
	same := linktrack.ImportedLink{Path: "sale", NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: l.ExternalURL}}}
	other := linktrack.Account{ID: s.Account.ID + 1, Type: linktrack.AccountTypeProfessional}
	for _, c := range []struct {
		account linktrack.Account
		in      linktrack.ImportedLink
		want    error
	}{
		{s.Account, in, linktrack.ErrTaken}, {s.Account, same, linktrack.ErrPresent}, {other, same, linktrack.ErrTaken},
	} {
		checks, err := s.Tracker.CheckImport(t.Context(), c.account, []linktrack.ImportedLink{c.in})
		require.NoError(t, err)
		require.Equal(t, c.want, checks[0].Err)
		_, err = s.Tracker.ImportLinks(t.Context(), c.account, []linktrack.ImportedLink{c.in})
		require.ErrorIs(t, err, linktrack.ErrTaken)
	}

	links, err := s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{{Path: ".f2jt", NewLink: in.NewLink}})
	require.NoError(t, err)
	renameLink(t, store, links[0].ID, links[0].Host, "renamed")
	_, err = s.Tracker.MakeLink(t.Context(), other, linktrack.NewLink{VanityLink: "f2jt", LinkSettings: in.LinkSettings})
	require.ErrorIs(t, err, linktrack.ErrTaken, "it would get visitors of the former path whose dot was dropped")
}

func TestANameThatWasSeveralLinksIsRefused(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://one.example.com", Hosts: []string{"http://two.example.com"}})
	for _, host := range []string{"one.example.com", "two.example.com"} {
		l := s.AddLink(linktrack.NewLink{Host: host, VanityLink: "sale"})
		renameLink(t, store, l.ID, l.Host, "new-"+host[:3])
	}
	_, err := s.Tracker.Link(t.Context(), s.Account, "sale")
	var invalid *linktrack.InvalidError
	require.ErrorAs(t, err, &invalid)
	l, err := s.Tracker.Link(t.Context(), s.Account, "http://two.example.com/sale")
	require.NoError(t, err)
	require.Equal(t, "new-two", l.Path)
	present := s.AddLink(linktrack.NewLink{Host: "one.example.com", VanityLink: "spring"})
	renameLink(t, store, l.ID, "two.example.com", "spring")
	renameLink(t, store, l.ID, "two.example.com", "summer")
	l, err = s.Tracker.Link(t.Context(), s.Account, "spring")
	require.NoError(t, err, "a present path comes before former ones")
	require.Equal(t, present.ID, l.ID)
}

func TestALinkThatMovedToAnotherHostIsFollowedOnBoth(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://one.example.com", Hosts: []string{"https://two.example.com"}})
	l := s.AddLink(linktrack.NewLink{Host: "two.example.com", VanityLink: "sale"})
	renameLink(t, store, l.ID, "one.example.com", "sale")
	for host, attributes := range map[string]string{"one.example.com": "SameSite=Lax", "two.example.com": "SameSite=None; Secure"} {
		r := trackertest.Request(http.MethodGet, "/sale", "")
		r.Host = host
		answer := s.Do(r)
		require.Equal(t, http.StatusFound, answer.StatusCode, host)
		require.Contains(t, answer.Header.Get("Set-Cookie"), "Path=/sale;", host)
		require.Contains(t, answer.Header.Get("Set-Cookie"), attributes, "the cookie is the visited host's")
	}
}

// A visitor's cookie is for the path that he used, as the browser sends it back to that
// path only. Within 30 minutes he is one visitor by each of the paths, so the first visit by
// another path counts as unique, too.
func TestAVisitorByAFormerPathIsUniqueOnceInHalfAnHour(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "sale"})
	r := s.Get("/sale")
	before := r.Header.Get("Set-Cookie")
	require.Contains(t, before, "; Path=/sale;")
	cookie, _, _ := strings.Cut(before, ";")
	renameLink(t, store, l.ID, l.Host, "new")
	counted := func() []any {
		got := s.Link("new")
		return []any{got["count_total"], got["count_unique"]}
	}
	r = s.Get("/sale", "Cookie", cookie)
	require.Contains(t, r.Header.Get("Set-Cookie"), "; Path=/sale;", "the cookie is renewed for the path that the visitor uses")
	require.EqualValues(t, []any{2.0, 1.0}, counted(), "the cookie from before the rename is good")
	r = s.Get("/new")
	require.Contains(t, r.Header.Get("Set-Cookie"), "; Path=/new;")
	require.EqualValues(t, []any{3.0, 2.0}, counted(), "the browser does not send the cookie of another path")
	s.Get("/new", "Cookie", cookie)
	require.EqualValues(t, []any{4.0, 2.0}, counted(), "a cookie is of the link, by whichever path it comes")
}

func TestAnEditAppliesAtOnceByThePathThatAnotherProcessMadeAFormerOne(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{Links: linktrack.LinkOptions{CacheTTL: time.Hour}})
	l := s.AddLink(linktrack.NewLink{VanityLink: "sale", LinkSettings: linktrack.LinkSettings{HasPlusTracking: true}})
	require.Equal(t, http.StatusFound, s.Get("/sale").StatusCode)
	renameLink(t, store, l.ID, l.Host, "new")
	require.Equal(t, http.StatusFound, s.Get("/sale").StatusCode, "it is in the cache")
	require.Equal(t, http.StatusOK, s.Get("/sale+").StatusCode, "its page is found by the entry in the cache")
	_, err := s.Tracker.UpdateLink(t.Context(), s.Account, "sale", func(e *linktrack.LinkEdit) { e.Disabled = true })
	require.NoError(t, err)
	for _, path := range []string{"/sale", "/new"} {
		require.Equal(t, http.StatusGone, s.Get(path).StatusCode, path)
	}
}

func TestAClaimIsGoodAfterItsLinkWasRenamed(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l, claim := s.MakeAnonymousLink("192.0.2.1")
	renameLink(t, store, l.ID, l.Host, "new")
	for range 2 {
		got, err := s.Tracker.ClaimLink(t.Context(), s.Account, claim)
		require.NoError(t, err)
		require.Equal(t, l.ID, got.ID)
	}
	require.NoError(t, store.ReleasePaths(t.Context(), l.ID, []linktrack.LinkName{{Host: l.Host, Key: l.Key()}}))
	_, err := s.Tracker.ClaimLink(t.Context(), s.Account, claim)
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}
