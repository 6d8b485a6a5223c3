package linktrack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// someClicks returns n clicks with texts of random lengths. They are not equal to any
// that were returned before.
func someClicks(random *rand.Rand, n int, next *int64) []Click {
	clicks := make([]Click, n)
	for i := range clicks {
		*next++
		clicks[i] = Click{
			Link: *next, UserAgent: fmt.Sprint("agent ", *next), Query: strings.Repeat("q", random.IntN(3000)),
			Unique: *next%2 == 0, Person: *next%3 == 0, Class: ClickClass(*next), Reason: ClickReason(*next >> 1),
		}
	}
	return clicks
}

// The queue is compared with a plain list of the clicks that it must have.
func TestTheQueueGivesEachClickOnceInOrderAndReturnsItsRoom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		b := &budget{maxClicks: 1 << 30, maxBytes: 1 << 50}
		q := newQueue(b)
		var next, seq int64
		var waiting, quarantined []Click // as they should be
		var current, direct []Click
		put := func(n int) []Click {
			clicks := someClicks(random, n, &next)
			require.True(t, b.reserve(n, sizeOf(clicks)))
			return clicks
		}
		for range 300 {
			switch op := random.IntN(7); {
			case op == 0:
				clicks := put(random.IntN(40))
				waiting = append(waiting, clicks...)
				require.NoError(t, q.Append(clicks))
				clear(clicks) // it has kept nothing of the slice
			case op == 1 && direct == nil:
				clicks := put(1 + random.IntN(40))
				got, ok := q.begin(clicks)
				require.Equal(t, current == nil && len(waiting) == 0, ok, "a batch is stored at once if no click waits")
				if !ok {
					waiting = append(waiting, clicks...)
					break
				}
				require.Greater(t, got.Seq, seq)
				seq = got.Seq
				direct = clicks
			case op == 2 && direct != nil:
				direct[0].Browser = "completed"
				if random.IntN(2) == 0 {
					q.end(nil)
				} else {
					q.end(errors.New("down"))
					current = slices.Clone(direct)
				}
				clear(direct)
				direct = nil
			case op == 3 || op == 4:
				limit := 1 + random.IntN(30)
				got, err := q.Next(limit)
				require.NoError(t, err)
				if direct != nil {
					require.Empty(t, got.Clicks, "nothing else is stored at the same time")
					break
				}
				if current == nil && len(waiting) > 0 {
					n := min(limit, len(waiting))
					current, waiting = waiting[:n:n], waiting[n:]
					require.Greater(t, got.Seq, seq)
					seq = got.Seq
				}
				require.Equal(t, fmt.Sprint(current), fmt.Sprint(got.Clicks), "the oldest clicks, and the same ones until they are done")
				if current != nil {
					require.Equal(t, seq, got.Seq)
				}
			case op == 5 && current != nil:
				if random.IntN(3) > 0 {
					require.NoError(t, q.Done())
				} else {
					require.NoError(t, q.Quarantine())
					quarantined = append(quarantined, current...)
				}
				current = nil
			case op == 6:
				n, err := q.Requeue()
				require.NoError(t, err)
				require.Equal(t, len(quarantined), n)
				waiting, quarantined = append(waiting, quarantined...), nil
			}
			all := len(waiting) + len(current) + len(direct)
			require.Equal(t, JournalSize{Clicks: int64(all), Quarantined: int64(len(quarantined))}, q.Size())
			clicks, _ := b.used()
			require.Equal(t, all+len(quarantined), clicks)
		}
		if direct != nil {
			q.end(nil)
		}
		_, err := q.Requeue()
		require.NoError(t, err)
		for q.Size().Clicks > 0 {
			_, err := q.Next(100)
			require.NoError(t, err)
			require.NoError(t, q.Done())
		}
		clicks, bytes := b.used()
		require.Equal(t, []int64{0, 0}, []int64{int64(clicks), bytes})
		require.Empty(t, q.waiting.chunks)
		require.Empty(t, q.quarantined.chunks)
	}
}

// heap returns the bytes of memory that are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestTheBudgetCountsTheMemoryThatWaitingClicksTake(t *testing.T) {
	long := Click{Referrer: strings.Repeat("r", 4*maxReferrer), UserAgent: strings.Repeat("a", 4*maxUserAgent), Query: strings.Repeat("q", 4*maxQuery)}
	typical := Click{
		Referrer:  "https://www.example.com/news/spring",
		UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		Query:     "utm_source=mail",
	}
	for name, c := range map[string]struct {
		click  Click
		n      int
		atMost int64 // bytes for a click
	}{
		"short clicks":   {Click{Link: 1}, 100_000, 30},
		"typical clicks": {typical, 50_000, 220},
		"long clicks":    {long, 500, 21_000},
	} {
		t.Run(name, func(t *testing.T) {
			b := &budget{maxClicks: 1 << 30, maxBytes: 1 << 50}
			q := newQueue(b)
			before := heap()
			for range c.n {
				one := c.click
				for _, s := range []*string{&one.Referrer, &one.UserAgent, &one.Query} {
					*s = strings.Clone(*s) // as from a request
				}
				require.True(t, b.reserve(1, one.size()))
				require.NoError(t, q.Append([]Click{one}))
			}
			held := func() (real, counted int64) {
				_, counted = b.used()
				return heap() - before, counted
			}
			real, counted := held()
			require.LessOrEqual(t, counted, int64(c.n)*c.atMost)
			require.InEpsilon(t, real, counted, 0.2, "%d bytes, of which %d are counted", real, counted)
			batch, err := q.Next(maxBatch)
			require.NoError(t, err)
			real, counted = held()
			require.InEpsilon(t, real, counted, 0.2, "while a batch is sent: %d bytes, of which %d are counted", real, counted)
			require.NoError(t, q.Quarantine())
			runtime.KeepAlive(batch)
			batch = Batch{}
			real, counted = held()
			require.LessOrEqual(t, counted, int64(c.n)*c.atMost)
			require.InEpsilon(t, real, counted, 0.2, "with a batch in quarantine: %d bytes, of which %d are counted", real, counted)
			runtime.KeepAlive(q)
		})
	}
}

func TestABatchDoesNotKeepTheMemoryOfOtherClicks(t *testing.T) {
	q := newQueue(&budget{})
	var next int64
	require.NoError(t, q.Append(someClicks(rand.New(rand.NewPCG(1, 2)), 10_000, &next)))
	before := heap()
	var kept []Batch // by a hook that is called late
	for range 300 {
		b, err := q.Next(1)
		require.NoError(t, err)
		kept = append(kept, Batch{Clicks: slices.Clone(b.Clicks)})
		require.NoError(t, q.Done())
	}
	require.Less(t, heap()-before, int64(300*5000))
	runtime.KeepAlive(kept)
	runtime.KeepAlive(q)
}
