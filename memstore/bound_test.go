package memstore

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var noon = time.Date(2024, 11, 24, 12, 0, 0, 0, time.UTC)

func (s *Store) makeLinks(t *testing.T, n int) []linktrack.Link {
	t.Helper()
	links := make([]linktrack.Link, n)
	for i := range links {
		links[i] = linktrack.Link{Account: 1, Host: "go.example.com", Path: fmt.Sprintf(".%d", i)}
	}
	links, err := s.CreateLinks(t.Context(), links)
	require.NoError(t, err)
	return links
}

func (s *Store) click(t *testing.T, source byte, seq int64, clicks ...linktrack.Click) {
	t.Helper()
	require.NoError(t, s.AppendClicks(t.Context(), linktrack.Batch{Source: linktrack.Source{source}, Seq: seq, Clicks: clicks}))
	_, err := s.ApplyClicks(t.Context(), time.UTC, time.Time{})
	require.NoError(t, err)
}

func clickAt(link int64, micro int) linktrack.Click {
	return linktrack.Click{ID: linktrack.NewClickID(noon.Add(time.Duration(micro) * time.Microsecond)), Link: link, UserAgent: "agent"}
}

// held counts the rows of all histories, and those that there is memory for.
func (s *Store) held() (rows, room int) {
	for i := range s.links {
		for _, l := range s.links[i].links {
			if l == nil {
				continue
			}
			for _, chunk := range l.history.chunks {
				rows += len(chunk)
				room += cap(chunk)
			}
		}
	}
	return rows, room
}

func TestOneHotLinkKeepsItsNewestClicksAndCountsAll(t *testing.T) {
	s := NewWith(Options{MaxClicks: 1000})
	l := s.makeLinks(t, 1)[0]
	const n = 20_000
	for i := range n {
		s.click(t, 1, int64(i+1), clickAt(l.ID, i))
	}
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Ascending: true, Limit: n})
	require.NoError(t, err)
	require.Len(t, clicks, 1000, "the history holds MaxClicks")
	require.Equal(t, noon.Add((n-1000)*time.Microsecond), clicks[0].ID.Time(), "the oldest rows go")
	require.Equal(t, noon.Add((n-1)*time.Microsecond), clicks[999].ID.Time(), "the newest rows stay")
	found, err := s.LinkByPath(t.Context(), l.Host, l.Path)
	require.NoError(t, err)
	require.EqualValues(t, n, found.Counts.People, "counters are never cut")
	rows, room := s.held()
	require.Equal(t, 1000, rows)
	require.LessOrEqual(t, room, 1000+3*maxChunk, "the memory of old rows is given back")
	require.Len(t, s.kept.entries, 1000)
}

func TestManyLinksShareTheBoundAndCountAll(t *testing.T) {
	s := NewWith(Options{MaxClicks: 1000})
	links := s.makeLinks(t, 5000)
	const rounds = 3
	for round := range rounds {
		for i, l := range links {
			s.click(t, 1, int64(round*len(links)+i+1), clickAt(l.ID, round*len(links)+i))
		}
	}
	rows, room := s.held()
	require.Equal(t, 1000, rows, "the history holds MaxClicks over all links")
	require.LessOrEqual(t, room, 2000, "links whose clicks have gone hold no memory for them")
	for i, l := range links {
		clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Limit: 10})
		require.NoError(t, err)
		want := 0
		if i >= len(links)-1000 {
			want = 1
		}
		require.Len(t, clicks, want, "the clicks recorded last stay: link %d", i)
		found, err := s.LinkByPath(t.Context(), l.Host, l.Path)
		require.NoError(t, err)
		require.EqualValues(t, rounds, found.Counts.People, "counters are never cut")
	}
}

func TestAQuietLinkGivesWayToAHotOne(t *testing.T) {
	s := NewWith(Options{MaxClicks: 10})
	links := s.makeLinks(t, 2)
	s.click(t, 1, 1, clickAt(links[0].ID, 1))
	for i := range 9 {
		s.click(t, 1, int64(i+2), clickAt(links[1].ID, 10+i))
	}
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: links[0].ID, Limit: 10})
	require.NoError(t, err)
	require.Len(t, clicks, 1, "there is room for ten")
	s.click(t, 1, 100, clickAt(links[1].ID, 100))
	clicks, err = s.Clicks(t.Context(), linktrack.ClickFilter{Link: links[0].ID, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, clicks, "the click recorded longest ago goes first, whatever link it is of")
}

func TestABatchLargerThanTheBoundKeepsItsNewest(t *testing.T) {
	s := NewWith(Options{MaxClicks: 100})
	l := s.makeLinks(t, 1)[0]
	var batch []linktrack.Click
	for i := range 1000 {
		batch = append(batch, clickAt(l.ID, 999-i)) // newest first
	}
	s.click(t, 1, 1, batch...)
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Ascending: true, Limit: 1000})
	require.NoError(t, err)
	require.Len(t, clicks, 100)
	require.Equal(t, noon.Add(900*time.Microsecond), clicks[0].ID.Time(), "of one link's clicks the oldest by time go")
}

func TestTheBoundHoldsUnderConcurrentSenders(t *testing.T) {
	s := NewWith(Options{MaxClicks: 500})
	links := s.makeLinks(t, 20)
	var wg sync.WaitGroup
	for source := range 8 {
		wg.Go(func() {
			for seq := range 100 {
				var b []linktrack.Click
				for i := range 30 {
					b = append(b, clickAt(links[(source+seq*i)%len(links)].ID, seq*30+i))
				}
				err := s.AppendClicks(t.Context(), linktrack.Batch{Source: linktrack.Source{byte(source)}, Seq: int64(seq + 1), Clicks: b})
				if err == nil && seq%(source+1) == 0 {
					_, err = s.ApplyClicks(t.Context(), time.UTC, time.Time{})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	_, err := s.ApplyClicks(t.Context(), time.UTC, time.Time{})
	require.NoError(t, err)
	rows, _ := s.held()
	require.Equal(t, 500, rows, "the bound holds when all have written")
	var total, day int64
	found, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortTotal, Limit: 100, DaySince: noon})
	require.NoError(t, err)
	for _, l := range found {
		total += l.Counts.People
		day += l.Counts.Day
	}
	require.EqualValues(t, 8*100*30, total, "counters are never cut")
	require.EqualValues(t, 8*100*30, day, "hourly sums are never cut")
}

func TestTheTextOfAClickIsCopied(t *testing.T) {
	s := New()
	l := s.makeLinks(t, 1)[0]
	buffer := []byte(strings.Repeat("a large request buffer ", 1000))
	k := clickAt(l.ID, 0)
	k.UserAgent, k.Referrer, k.ReferrerHost, k.Browser, k.Platform, k.Query = unsafe.String(&buffer[0], 7), "", "", "", "", ""
	want := strings.Clone(k.UserAgent)
	s.click(t, 1, 1, k)
	clear(buffer)
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, want, clicks[0].UserAgent, "a click's text is not a part of the caller's buffer, not even if it is all of its text")
}

func TestAnUpdateHoldsUpNobodyElse(t *testing.T) {
	s := New()
	links := s.makeLinks(t, 2)
	l, other := links[0], links[1]
	_, err := s.UpdateLink(t.Context(), l.ID, func(*linktrack.Link) error {
		_, err := s.LinkByPath(t.Context(), l.Host, l.Path)
		require.NoError(t, err, "the link is looked up while it is being changed")
		s.click(t, 1, 1, clickAt(l.ID, 1))
		_, err = s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortTotal, Limit: 10})
		require.NoError(t, err, "links are listed while one is being changed")
		_, err = s.UpdateLink(t.Context(), other.ID, func(*linktrack.Link) error { return nil })
		require.NoError(t, err, "another link is changed meanwhile")
		return nil
	})
	require.NoError(t, err)
	require.Panics(t, func() {
		_, _ = s.UpdateLink(t.Context(), l.ID, func(*linktrack.Link) error { panic("a bug in change") })
	})
	_, err = s.UpdateLink(t.Context(), l.ID, func(*linktrack.Link) error { return nil })
	require.NoError(t, err, "a change that panicked leaves the link unlocked")
}

func TestHistoryIsWhatASortedSliceWouldBe(t *testing.T) {
	for name, micro := range map[string]func(i int) int{
		"in order":       func(i int) int { return i },
		"backward":       func(i int) int { return 5000 - i },
		"shuffled":       func(i int) int { return i * 7919 % 5000 },
		"almost ordered": func(i int) int { return i ^ 5 },
		"all at once":    func(int) int { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			var h history
			var want []linktrack.ClickID
			check := func() {
				t.Helper()
				rows := h.between(linktrack.ClickFilter{Ascending: true, Limit: 10_000})
				got := make([]linktrack.ClickID, len(rows))
				for i := range rows {
					got[i] = rows[i].id
				}
				require.Equal(t, want, got)
				for _, chunk := range h.chunks {
					require.NotEmpty(t, chunk)
					require.LessOrEqual(t, len(chunk), maxChunk)
				}
			}
			for i := range 5000 {
				k := clickAt(1, micro(i))
				r := newRow(&k)
				h.add(&r)
				at, _ := slices.BinarySearchFunc(want, k.ID, func(a, b linktrack.ClickID) int { return slices.Compare(a[:], b[:]) })
				want = slices.Insert(want, at, k.ID)
				if i%3 == 2 {
					h.drop()
					want = want[1:]
				}
				if i%500 == 0 {
					check()
				}
			}
			check()
			for i := 0; i < len(want); i += 97 {
				rows := h.between(linktrack.ClickFilter{After: want[i], Limit: 1, Ascending: true})
				if i+1 < len(want) {
					require.Equal(t, want[i+1], rows[0].id, "After finds the next")
				}
				rows = h.between(linktrack.ClickFilter{Before: want[i], Limit: 1})
				if i > 0 {
					require.Equal(t, want[i-1], rows[0].id, "Before finds the one before")
				}
			}
			for range want {
				h.drop()
			}
			require.Nil(t, h.chunks, "an empty history holds no memory")
			h.drop()
		})
	}
}

func TestRecordingAClickAllocatesItsTextOnly(t *testing.T) {
	s := NewWith(Options{MaxClicks: 1000})
	l := s.makeLinks(t, 1)[0]
	batch := linktrack.Batch{Source: linktrack.Source{1}, Clicks: []linktrack.Click{clickAt(l.ID, 0)}}
	allocs := testing.AllocsPerRun(10_000, func() {
		batch.Seq++
		batch.Clicks[0].ID = linktrack.FirstClickID(noon.Add(time.Duration(batch.Seq) * time.Microsecond))
		if err := s.AppendClicks(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	})
	require.LessOrEqual(t, allocs, 1.0)
	allocs = testing.AllocsPerRun(1000, func() {
		if _, err := s.LinkByPath(t.Context(), l.Host, l.Path); err != nil {
			t.Fatal(err)
		}
	})
	require.Zero(t, allocs, "a look-up of a link without a password allocates nothing")
}

func TestTheHistoryIsBoundedInBytes(t *testing.T) {
	s := NewWith(Options{MaxBytes: 1 << 20})
	links := s.makeLinks(t, 2)
	for i := range 1000 {
		c := clickAt(links[i%2].ID, i)
		c.Query = strings.Repeat("x", 10_000)
		s.click(t, 1, int64(i+1), c)
		require.LessOrEqual(t, s.bytes.Load(), int64(1<<20))
	}
	rows, _ := s.held()
	require.InDelta(t, 98, rows, 8)
	require.Len(t, s.kept.entries, rows)
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: links[1].ID, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, noon.Add(999*time.Microsecond), clicks[0].ID.Time(), "the oldest go")
	found, err := s.LinkByPath(t.Context(), links[0].Host, links[0].Path)
	require.NoError(t, err)
	require.EqualValues(t, 500, found.Counts.People, "counters are never cut")

	require.NoError(t, s.PruneClicks(t.Context(), noon.AddDate(0, 0, 2)))
	require.Zero(t, s.bytes.Load(), "what is pruned takes nothing")
}

func TestAClickLargerThanTheBoundIsNotKeptAndCounts(t *testing.T) {
	s := NewWith(Options{MaxBytes: 1})
	l := s.makeLinks(t, 1)[0]
	s.click(t, 1, 1, clickAt(l.ID, 1), clickAt(l.ID, 2))
	rows, _ := s.held()
	require.Zero(t, rows)
	require.Zero(t, s.bytes.Load())
	found, err := s.LinkByPath(t.Context(), l.Host, l.Path)
	require.NoError(t, err)
	require.EqualValues(t, 2, found.Counts.People)
}
