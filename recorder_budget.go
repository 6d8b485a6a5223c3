package linktrack

import (
	"sync"
	"unsafe"
)

// A budget bounds the memory of clicks, by their number and by their bytes.
type budget struct {
	maxClicks int
	maxBytes  int64

	mu     sync.Mutex
	clicks int
	bytes  int64
}

// reserve takes a part of the budget for clicks. It returns false, and takes
// nothing, if that part is not left.
func (b *budget) reserve(clicks int, bytes int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if clicks > b.maxClicks-b.clicks || bytes > b.maxBytes-b.bytes {
		return false
	}
	b.clicks += clicks
	b.bytes += bytes
	return true
}

// release returns a part that was reserved.
func (b *budget) release(clicks int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clicks -= clicks
	b.bytes -= bytes
}

func (b *budget) used() (clicks int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clicks, b.bytes
}

// size returns approximately how many bytes of memory a click takes. Its binary form
// takes less.
func (c *Click) size() int64 {
	return int64(unsafe.Sizeof(*c)) + int64(len(c.Referrer)+len(c.ReferrerHost)+len(c.UserAgent)+len(c.Browser)+len(c.Platform)+len(c.Country)+len(c.Query)+len(c.IP.Zone()))
}

func sizeOf(clicks []Click) (bytes int64) {
	for i := range clicks {
		bytes += clicks[i].size()
	}
	return bytes
}
