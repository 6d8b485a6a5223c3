package linktrack_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/memstore"
)

const (
	googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
	addressed = "Anything/1.0 (+https://example.com/why)"
)

func TestAClickIsRecordedWithItsClassAndReason(t *testing.T) {
	type result struct {
		class  linktrack.ClickClass
		reason linktrack.ClickReason
		bot    bool
	}
	person := result{linktrack.ClickClassPerson, linktrack.ClickReasonNone, false}
	word := result{linktrack.ClickClassBot, linktrack.ClickReasonWord, true}
	address := result{linktrack.ClickClassBot, linktrack.ClickReasonAddress, true}
	program := result{linktrack.ClickClassBot, linktrack.ClickReasonProgram, true}
	wordAsPerson := word
	wordAsPerson.bot = false
	for name, c := range map[string]struct {
		visit   linktrack.Visit
		options func(*linktrack.Options)
		want    result
	}{
		"a browser":                                {linktrack.Visit{UserAgent: trackertest.Firefox}, nil, person},
		"no user agent":                            {linktrack.Visit{}, nil, person},
		"a word":                                   {linktrack.Visit{UserAgent: googlebot}, nil, word},
		"an address":                               {linktrack.Visit{UserAgent: addressed}, nil, address},
		"a program":                                {linktrack.Visit{UserAgent: "curl/8.5.0"}, nil, program},
		"a bot's user agent on a button":           {linktrack.Visit{UserAgent: googlebot, Confirmed: true}, nil, person},
		"a bot where bots count as people":         {linktrack.Visit{UserAgent: googlebot}, func(o *linktrack.Options) { o.Visitors.BotsAsPeople = true }, wordAsPerson},
		"a bot whose user agent is dropped":        {linktrack.Visit{UserAgent: googlebot}, func(o *linktrack.Options) { o.Privacy.DropUserAgent = true }, word},
		"a bot that asks not to be tracked":        {linktrack.Visit{UserAgent: addressed, Private: true}, func(o *linktrack.Options) { o.Privacy.HonorGPC = true }, address},
		"a person whose user agent is dropped":     {linktrack.Visit{UserAgent: trackertest.Firefox}, func(o *linktrack.Options) { o.Privacy.DropUserAgent = true }, person},
		"a person who asks not to be tracked":      {linktrack.Visit{UserAgent: trackertest.Firefox, Private: true}, func(o *linktrack.Options) { o.Privacy.HonorGPC = true }, person},
		"a program whose clicks are only buffered": {linktrack.Visit{UserAgent: "curl/8.5.0"}, func(o *linktrack.Options) { o.Recording.Ack = linktrack.AckBuffered }, program},
	} {
		for _, journaled := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", journaled"}[journaled], func(t *testing.T) {
				var o linktrack.Options
				if c.options != nil {
					c.options(&o)
				}
				if journaled {
					j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{OSBuffered: true})
					require.NoError(t, err)
					t.Cleanup(func() { require.NoError(t, j.Close()) })
					o.Recording.Ack, o.Recording.Journal = linktrack.AckJournaled, j
				}
				store := memstore.New()
				f := trackertest.Follow(t, store, o, linktrack.NewLink{})
				c.visit.Path = f.Path
				_, err := f.Tracker.Follow(t.Context(), c.visit)
				require.NoError(t, err)
				require.NoError(t, f.Tracker.Close(t.Context()))
				_, err = store.ApplyClicks(t.Context(), nil, time.Time{})
				require.NoError(t, err)
				clicks, err := store.Clicks(t.Context(), linktrack.ClickFilter{Link: 1, Limit: 10})
				require.NoError(t, err)
				require.Len(t, clicks, 1)
				require.Equal(t, c.want, result{clicks[0].Class, clicks[0].Reason, clicks[0].Bot})
			})
		}
	}
}

func TestAClassAndAReasonHaveANameEach(t *testing.T) {
	var names []string
	for c := linktrack.ClickClassNone; c <= linktrack.ClickClassUnknown+1; c++ {
		names = append(names, c.String())
	}
	require.Equal(t, []string{"", "person", "bot", "preview", "scanner", "prefetch", "unknown", "linktrack.ClickClass(7)"}, names)
	names = nil
	for r := linktrack.ClickReasonNone; r <= linktrack.ClickReasonHost+1; r++ {
		names = append(names, r.String())
	}
	require.Equal(t, []string{"", "word", "address", "program", "header", "network", "burst", "trap", "host", "linktrack.ClickReason(9)"}, names)
}

func TestAClickThatHasBecomeABotsIsNotUniqueInTheAPI(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "spring"})
	id := linktrack.NewClickID(time.Now())
	s.Record(linktrack.Click{ID: id, Link: l.ID, Unique: true})
	for _, isBot := range []bool{true, false} {
		_, err := store.ReclassifyClicks(t.Context(), []linktrack.Verdict{{Click: linktrack.ClickRef{Link: l.ID, ID: id}, Bot: isBot}}, nil)
		require.NoError(t, err)
		item, counts := s.History("spring")[0], s.Link("spring")
		want := map[bool][]any{true: {0.0, 1.0, 0.0, 1.0}, false: {1.0, 0.0, 1.0, 0.0}}[isBot]
		require.Equal(t, want, []any{item["is_unique"], item["is_bot"], counts["count_unique"], counts["count_bot"]})
	}
}
