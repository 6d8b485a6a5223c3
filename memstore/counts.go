package memstore

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack"
)

// counts are a link's counters. They are written under the link's mu and read without
// it, so the counters that a reader gets may differ by some clicks. But Unique is never
// above People.
type counts struct {
	total, unique, bot, conversion, used atomic.Int64
	last                                 atomic.Int64 // Unix microseconds; 0: never
}

func (c *counts) load() linktrack.Counts {
	n := linktrack.Counts{
		Unique:      c.unique.Load(), // before People, which is written first
		People:      c.total.Load(),
		Bots:        c.bot.Load(),
		Used:        c.used.Load(),
		Conversions: c.conversion.Load(),
	}
	n.Unique = min(n.Unique, n.People) // both may fall meanwhile, see ReclassifyClicks
	if last := c.last.Load(); last != 0 {
		n.LastClick = time.UnixMicro(last).UTC()
	}
	return n
}

func (c *counts) add(d *linktrack.Delta) {
	c.total.Add(d.People)
	c.unique.Add(d.Unique)
	c.bot.Add(d.Bots)
	c.last.Store(max(c.last.Load(), d.LastClick.UnixMicro()))
}

// hours are people's clicks by hour, oldest first, without empty hours.
type hours []hour

type hour struct {
	start int64 // hours since 1970, UTC
	n     int64
}

// add counts people's clicks of an hour, which may be negative.
func (h *hours) add(start, people int64) {
	if people == 0 {
		return
	}
	i := len(*h)
	for i > 0 && (*h)[i-1].start > start { // clicks come almost in order
		i--
	}
	if i > 0 && (*h)[i-1].start == start {
		if (*h)[i-1].n += people; (*h)[i-1].n == 0 {
			*h = slices.Delete(*h, i-1, i)
		}
		return
	}
	*h = append(*h, hour{})
	copy((*h)[i+1:], (*h)[i:])
	(*h)[i] = hour{start: start, n: people}
}

// since sums the hours from the one in which t lies.
func (h hours) since(t time.Time) (sum int64) {
	seconds := t.Unix()
	start := seconds / 3600
	if seconds < 0 {
		start = 0 // no click is older than 1970
	}
	for i := len(h) - 1; i >= 0 && h[i].start >= start; i-- {
		sum += h[i].n
	}
	return sum
}
