package linktrack

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
)

// A throttle counts failures by key, in memory and for this process. The first
// failure opens a window; when too many fall into it, the rest of the window is
// closed for that key. Attempts that are made at the same time are all allowed
// if the first of them is. Of keys it has hashes only: strangers make up any
// number of them, of any length.
type throttle struct {
	keys *otter.Cache[throttleKey, failures]
}

type throttleKey [16]byte

func throttleKeyOf(key string) throttleKey {
	sum := sha256.Sum256([]byte(key))
	return throttleKey(sum[:len(throttleKey{})])
}

type failures struct {
	n     int
	until time.Time
}

func newThrottle() throttle {
	return throttle{otter.Must(&otter.Options[throttleKey, failures]{MaximumSize: 100_000})}
}

// check returns a *ThrottledError if limit failures fell into the window.
func (t throttle) check(key string, limit int) error {
	f, found := t.keys.GetIfPresent(throttleKeyOf(key))
	if wait := time.Until(f.until); found && f.n >= limit && wait > 0 {
		return &ThrottledError{RetryAfter: wait}
	}
	return nil
}

// fail counts a failure.
func (t throttle) fail(key string, window time.Duration) {
	at := time.Now()
	t.keys.Compute(throttleKeyOf(key), func(f failures, found bool) (failures, otter.ComputeOp) {
		if !found || !at.Before(f.until) {
			f = failures{until: at.Add(window)}
		}
		f.n++
		return f, otter.WriteOp
	})
}

// forget clears a key: the attempt succeeded.
func (t throttle) forget(key string) { t.keys.Invalidate(throttleKeyOf(key)) }

// clientKey is what clients are throttled by: the address, of IPv6 the /64
// that one customer has.
func clientKey(ip netip.Addr) string {
	ip = ip.Unmap()
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr().String()
		}
	}
	return ip.String()
}
