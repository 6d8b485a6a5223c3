package sqlstore

import (
	"cmp"
	"sync/atomic"
	"time"
)

// A pace finds out how many clicks a step can apply within about stepTime. Large steps are
// cheaper per click, because many clicks change the same rows. But a step that takes longer
// than its context allows is rolled back each time.
type pace struct {
	stepTime time.Duration
	size     atomic.Int64 // in clicks; 0: no step has been measured
}

const (
	firstClicks = 5000
	maxClicks   = 20_000
	maxBytes    = 8 << 20 // of data in a step; a single row may have more
)

func (p *pace) clicks() int { return cmp.Or(int(p.size.Load()), firstClicks) }

// took adapts the size of steps to how long one with so many clicks took. err is the
// step's error.
func (p *pace) took(clicks int, worked time.Duration, err error) {
	switch {
	case clicks == 0:
	case worked > p.stepTime:
		p.size.Store(int64(max(min(clicks, p.clicks())/2, 1)))
	case err == nil && worked < p.stepTime/2 && clicks >= p.clicks():
		p.size.Store(int64(min(2*p.clicks(), maxClicks)))
	}
}
