package visitor

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// Fingerprints tells new visitors from known ones without a cookie, by a hash of
// link, address, and user agent. The salt of the hash is new every day (UTC) and
// in every process. It is safe for concurrent use.
//
// A visit is kept for at least 30 minutes: it is added to the current map, which
// becomes the previous one after that time, or earlier when it is full.
type Fingerprints struct {
	mu       sync.Mutex
	day      int64 // of salt, since 1970
	salt     [32]byte
	current  map[[16]byte]int64 // last visits, in Unix microseconds
	previous map[[16]byte]int64
	begun    time.Time // when current was made
}

const maxFingerprints = 500_000 // in each of the two maps

// NewFingerprints returns Fingerprints that know of no visit.
func NewFingerprints() *Fingerprints { return &Fingerprints{current: make(map[[16]byte]int64)} }

// IsNew records the visit and reports whether it is the first one within 30
// minutes.
func (f *Fingerprints) IsNew(link int64, ip netip.Addr, userAgent string, at time.Time) bool {
	salt := f.saltOf(at)
	mac := hmac.New(sha256.New, salt[:])
	var msg [24]byte
	binary.BigEndian.PutUint64(msg[:8], uint64(link))
	addr := ip.As16()
	copy(msg[8:], addr[:])
	mac.Write(msg[:])
	mac.Write([]byte(userAgent))
	key := [16]byte(mac.Sum(nil))

	f.mu.Lock()
	defer f.mu.Unlock()
	last, known := f.current[key]
	if !known {
		last, known = f.previous[key]
	}
	if age := at.Sub(f.begun); age >= awayFor || age <= -awayFor || len(f.current) >= maxFingerprints {
		f.previous, f.current, f.begun = f.current, make(map[[16]byte]int64), at
	}
	f.current[key] = at.UnixMicro()
	return !known || at.Sub(time.UnixMicro(last)) >= awayFor
}

// saltOf returns the salt of the day. A new salt makes the known hashes useless, so
// they are dropped.
func (f *Fingerprints) saltOf(at time.Time) [32]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if day := at.Unix() / 86400; day != f.day {
		f.day = day
		rand.Read(f.salt[:])
		f.current, f.previous, f.begun = make(map[[16]byte]int64), nil, at
	}
	return f.salt
}
