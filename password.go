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
)

// passwords bounds how many link passwords are hashed at a time: a hash takes a
// core for tens of milliseconds, and redirects must get their share.
type passwords chan struct{}

func newPasswords() passwords { return make(passwords, min(max(1, runtime.GOMAXPROCS(0)/2), 4)) }

// begin waits a moment for a place. The error is a *ThrottledError.
func (p passwords) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &ThrottledError{RetryAfter: 5 * time.Second}
	}
}

func (p passwords) end() { <-p }

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
