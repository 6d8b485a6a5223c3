package linktrack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An owner who wants to be left out of the counts opens a signed address in each browser.
// It sets a signed cookie by which the browser is recognized at the links of that
// account. It is not recognized at links of other accounts, because their limits do not
// apply to clicks that are left out.

const (
	optOutCookie = "linktrack_optout_" // and the account's ID
	optOutFor    = 365 * 24 * time.Hour
	optOutWithin = 24 * time.Hour // an address is good for
)

// The purposes of signatures. A signature for one is not valid for another.
const (
	optOutByLink   = "linktrack opt-out address"
	optOutByCookie = "linktrack opt-out cookie"
)

// optOuts signs and checks tokens that hold for an account until a time.
type optOuts struct {
	key []byte
}

func newOptOuts(secret []byte) *optOuts {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("linktrack opt-out"))
	return &optOuts{mac.Sum(nil)}
}

const optOutSize = 8 + sha256.Size // bytes: the end as Unix seconds, the signature

// token returns a token that is valid for the purpose and the account until then.
func (o *optOuts) token(purpose string, account AccountID, until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, o.sign(purpose, account, b)...))
}

func (o *optOuts) sign(purpose string, account AccountID, until []byte) []byte {
	mac := hmac.New(sha256.New, o.key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(account)))
	mac.Write(until)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// holds reports whether a token was made by token and is still valid.
func (o *optOuts) holds(purpose string, account AccountID, token string) bool {
	if len(token) != base64.RawURLEncoding.EncodedLen(optOutSize) {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	return err == nil && hmac.Equal(b[8:], o.sign(purpose, account, b[:8])) &&
		time.Now().Unix() < int64(binary.BigEndian.Uint64(b))
}

// OptOutURL returns an address by which an owner leaves a browser out of the counts. It is
// valid for a day. Opened in a browser, it sets a cookie for a year. Clicks of that browser
// on the account's links on that host are then redirected but not recorded, as
// [Privacy.Exclude] describes. Its answer says how to undo this. host is one of the
// Tracker's; "" is its first; [ErrNotFound] if the Tracker does not serve it.
//
// The API has it, too: getOptOutLink, with login, pass and optionally host.
func (t *Tracker) OptOutURL(a Account, host string) (string, error) {
	if err := a.refuseAnonymous(); err != nil {
		return "", err
	}
	h, ok := t.hosts.named(host)
	if !ok {
		return "", ErrNotFound
	}
	q := url.Values{
		"account": {strconv.FormatInt(int64(a.ID), 10)},
		"token":   {t.optOuts.token(optOutByLink, a.ID, time.Now().Add(optOutWithin))},
	}
	return h.base + "api/optout?" + q.Encode(), nil
}

// OptOutCookie returns a Set-Cookie header that does the same as an address of OptOutURL,
// for an answer on one of the Tracker's hosts. The zero time removes the cookie. host is
// as in OptOutURL; if the Tracker does not serve it, the cookie has the path of the first
// host.
func (t *Tracker) OptOutCookie(a Account, host string, from time.Time) string {
	h := t.hosts.of(&Link{Host: host})
	if from.IsZero() {
		return optOutCookieOf(a.ID) + "=" + h.cookie("", "0")
	}
	return optOutCookieOf(a.ID) + "=" + t.optOuts.token(optOutByCookie, a.ID, from.Add(optOutFor)) + h.cookie("", aYear)
}

// OptedOut reports whether a request has a valid opt-out cookie for the account.
func (t *Tracker) OptedOut(r *http.Request, a Account) bool {
	return t.optOuts.holds(optOutByCookie, a.ID, optOutOf(r, a.ID))
}

// getOptOutLink answers with the address of OptOutURL.
func (h *handler) getOptOutLink(_ *http.Request, p params, a Account) (string, error) {
	address, err := h.t.OptOutURL(a, p["host"])
	if errors.Is(err, ErrNotFound) {
		err = invalid("host", "must be a host of this service")
	}
	return address, err
}

var errOptOut = fmt.Errorf("%w: the address to opt out is not whole or too old, ask for a new one", ErrForbidden)

// optOut answers an address of OptOutURL: it sets the cookie, or removes it with undo.
func (h *handler) optOut(w http.ResponseWriter, r *http.Request, c *route) {
	p := newParams(c.params...)
	p.parse(r.URL.RawQuery, true)
	id, err := strconv.ParseInt(p["account"], 10, 64)
	account := AccountID(id)
	if err != nil || !h.t.optOuts.holds(optOutByLink, account, p["token"]) {
		writeText(w, statusOf(errOptOut), "Error: "+messageOf(errOptOut))
		return
	}
	if p["undo"] == "1" {
		w.Header().Add("Set-Cookie", h.t.OptOutCookie(Account{ID: account}, r.Host, time.Time{}))
		writeText(w, http.StatusOK, "Clicks on your links by this browser are recorded again.\n")
		return
	}
	from := time.Now()
	w.Header().Add("Set-Cookie", h.t.OptOutCookie(Account{ID: account}, r.Host, from))
	writeText(w, http.StatusOK, "Clicks on your links by this browser are not recorded any more, until "+
		from.Add(optOutFor).In(h.t.opts.TimeZone).Format(time.DateOnly)+".\nTo undo that, within a day, add &undo=1 to this address.\n")
}

func optOutCookieOf(a AccountID) string { return optOutCookie + strconv.FormatInt(int64(a), 10) }

// optOutOf returns the value of the opt-out cookie for an account, if a request has one.
// It is fast for requests without one, which are most.
func optOutOf(r *http.Request, a AccountID) string {
	for _, line := range r.Header["Cookie"] {
		if strings.Contains(line, optOutCookie) {
			if cookies := r.CookiesNamed(optOutCookieOf(a)); len(cookies) > 0 {
				return cookies[0].Value
			}
		}
	}
	return ""
}
