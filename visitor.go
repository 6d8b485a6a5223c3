package linktrack

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// visitAfter is how long a visitor must have been away from a link to be new
// to it again.
const visitAfter = 30 * time.Minute

// visitors tell new visitors of a link from known ones by a signed token, the
// cookie's value, that holds the time of the last visit.
type visitors struct {
	block cipher.Block
}

const (
	macSize   = 12 // bytes: 2^96 guesses, for a counter
	tokenSize = 8 + macSize
	tokenLen  = (tokenSize*8 + 5) / 6 // in base64
)

func newVisitors(secret []byte) *visitors {
	key := hmac.New(sha256.New, secret)
	key.Write([]byte("linktrack visitor cookie"))
	block, err := aes.NewCipher(key.Sum(nil))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	return &visitors{block}
}

// isNew reports whether the bearer of token is a new visitor of the link: no
// token, not one of ours, or the last visit is visitAfter old or older.
func (v *visitors) isNew(link int64, token string, at time.Time) bool {
	if len(token) != tokenLen {
		return true
	}
	var b [tokenSize]byte
	if n, err := base64.RawURLEncoding.Decode(b[:], []byte(token)); err != nil || n != tokenSize {
		return true
	}
	var want [tokenSize]byte
	copy(want[:8], b[:8])
	v.sign(link, &want)
	if !hmac.Equal(want[:], b[:]) {
		return true
	}
	last := time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8])))
	return at.Sub(last) >= visitAfter
}

// token is what a visitor who came at that time carries from then on.
func (v *visitors) token(link int64, at time.Time) string {
	var b [tokenSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli()))
	v.sign(link, &b)
	var text [tokenLen]byte
	base64.RawURLEncoding.Encode(text[:], b[:])
	return string(text[:])
}

// sign fills the last part of b with the signature of the link and the first.
// What is signed is one block of AES, always: for messages of just that length
// the cipher itself is a MAC (it is CBC-MAC with a single block), at a small
// part of what an HMAC takes from every redirect.
func (v *visitors) sign(link int64, b *[tokenSize]byte) {
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[:8], uint64(link))
	copy(block[8:], b[:8])
	v.block.Encrypt(block[:], block[:])
	copy(b[8:], block[:macSize])
}

// strangers tell new visitors from known ones without a cookie: see
// Options.Cookieless. Each visit is kept for visitAfter at least, in the younger
// of two maps when it comes; a full map is given up early, with the visits that
// were last then.
type fingerprints struct {
	mu       sync.Mutex
	day      int64 // since 1970, of salt
	salt     [32]byte
	young    map[[16]byte]int64 // last visits, in Unix microseconds
	old      map[[16]byte]int64
	youngest time.Time // when young was begun
}

const maxStrangers = 500_000 // in each of the two maps

func newFingerprints() *fingerprints { return &fingerprints{young: make(map[[16]byte]int64)} }

// isNew records the visit and reports whether it is the first within
// visitAfter.
func (s *fingerprints) isNew(link int64, ip netip.Addr, userAgent string, at time.Time) bool {
	salt := s.saltOf(at)
	mac := hmac.New(sha256.New, salt[:])
	var msg [24]byte
	binary.BigEndian.PutUint64(msg[:8], uint64(link))
	addr := ip.As16()
	copy(msg[8:], addr[:])
	mac.Write(msg[:])
	mac.Write([]byte(userAgent))
	key := [16]byte(mac.Sum(nil))

	s.mu.Lock()
	defer s.mu.Unlock()
	last, known := s.young[key]
	if !known {
		last, known = s.old[key]
	}
	if age := at.Sub(s.youngest); age >= visitAfter || age <= -visitAfter || len(s.young) >= maxStrangers {
		s.old, s.young, s.youngest = s.young, make(map[[16]byte]int64), at
	}
	s.young[key] = at.UnixMicro()
	return !known || at.Sub(time.UnixMicro(last)) >= visitAfter
}

// saltOf returns the salt of a day. With a new one, what is known is of no use.
func (s *fingerprints) saltOf(at time.Time) [32]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if day := at.Unix() / 86400; day != s.day {
		s.day = day
		rand.Read(s.salt[:])
		s.young, s.old, s.youngest = make(map[[16]byte]int64), nil, at
	}
	return s.salt
}
