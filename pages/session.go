package pages

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// sessions keeps the signed-in account in a signed cookie. The store remembers
// which sessions have ended, so that a copied cookie is useless after that.
type sessions struct {
	t     *linktrack.Tracker
	key   [32]byte
	path  string // Options.Prefix
	links bool   // browsers send the cookie to the links, too
}

const (
	sessionCookie = "linktrack_session"
	sessionLength = 30 * 24 * time.Hour

	maxSessionCookies = 4 // of one request; others are ignored

	fingerprintSize = 16                               // in bytes
	claimSize       = 8 + 8 + 8 + 16 + fingerprintSize // account, end, epoch, ID, fingerprint
	sessionSize     = claimSize + sha256.Size          // and the signature
	sessionLen      = (sessionSize*8 + 5) / 6          // in base64
)

func newSessions(t *linktrack.Tracker, path string) *sessions {
	return &sessions{t: t, key: t.Key("session of the account pages"), path: path}
}

// place returns the path of the cookie on the host of a request, and whether that
// host uses https.
func (s *sessions) place(r *http.Request) (path string, secure bool) {
	host, _, _ := s.t.Locate(r) // "" means the first host
	u, err := url.Parse(s.t.TrackingURL(linktrack.Link{Host: host}))
	switch {
	case err != nil || !s.links:
		return s.path, err == nil && u.Scheme == "https"
	case !strings.HasPrefix(s.path, u.Path): // the pages are elsewhere
		return "/", u.Scheme == "https"
	}
	return u.Path, u.Scheme == "https"
}

// A session is the content of a cookie.
type session struct {
	account     linktrack.AccountID
	end         time.Time
	epoch       int64
	id          linktrack.SessionID
	fingerprint []byte
}

// begin signs the account in.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, a linktrack.Account) error {
	var id linktrack.SessionID
	rand.Read(id[:])
	epoch, _, err := s.t.Session(r.Context(), a.ID, id)
	if err != nil {
		return err
	}
	b := make([]byte, 0, sessionSize)
	b = binary.BigEndian.AppendUint64(b, uint64(a.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(time.Now().Add(sessionLength).Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(epoch))
	b = append(b, id[:]...)
	b = append(b, s.fingerprint(a)...)
	b = append(b, s.sign(b)...)
	s.set(w, r, base64.RawURLEncoding.EncodeToString(b), int(sessionLength/time.Second))
	return nil
}

// end ends the sessions of the browser's cookies, and deletes the cookies. If
// everywhere is true, it ends all sessions of the same accounts.
func (s *sessions) end(w http.ResponseWriter, r *http.Request, everywhere bool) error {
	for _, cookie := range s.cookies(r) {
		in, ok := s.read(cookie.Value)
		if !ok {
			continue
		}
		_, err := s.holds(r.Context(), in)
		switch {
		case errors.Is(err, linktrack.ErrUnauthorized): // a session that is over must not end others
			continue
		case err == nil && everywhere:
			err = s.t.EndSessions(r.Context(), in.account)
		case err == nil:
			err = s.t.EndSession(r.Context(), in.account, in.id, in.end)
		}
		if err != nil {
			return err
		}
	}
	s.set(w, r, "", -1)
	return nil
}

func (s *sessions) set(w http.ResponseWriter, r *http.Request, value string, age int) {
	path, secure := s.place(r)
	http.SetCookie(w, &http.Cookie{
		Name:     s.name(r),
		Value:    value,
		Path:     path,
		MaxAge:   age,
		HttpOnly: true,
		Secure:   secure || r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
}

// name returns the name of the cookie. Where its prefix can be __Host-, other
// hosts of the domain and attackers on the network cannot set the cookie.
func (s *sessions) name(r *http.Request) string {
	if path, secure := s.place(r); path == "/" && secure {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

// cookies returns the session cookies of a request, at most maxSessionCookies. A
// browser may send one for each path, and each is looked up in the store.
func (s *sessions) cookies(r *http.Request) []*http.Cookie {
	cookies := r.CookiesNamed(s.name(r))
	return cookies[:min(len(cookies), maxSessionCookies)]
}

// account returns the signed-in account, as it is in the store now. It returns
// [linktrack.ErrUnauthorized] if there is none: also if the session was ended, or
// if the account was removed, was switched off, or has a new pass.
func (s *sessions) account(r *http.Request) (linktrack.Account, error) {
	for _, cookie := range s.cookies(r) {
		in, ok := s.read(cookie.Value)
		if !ok {
			continue
		}
		if a, err := s.holds(r.Context(), in); !errors.Is(err, linktrack.ErrUnauthorized) {
			return a, err
		}
	}
	return linktrack.Account{}, linktrack.ErrUnauthorized
}

// read returns the session of a cookie. ok is false if the signature is wrong or
// the session has expired.
func (s *sessions) read(value string) (in session, ok bool) {
	if len(value) != sessionLen {
		return in, false
	}
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(b) != sessionSize || !hmac.Equal(b[claimSize:], s.sign(b[:claimSize])) {
		return in, false
	}
	in = session{
		account:     linktrack.AccountID(binary.BigEndian.Uint64(b)),
		end:         time.Unix(int64(binary.BigEndian.Uint64(b[8:])), 0),
		epoch:       int64(binary.BigEndian.Uint64(b[16:])),
		id:          linktrack.SessionID(b[24:40]),
		fingerprint: b[40:claimSize],
	}
	return in, time.Now().Before(in.end)
}

// holds returns the account of a session, or [linktrack.ErrUnauthorized] if the
// session is over.
func (s *sessions) holds(ctx context.Context, in session) (linktrack.Account, error) {
	a, err := s.t.Account(ctx, in.account)
	if err == nil && (a.Disabled || !hmac.Equal(in.fingerprint, s.fingerprint(a))) {
		err = linktrack.ErrUnauthorized
	}
	if err == nil {
		var epoch int64
		var ended bool
		if epoch, ended, err = s.t.Session(ctx, in.account, in.id); err == nil && (ended || epoch != in.epoch) {
			err = linktrack.ErrUnauthorized
		}
	}
	switch {
	case errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Account{}, linktrack.ErrUnauthorized
	case err != nil:
		return linktrack.Account{}, err
	}
	return a, nil
}

// keeps reports whether the store has an account that has just given its login
// and pass, so that the method account will find it.
func (s *sessions) keeps(ctx context.Context, a linktrack.Account) (bool, error) {
	kept, err := s.t.Account(ctx, a.ID)
	if errors.Is(err, linktrack.ErrNotFound) {
		return false, nil
	}
	return err == nil && hmac.Equal(s.fingerprint(kept), s.fingerprint(a)), err
}

func (s *sessions) sign(claim []byte) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte("session\x00"))
	mac.Write(claim)
	return mac.Sum(nil)
}

// fingerprint changes when the account gets a new pass or login.
func (s *sessions) fingerprint(a linktrack.Account) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte("mark\x00" + a.Login + "\x00"))
	mac.Write(a.PassHash)
	return mac.Sum(nil)[:fingerprintSize]
}
