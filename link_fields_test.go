package linktrack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func fields(change func(*linktrack.LinkSettings)) linktrack.NewLink {
	in := linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: trackertest.Destination}}
	change(&in.LinkSettings)
	return in
}

func TestTheFurtherFieldsOfALinkKeepTheirRules(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{
		CheckDestination: func(_ context.Context, url string) error {
			if strings.Contains(url, "spam.example") {
				return errors.New("it is spam")
			}
			return nil
		},
	}})
	tags := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("%03d", i)+strings.Repeat("é", 97))
		}
		return all
	}
	for name, c := range map[string]struct {
		change func(*linktrack.LinkSettings)
		want   string // in the error; "": allowed
	}{
		"the longest external id":           {func(l *linktrack.LinkSettings) { l.ExternalID = strings.Repeat("é", 255) }, ""},
		"an external id that is too long":   {func(l *linktrack.LinkSettings) { l.ExternalID = strings.Repeat("é", 256) }, "external_id must have at most 255 characters"},
		"a line end in an external id":      {func(l *linktrack.LinkSettings) { l.ExternalID = "a\nb" }, "external_id must not have control characters"},
		"as many tags as are allowed":       {func(l *linktrack.LinkSettings) { l.Tags = append(tags(20), strings.ToUpper(tags(20)[3])) }, ""},
		"too many tags":                     {func(l *linktrack.LinkSettings) { l.Tags = tags(21) }, "tags must have at most 20 items"},
		"a tag that is too long":            {func(l *linktrack.LinkSettings) { l.Tags = []string{"a", strings.Repeat("é", 101)} }, "tags must have at most 100 characters"},
		"a control character in a tag":      {func(l *linktrack.LinkSettings) { l.Tags = []string{"a\x00b"} }, "tags must not have control characters"},
		"a tag that is not UTF-8":           {func(l *linktrack.LinkSettings) { l.Tags = []string{"a\xff"} }, "tags must be UTF-8"},
		"a start long ago":                  {func(l *linktrack.LinkSettings) { l.StartsAt = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC) }, ""},
		"a start that no clock shows":       {func(l *linktrack.LinkSettings) { l.StartsAt = time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC) }, "starts_at must be a year from 1970 to 9999"},
		"a fallback":                        {func(l *linktrack.LinkSettings) { l.FallbackURL = "https://example.net/gone" }, ""},
		"a fallback without a scheme":       {func(l *linktrack.LinkSettings) { l.FallbackURL = "example.net" }, "fallback_url must begin with http:// or https://"},
		"a fallback that runs code":         {func(l *linktrack.LinkSettings) { l.FallbackURL = "javascript:alert(1)" }, "fallback_url must not use the scheme javascript"},
		"a fallback with white space":       {func(l *linktrack.LinkSettings) { l.FallbackURL = " https://example.net/" }, "fallback_url must not begin or end with white space"},
		"a fallback without a full host":    {func(l *linktrack.LinkSettings) { l.FallbackURL = "https://intranet/" }, "fallback_url must have a complete domain name"},
		"a fallback to the service itself":  {func(l *linktrack.LinkSettings) { l.FallbackURL = "http://go.example.com/x" }, "fallback_url must not lead to go.example.com"},
		"a fallback that the host refuses":  {func(l *linktrack.LinkSettings) { l.FallbackURL = "https://spam.example/" }, "fallback_url is refused: it is spam"},
		"a button, which has no effect yet": {func(l *linktrack.LinkSettings) { l.Confirm = linktrack.ConfirmAlways }, "confirm cannot be set yet"},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := s.Tracker.MakeLink(t.Context(), s.Account, fields(c.change))
			plain, plainErr := s.Tracker.MakeLink(t.Context(), s.Account, fields(func(*linktrack.LinkSettings) {}))
			require.NoError(t, plainErr)
			updated, updateErr := s.Tracker.UpdateLink(t.Context(), s.Account, plain.Path, func(e *linktrack.LinkEdit) { c.change(&e.LinkSettings) })
			_, importErr := s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{{NewLink: fields(func(l *linktrack.LinkSettings) {
				c.change(l)
				l.ExternalID = strings.Replace(l.ExternalID, "éé", "ab", 1)
			})}})
			if c.want == "" {
				require.NoError(t, err)
				if made.ExternalID != "" {
					require.ErrorIs(t, updateErr, linktrack.ErrExternalIDTaken)
				} else {
					require.NoError(t, updateErr)
					require.Equal(t, made.LinkSettings, updated.LinkSettings)
				}
				require.NoError(t, importErr)
				return
			}
			for _, err := range []error{err, updateErr, importErr} {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

func TestTagsAreTrimmedAndKeptOnceEach(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	given := []string{" zoo ", "Apes", "", "ZOO", "\tapes"}
	l, err := s.Tracker.MakeLink(t.Context(), s.Account, fields(func(l *linktrack.LinkSettings) { l.Tags = given }))
	require.NoError(t, err)
	require.Equal(t, []string{"Apes", "zoo"}, l.Tags)
	require.Equal(t, []string{" zoo ", "Apes", "", "ZOO", "\tapes"}, given, "the caller's slice stays as it is")
	l, err = s.Tracker.UpdateLink(t.Context(), s.Account, l.Path, func(e *linktrack.LinkEdit) { e.Tags[0] = "Zebras" })
	require.NoError(t, err)
	require.Equal(t, []string{"Zebras", "zoo"}, l.Tags, "a change that writes to the slice is a change")
}

func TestAnExternalIDThatIsInUseIsRefusedAtOnce(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	in := fields(func(l *linktrack.LinkSettings) { l.ExternalID = "order 7" })
	_, err := s.Tracker.MakeLink(t.Context(), s.Account, in)
	require.NoError(t, err)
	_, err = s.Tracker.MakeLink(t.Context(), s.Account, in)
	require.ErrorIs(t, err, linktrack.ErrExternalIDTaken)
	require.EqualError(t, err, "external_id is already taken")
	in.VanityLink = "sale"
	_, err = s.Tracker.MakeLink(t.Context(), s.Account, in)
	require.EqualError(t, err, "external_id is already taken", "the vanity link is free")
	_, err = s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{{NewLink: in}})
	require.ErrorIs(t, err, linktrack.ErrExternalIDTaken)
	links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
	require.NoError(t, err)
	require.Len(t, links, 1)
}

func TestALinkDoesNotLeadOnBeforeItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		start := time.Now().Add(time.Hour)
		l, err := s.Tracker.MakeLink(t.Context(), s.Account, fields(func(l *linktrack.LinkSettings) {
			l.StartsAt, l.DeactivateAt, l.FallbackURL, l.Title = start, 1, "https://example.net/gone", "secret title"
		}))
		require.NoError(t, err)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := s.Do(trackertest.Request(method, "/"+l.Path, ""))
			require.Equal(t, http.StatusNotFound, r.StatusCode, method)
			require.Empty(t, r.Header.Get("Location"))
			require.Empty(t, r.Header.Get("Set-Cookie"))
			if method == http.MethodGet {
				text := trackertest.Text(t, r)
				require.Contains(t, text, "This link does not work yet")
				require.NotContains(t, text, "example.net")
				require.NotContains(t, text, "secret")
			}
		}
		_, err = s.Tracker.Follow(t.Context(), linktrack.Visit{Path: l.Path})
		require.ErrorIs(t, err, linktrack.ErrNotYet)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "a host that knows no other error answers 404")
		require.NotErrorIs(t, err, linktrack.ErrGone)
		require.ErrorIs(t, l.State(start.Add(-time.Microsecond)), linktrack.ErrNotYet)
		require.NoError(t, l.State(start), "the moment itself is in time")

		time.Sleep(time.Until(start))
		synctest.Wait()
		require.Equal(t, trackertest.Destination, s.Get("/"+l.Path).Header.Get("Location"), "nothing was used up before")
		l, err = s.Tracker.Link(t.Context(), s.Account, l.Path)
		require.NoError(t, err)
		require.EqualValues(t, 1, l.Counts.People, "nothing was counted before")
		require.Zero(t, l.Counts.Bots)
	})
}

func TestALinkThatIsGoneLeadsToItsFallbackAndCountsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*linktrack.LinkEdit)
		visits int // before it is gone
	}{
		"switched off": {func(e *linktrack.LinkEdit) { e.Disabled = true }, 0},
		"expired":      {func(e *linktrack.LinkEdit) { e.ExpiresAt = time.Now().Add(-time.Hour) }, 0},
		"expired, and not yet started": {func(e *linktrack.LinkEdit) {
			e.ExpiresAt, e.StartsAt = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		}, 0},
		"used up":                             {func(e *linktrack.LinkEdit) { e.DeactivateAt = 2 }, 2},
		"with a password, which is not asked": {func(e *linktrack.LinkEdit) { e.Disabled, e.Password = true, new(string); *e.Password = "letmein" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{ForwardQuery: true}})
			l, err := s.Tracker.MakeLink(t.Context(), s.Account, fields(func(l *linktrack.LinkSettings) {
				l.FallbackURL, l.HasConversionTracking = "https://exämple.net/gone", true
			}))
			require.NoError(t, err)
			_, err = s.Tracker.UpdateLink(t.Context(), s.Account, l.Path, c.change)
			require.NoError(t, err)
			for range c.visits {
				require.Equal(t, trackertest.Destination, s.Get("/"+l.Path).Header.Get("Location"))
			}
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
				r := s.Do(trackertest.Request(method, "/"+l.Path+"?a=b", ""))
				require.Equal(t, http.StatusFound, r.StatusCode, method)
				require.Equal(t, "https://xn--exmple-cua.net/gone", r.Header.Get("Location"))
				require.Equal(t, "private, no-store", r.Header.Get("Cache-Control"))
				require.Empty(t, r.Header.Get("Set-Cookie"), "there is no click to remember")
			}
			out, err := s.Tracker.Follow(t.Context(), linktrack.Visit{Path: l.Path, UserAgent: trackertest.Googlebot})
			require.NoError(t, err)
			require.Equal(t, "https://xn--exmple-cua.net/gone", out.Location)
			require.Zero(t, out.Click)
			l, err = s.Tracker.Link(t.Context(), s.Account, l.Path)
			require.NoError(t, err)
			require.EqualValues(t, c.visits, l.Counts.People)
			require.Zero(t, l.Counts.Bots)

			_, err = s.Tracker.UpdateLink(t.Context(), s.Account, l.Path, func(e *linktrack.LinkEdit) { e.FallbackURL = "" })
			require.NoError(t, err)
			require.Equal(t, http.StatusGone, s.Get("/"+l.Path).StatusCode, "without a fallback it is the page")
		})
	}
}

func TestAFallbackOfASchemeThatIsAllowedNoMoreIsNotFollowed(t *testing.T) {
	store := memstore.New()
	before := trackertest.NewService(t, store, linktrack.Options{Links: linktrack.LinkOptions{Schemes: []string{"myapp"}}})
	l, err := before.Tracker.MakeLink(t.Context(), before.Account, fields(func(l *linktrack.LinkSettings) {
		l.FallbackURL, l.Disabled = "myapp:gone", true
	}))
	require.NoError(t, err)
	require.Equal(t, "myapp:gone", before.Get("/"+l.Path).Header.Get("Location"))
	after, err := linktrack.New(store, linktrack.Options{BaseURL: "http://go.example.com"})
	require.NoError(t, err)
	defer after.Close(t.Context())
	_, err = after.Follow(t.Context(), linktrack.Visit{Path: l.Path})
	require.ErrorIs(t, err, linktrack.ErrInactive)
}

func TestTheAPIHasNoneOfTheFurtherFieldsYet(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeLink("external_id", "7", "tags", "a", "is_archived", "1", "starts_at", "2199-01-01", "fallback_url", "https://example.net/", "confirm", "always")
	l, err := s.Tracker.Link(t.Context(), s.Account, link)
	require.NoError(t, err)
	require.Equal(t, linktrack.LinkSettings{ExternalURL: l.ExternalURL}, l.LinkSettings)
}
