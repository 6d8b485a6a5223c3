package mysqlstore

import (
	"cmp"
	"sync/atomic"
	"time"
)

// A pace finds how many clicks a step can apply within about stepTime: a step that takes
// so long that it is given up never succeeds. Large steps are better, because many
// clicks change the same rows.
type pace struct{ size atomic.Int64 } // 0: nothing is known yet

const (
	stepTime    = time.Second
	firstClicks = 5000
	maxClicks   = 20_000
	maxBytes    = 8 << 20 // of a step, unless one row has more
)

func (p *pace) clicks() int { return cmp.Or(int(p.size.Load()), firstClicks) }

// took notes how long a step with so many clicks took, and how it ended.
func (p *pace) took(clicks int, worked time.Duration, err error) {
	switch {
	case clicks == 0:
	case worked > stepTime:
		p.size.Store(int64(max(min(clicks, p.clicks())/2, 1)))
	case err == nil && worked < stepTime/2 && clicks >= p.clicks():
		p.size.Store(int64(min(2*p.clicks(), maxClicks)))
	}
}
