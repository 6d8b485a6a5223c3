package load

import (
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets that are a sixteenth of their value
// wide at most, so what it says is less than 7 % too high. The zero value is
// empty.
type Histogram struct {
	buckets [16 + 16*48]int64 // nanoseconds below 16 each, then 16 to each power of two, for 3 days
	count   int64
	max     time.Duration
}

// Record counts a duration.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.buckets[min(bucket(uint64(d)), len(h.buckets)-1)]++
	h.count++
	h.max = max(h.max, d)
}

// Add counts all that other has counted.
func (h *Histogram) Add(other *Histogram) {
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.count += other.count
	h.max = max(h.max, other.max)
}

// Count is how many durations were recorded.
func (h *Histogram) Count() int64 { return h.count }

// Max is the longest, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile returns a duration that the share q of all, from 0 to 1, did not
// exceed; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rest := int64(q * float64(h.count))
	for i, n := range h.buckets {
		if n > 0 && rest < n {
			return min(upper(i), h.max)
		}
		rest -= n
	}
	return h.max
}

// bucket is the number of the bucket of ns: its highest bit and the four below.
func bucket(ns uint64) int {
	if ns < 16 {
		return int(ns)
	}
	shift := bits.Len64(ns) - 5
	return 16*shift + int(ns>>shift)
}

// upper is the longest duration in a bucket.
func upper(i int) time.Duration {
	if i < 16 {
		return time.Duration(i)
	}
	shift := i/16 - 1
	return time.Duration((uint64(i-16*shift)+1)<<shift - 1)
}
