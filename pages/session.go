package pages

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// sessions keep who is signed in, in a signed cookie and nowhere else.
type sessions struct {
	t      *linktrack.Tracker
	key    [32]byte
	path   string // of the cookie
	secure bool   // visitors come by https
}

const (
	sessionCookie = "linktrack_session"
	sessionLength = 30 * 24 * time.Hour
	markSize      = 16                      // bytes, of the account as it was
	claimSize     = 8 + 8 + markSize        // account, end, mark
	sessionSize   = claimSize + sha256.Size // and the signature
	sessionLen    = (sessionSize*8 + 5) / 6 // in base64
)

func newSessions(t *linktrack.Tracker, path string) *sessions {
	secure := false
	if hosts := t.HostsOf(linktrack.Account{}); len(hosts) > 0 {
		secure = strings.HasPrefix(t.TrackingURL(linktrack.Link{Host: hosts[0]}), "https:")
	}
	return &sessions{t: t, key: t.Key("session of the account pages"), path: path, secure: secure}
}

// begin signs the account in.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, a linktrack.Account) {
	b := make([]byte, 0, sessionSize)
	b = binary.BigEndian.AppendUint64(b, uint64(a.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(time.Now().Add(sessionLength).Unix()))
	b = append(b, s.mark(a)...)
	b = append(b, s.sign(b)...)
	s.set(w, r, base64.RawURLEncoding.EncodeToString(b), int(sessionLength/time.Second))
}

// end makes the browser forget the session.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) { s.set(w, r, "", -1) }

func (s *sessions) set(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name:     sessionCookie,
		Value:    value,
		Path:     s.path,
		MaxAge:   age,
		HttpOnly: true,
		Secure:   s.secure || r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
}

// account returns who is signed in, as the store knows the account now.
// [linktrack.ErrUnauthorized] if nobody is: then the session is over, too, if
// the account has another pass since, is switched off, or is gone.
func (s *sessions) account(r *http.Request) (linktrack.Account, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || len(cookie.Value) != sessionLen {
		return linktrack.Account{}, linktrack.ErrUnauthorized
	}
	b, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(b) != sessionSize || !hmac.Equal(b[claimSize:], s.sign(b[:claimSize])) {
		return linktrack.Account{}, linktrack.ErrUnauthorized
	}
	if time.Now().Unix() >= int64(binary.BigEndian.Uint64(b[8:])) {
		return linktrack.Account{}, linktrack.ErrUnauthorized
	}
	a, err := s.t.Account(r.Context(), linktrack.AccountID(binary.BigEndian.Uint64(b)))
	switch {
	case errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Account{}, linktrack.ErrUnauthorized
	case err != nil:
		return linktrack.Account{}, err
	case a.Disabled || !hmac.Equal(b[16:claimSize], s.mark(a)):
		return linktrack.Account{}, linktrack.ErrUnauthorized
	}
	return a, nil
}

// keeps reports whether an account that gave its login and pass is one that
// account will find again.
func (s *sessions) keeps(ctx context.Context, a linktrack.Account) (bool, error) {
	kept, err := s.t.Account(ctx, a.ID)
	if errors.Is(err, linktrack.ErrNotFound) {
		return false, nil
	}
	return err == nil && hmac.Equal(s.mark(kept), s.mark(a)), err
}

func (s *sessions) sign(claim []byte) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte("session\x00"))
	mac.Write(claim)
	return mac.Sum(nil)
}

// mark is another one when the account gets a new pass or login.
func (s *sessions) mark(a linktrack.Account) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte("mark\x00" + a.Login + "\x00"))
	mac.Write(a.PassHash)
	return mac.Sum(nil)[:markSize]
}
