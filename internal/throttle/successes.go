package throttle

import (
	"crypto/sha256"
	"time"

	"github.com/maypok86/otter/v2"
)

// remembered is how long a success is known.
const remembered = 24 * time.Hour

// Successes remembers by key that an attempt succeeded within the last 24 hours,
// and with which proof. It keeps 100,000 keys at most.
type Successes struct {
	keys *otter.Cache[string, success]
}

type success struct {
	until time.Time
	proof [sha256.Size]byte
}

// NewSuccesses returns a Successes that knows of none.
func NewSuccesses() Successes {
	return Successes{otter.Must(&otter.Options[string, success]{MaximumSize: 100_000})}
}

// Find returns the proof that was remembered for the key.
func (s Successes) Find(key string) (proof [sha256.Size]byte, known bool) {
	found, ok := s.keys.GetIfPresent(key)
	if !ok || !time.Now().Before(found.until) {
		return proof, false
	}
	return found.proof, true
}

// Remember notes that an attempt succeeded now, with that proof.
func (s Successes) Remember(key string, proof [sha256.Size]byte) {
	s.keys.Set(key, success{time.Now().Add(remembered), proof})
}

// Forget drops what is remembered for the key.
func (s Successes) Forget(key string) { s.keys.Invalidate(key) }
