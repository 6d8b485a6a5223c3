package linktrack

import (
	"sync"
	"unsafe"
)

// A room bounds what clicks take in memory, by their number and by their bytes.
type budget struct {
	maxClicks int
	maxBytes  int64

	mu     sync.Mutex
	clicks int
	bytes  int64
}

// take makes room for clicks, for all of them or for none.
func (r *budget) reserve(clicks int, bytes int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if clicks > r.maxClicks-r.clicks || bytes > r.maxBytes-r.bytes {
		return false
	}
	r.clicks += clicks
	r.bytes += bytes
	return true
}

// give gives back what was taken.
func (r *budget) release(clicks int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clicks -= clicks
	r.bytes -= bytes
}

func (r *budget) used() (clicks int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clicks, r.bytes
}

// size is how many bytes of memory a click takes, about.
func (c *Click) size() int64 {
	return int64(unsafe.Sizeof(*c)) + int64(len(c.Referrer)+len(c.ReferrerHost)+len(c.UserAgent)+len(c.Browser)+len(c.Platform)+len(c.Query))
}

func sizeOf(clicks []Click) (bytes int64) {
	for i := range clicks {
		bytes += clicks[i].size()
	}
	return bytes
}
