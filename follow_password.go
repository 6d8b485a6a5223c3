package linktrack

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/linktrackhq/linktrack/internal/share"
)

// passwords bounds how many link passwords are hashed at a time: a hash takes a
// core for tens of milliseconds, and redirects must get their share.
type passwords struct {
	slots   chan struct{}
	clients share.Pool // those that hash, or wait for a place, or for their share of the places
}

// How many hashes one may have at a time, those that wait for a place included.
const (
	hashesOfClient  = 2
	hashesOfSite    = 4 // a /48
	hashesOfAccount = 8 // of links that are made
)

// Many people may have one address: a classroom, the customers of a provider.
// So a few more may wait for the share, which takes no core and no place.
const (
	waitForEach  = 8 // so 16 of a client, 32 of a site, 64 of an account
	shareTimeout = 2 * time.Second
	slotTimeout  = 5 * time.Second
)

func newPasswords() *passwords {
	return &passwords{slots: make(chan struct{}, min(max(1, runtime.GOMAXPROCS(0)/2), 4))}
}

// begin waits a moment for a share of the places, which limits say, and then for
// a place. It refuses at once if too many wait for the same share, so nobody
// keeps others waiting by sending many passwords. The error is a
// *ThrottledError; without one, end gives the place back.
func (p *passwords) acquire(ctx context.Context, limits ...share.Limit) (end func(), err error) {
	sharing, cancel := context.WithTimeout(ctx, shareTimeout)
	defer cancel()
	if !p.clients.Wait(sharing, waitForEach, limits...) {
		return nil, &ThrottledError{RetryAfter: time.Second}
	}
	placing, cancel := context.WithTimeout(ctx, slotTimeout)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots; p.clients.Release(limits...) }, nil
	case <-placing.Done():
		p.clients.Release(limits...)
		return nil, &ThrottledError{RetryAfter: slotTimeout}
	}
}

// hashPassword and matchPassword use bcrypt of the SHA-256 of the password:
// bcrypt alone reads no more than 72 bytes of it.
func hashPassword(password string) ([]byte, error) {
	hash, err := bcrypt.GenerateFromPassword(shortened(password), bcrypt.DefaultCost)
	if err != nil {
		return nil, fmt.Errorf("hash the password: %w", err)
	}
	return hash, nil
}

func matchPassword(hash []byte, password string) (bool, error) {
	err := bcrypt.CompareHashAndPassword(hash, shortened(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

func shortened(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return []byte(base64.RawStdEncoding.EncodeToString(sum[:])) // no NUL, at which bcrypt may stop
}
