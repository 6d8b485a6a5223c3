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

// A quota is how many failures of a key a window may have.
type quota struct {
	key    string
	limit  int
	window time.Duration
}

// checkAll checks bounds one after the other.
func (t throttle) checkAll(bounds []quota) error {
	for _, b := range bounds {
		if err := t.check(b.key, b.limit); err != nil {
			return err
		}
	}
	return nil
}

// failAll counts a failure for each of the bounds.
func (t throttle) failAll(bounds []quota) {
	for _, b := range bounds {
		t.fail(b.key, b.window)
	}
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

// lately is for how long one who was right once is known for it.
const lately = 24 * time.Hour

// successes remember who was right lately, in memory and for this process: by
// key when that was, and with which proof.
type successes struct {
	keys *otter.Cache[string, success] // bounded, though only who is right gets in
}

type success struct {
	until time.Time
	proof [sha256.Size]byte
}

func newSuccesses() successes {
	return successes{otter.Must(&otter.Options[string, success]{MaximumSize: 100_000})}
}

// find returns the proof of a key that was right lately.
func (s successes) find(key string) (proof [sha256.Size]byte, known bool) {
	found, ok := s.keys.GetIfPresent(key)
	if !ok || !time.Now().Before(found.until) {
		return proof, false
	}
	return found.proof, true
}

func (s successes) note(key string, proof [sha256.Size]byte) {
	s.keys.Set(key, success{time.Now().Add(lately), proof})
}

func (s successes) forget(key string) { s.keys.Invalidate(key) }

// canonical is a client as the throttle knows it: of an address of version 6
// the /64, everything else as it is.
func canonical(client string) string {
	if ip, err := netip.ParseAddr(client); err == nil {
		return clientKey(ip.WithZone(""))
	}
	return client
}

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
