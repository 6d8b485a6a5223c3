// Package throttle counts failures by key and remembers successes, in memory and
// for this process, so that passes and passwords cannot be guessed.
package throttle

import (
	"crypto/sha256"
	"time"

	"github.com/maypok86/otter/v2"
)

// Failures counts failures by key. The first failure of a key opens a window;
// when the window has as many as a [Quota] allows, the key is refused until the
// window ends. Attempts that are made at the same time are all allowed if the
// first of them is.
//
// It keeps hashes of the keys, of 100,000 keys at most: clients can send any
// number of them, of any length.
type Failures struct {
	keys *otter.Cache[hash, failures]
}

type hash [16]byte

func hashOf(key string) hash {
	sum := sha256.Sum256([]byte(key))
	return hash(sum[:len(hash{})])
}

type failures struct {
	n     int
	until time.Time
}

// NewFailures returns a Failures that knows of none.
func NewFailures() Failures {
	return Failures{otter.Must(&otter.Options[hash, failures]{MaximumSize: 100_000})}
}

// A Quota is how many failures of a key a window may have.
type Quota struct {
	Key    string
	Limit  int
	Window time.Duration
}

// Check looks at one quota after the other. Of the first that is used up it
// returns the time until its window ends; 0 means that none is.
func (f Failures) Check(quotas ...Quota) (retryAfter time.Duration) {
	for _, q := range quotas {
		found, ok := f.keys.GetIfPresent(hashOf(q.Key))
		if wait := time.Until(found.until); ok && found.n >= q.Limit && wait > 0 {
			return wait
		}
	}
	return 0
}

// Count adds a failure to each quota's key.
func (f Failures) Count(quotas ...Quota) {
	at := time.Now()
	for _, q := range quotas {
		f.keys.Compute(hashOf(q.Key), func(old failures, found bool) (failures, otter.ComputeOp) {
			if !found || !at.Before(old.until) {
				old = failures{until: at.Add(q.Window)}
			}
			old.n++
			return old, otter.WriteOp
		})
	}
}

// Forget clears a key, for example because an attempt succeeded.
func (f Failures) Forget(key string) { f.keys.Invalidate(hashOf(key)) }
