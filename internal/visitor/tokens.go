// Package visitor tells new visitors of a link from known ones: by a token in a
// cookie, or without a cookie by a fingerprint that is kept in memory.
package visitor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// awayFor is how long a visitor must have been away from a link to count as new
// again.
const awayFor = 30 * time.Minute

// Tokens makes and checks the values of the visitors' cookies: the time of the
// last visit, signed for one link. It is safe for concurrent use.
type Tokens struct {
	block cipher.Block
}

const (
	macSize   = 12 // bytes: 2^96 guesses, for a counter
	tokenSize = 8 + macSize
	tokenLen  = (tokenSize*8 + 5) / 6 // in base64
)

// NewTokens returns Tokens whose key is derived from the secret.
func NewTokens(secret []byte) *Tokens {
	key := hmac.New(sha256.New, secret)
	key.Write([]byte("linktrack visitor cookie"))
	block, err := aes.NewCipher(key.Sum(nil))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	return &Tokens{block}
}

// IsNew reports whether the request's token makes its sender a new visitor of the
// link: the token is empty or not a valid one for this link, or the last visit was
// 30 minutes ago or earlier.
func (v *Tokens) IsNew(link int64, token string, at time.Time) bool {
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
	return at.Sub(last) >= awayFor
}

// Token returns the value for the cookie of a visitor who came at that time.
func (v *Tokens) Token(link int64, at time.Time) string {
	var b [tokenSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli()))
	v.sign(link, &b)
	var text [tokenLen]byte
	base64.RawURLEncoding.Encode(text[:], b[:])
	return string(text[:])
}

// sign fills the last part of b with a signature of the link and the first part.
// The message is always one block of AES. For messages of that fixed length the
// cipher itself is a MAC (CBC-MAC with a single block), and it takes a small part
// of the time that an HMAC would take from every redirect.
func (v *Tokens) sign(link int64, b *[tokenSize]byte) {
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[:8], uint64(link))
	copy(block[8:], b[:8])
	v.block.Encrypt(block[:], block[:])
	copy(b[8:], block[:macSize])
}
