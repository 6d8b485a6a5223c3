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
	places  chan struct{}
	clients share.Pool // who hashes or waits
}

const (
	hashesOfClient  = 2 // at a time, those that wait for a place included
	hashesOfSite    = 4
	hashesOfAccount = 8 // of links that are made
)

func newPasswords() *passwords {
	return &passwords{places: make(chan struct{}, min(max(1, runtime.GOMAXPROCS(0)/2), 4))}
}

// begin waits a moment for a place, and refuses at once who has the share that
// limits says. The error is a *ThrottledError; without one, end gives the
// place back.
func (p *passwords) begin(ctx context.Context, limits ...share.Limit) (end func(), err error) {
	if !p.clients.Take(limits...) {
		return nil, &ThrottledError{RetryAfter: time.Second}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	select {
	case p.places <- struct{}{}:
		return func() { <-p.places; p.clients.Release(limits...) }, nil
	case <-ctx.Done():
		p.clients.Release(limits...)
		return nil, &ThrottledError{RetryAfter: 5 * time.Second}
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
