package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var counts = []rule{
	{"people count in Total, new ones in Unique, bots in Bot", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		uniqueBot := bot(l.ID, noon.Add(5*time.Second))
		uniqueBot.Unique = true
		send(t, s,
			visitor(l.ID, noon),
			person(l.ID, noon.Add(1*time.Second)),
			person(l.ID, noon.Add(2*time.Second)),
			visitor(l.ID, noon.Add(3*time.Second)),
			bot(l.ID, noon.Add(4*time.Second)),
			uniqueBot,
		)
		want := linktrack.Counts{People: 4, Unique: 2, Bots: 2, LastClick: noon.Add(5 * time.Second)}
		require.Equal(t, want, look(t, s, l).Counts, "people are in Total, the new ones of them in Unique too, bots in Bot and nowhere else")
		require.EqualValues(t, 4, dayCount(t, s, l, noon), "Day counts people only")
		require.Len(t, recorded(t, s, l.ID), 6, "bots are in the history")
	}},
	{"clicks of bots alone leave people's counts at zero", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, bot(l.ID, noon))
		require.Equal(t, linktrack.Counts{Bots: 1, LastClick: noon}, look(t, s, l).Counts, "a bot counts in Bot and in LastClick")
		require.Zero(t, dayCount(t, s, l, noon), "a bot is in no hour's sum")
	}},
	{"counts add up over batches", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		for i := range 5 {
			at := noon.Add(time.Duration(i) * time.Second)
			sendBatch(t, s, linktrack.Batch{Source: source, Seq: int64(i + 1), Clicks: []linktrack.Click{
				visitor(l.ID, at), person(l.ID, at.Add(time.Millisecond)), bot(l.ID, at.Add(2*time.Millisecond)),
			}})
		}
		want := linktrack.Counts{People: 10, Unique: 5, Bots: 5, LastClick: noon.Add(4*time.Second + 2*time.Millisecond)}
		require.Equal(t, want, look(t, s, l).Counts, "each batch adds to what was there")
	}},
	{"the last click is the newest, in whatever order they arrive", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		require.Zero(t, look(t, s, l).Counts.LastClick, "a link that was never clicked has the zero time")
		last := func(want time.Time, why string) {
			t.Helper()
			require.Equal(t, want, look(t, s, l).Counts.LastClick, why)
		}
		send(t, s, person(l.ID, noon))
		last(noon, "the first click is the last")
		send(t, s, person(l.ID, noon.Add(-time.Hour)))
		last(noon, "a batch of older clicks does not turn the time back")
		send(t, s, person(l.ID, noon.Add(time.Hour)), person(l.ID, noon.Add(time.Microsecond)), person(l.ID, noon.Add(-time.Minute)))
		last(noon.Add(time.Hour), "within a batch the order does not matter")
		send(t, s, bot(l.ID, noon.Add(time.Hour+time.Microsecond)))
		last(noon.Add(time.Hour+time.Microsecond), "a bot's click is a click, and a microsecond is newer")
		send(t, s, bot(l.ID, noon.Add(-2*time.Hour)))
		last(noon.Add(time.Hour+time.Microsecond), "an old bot's click does not turn the time back")
	}},
	{"the day is a sum of whole hours from the one it begins in", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		hour := time.Date(2024, 11, 24, 12, 0, 0, 0, time.UTC)
		send(t, s,
			person(l.ID, hour.Add(-time.Hour)),
			person(l.ID, hour.Add(-time.Microsecond)),
			visitor(l.ID, hour),
			person(l.ID, hour.Add(30*time.Minute)),
			person(l.ID, hour.Add(time.Hour-time.Microsecond)),
			person(l.ID, hour.Add(time.Hour)),
			person(l.ID, hour.Add(26*time.Hour)),
			bot(l.ID, hour.Add(10*time.Minute)),
		)
		for _, c := range []struct {
			since time.Time
			want  int64
			why   string
		}{
			{hour.AddDate(0, 0, -1), 7, "all clicks are later than that"},
			{hour.Add(-time.Hour), 7, "the hour's first microsecond is in it"},
			{hour.Add(-time.Microsecond), 7, "the hour that DaySince lies in is counted whole"},
			{hour, 5, "an hour's last microsecond is not in the next"},
			{hour.Add(30 * time.Minute), 5, "the hour that DaySince lies in is counted whole"},
			{hour.Add(time.Hour - time.Microsecond), 5, "the hour that DaySince lies in is counted whole"},
			{hour.Add(time.Hour), 2, "an hour's first microsecond is in it"},
			{hour.Add(2 * time.Hour), 1, "the sum has no end: DaySince says where it begins"},
			{hour.Add(27 * time.Hour), 0, "there are no clicks since then"},
		} {
			require.Equal(t, c.want, dayCount(t, s, l, c.since), "since %v: %s", c.since, c.why)
		}
		require.EqualValues(t, 7, look(t, s, l).Counts.People, "the total does not depend on hours")
	}},
	{"hours add up over batches that arrive out of order", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		for _, hours := range []int{0, -5, -1, -5, 0, -30, -3, -1, -5} {
			at := noon.Add(time.Duration(hours) * time.Hour)
			send(t, s, person(l.ID, at), person(other.ID, at), person(other.ID, at))
		}
		for since, want := range map[int]int64{0: 2, -1: 4, -2: 4, -3: 5, -4: 5, -5: 8, -6: 8, -29: 8, -30: 9, -31: 9} {
			at := noon.Add(time.Duration(since) * time.Hour)
			require.Equal(t, want, dayCount(t, s, l, at), "%d hours back", since)
			require.Equal(t, 2*want, dayCount(t, s, other, at), "%d hours back, for the other link", since)
		}
	}},
	{"a click on a link that does not exist is dropped and its batch kept", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		b := linktrack.Batch{Source: source, Seq: 1, Clicks: []linktrack.Click{person(l.ID, noon), person(l.ID, noon.Add(1))}}
		for _, id := range []int64{0, -1, l.ID + 1, l.ID + 2, 1<<63 - 1} {
			b.Clicks = append(b.Clicks, visitor(id, noon), bot(id, noon))
		}
		b.Clicks = append(b.Clicks, person(l.ID, noon.Add(time.Second)))
		sendBatch(t, s, b)
		sendBatch(t, s, b)
		require.EqualValues(t, 3, look(t, s, l).Counts.People, "the clicks around it count: an error would make the writer try forever")
		for i := range 2 {
			made := create(t, s, plain(pathOf(i)))
			require.Zero(t, made.Counts, "a new link has counted nothing, whatever came for its ID before")
			require.Zero(t, look(t, s, made).Counts, "a new link has counted nothing, whatever came for its ID before")
			require.Zero(t, dayCount(t, s, made, noon), "a new link has counted nothing, whatever came for its ID before")
		}
	}},
}
