package linktrack

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack/internal/clientip"
	"github.com/linktrackhq/linktrack/internal/share"
	"github.com/linktrackhq/linktrack/internal/throttle"
	"golang.org/x/crypto/bcrypt"
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

// passwordCost is bcrypt's. The tests lower it.
var passwordCost = bcrypt.DefaultCost

// hashPassword and matchPassword use bcrypt of the SHA-256 of the password:
// bcrypt alone reads no more than 72 bytes of it.
func hashPassword(password string) ([]byte, error) {
	hash, err := bcrypt.GenerateFromPassword(shortened(password), passwordCost)
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

// Wrong passwords of one link: from one client; from one /48, which has many
// clients; and from everybody, since an attacker may have any number of
// networks. A client that was right lately is held to the first bound alone, so
// that attackers do not lock the link's visitors out.
//
// Nor do they lock out all newcomers: behind wrongOfAll, a client that has had no
// wrong password in the window has one try, as long as its /48 and the link have
// had few. So attackers with any number of networks have about 120 guesses in 10
// minutes, 17,280 a day, for a link; those with one /48 have 30, 4,320 a day; and
// those with one address 5 in a minute, 7,200 a day. A few more come of guesses
// at the same time. The bounds are those of one process.
const (
	wrongOfClient = 5 // in a minute
	wrongOfSite   = 30
	wrongOfAll    = 100
	wrongWindow   = 10 * time.Minute // of the two above

	wrongBeforeTry       = 1 // that a client must stay below for a try
	wrongOfSiteBeforeTry = 4
	wrongOfAllWithTries  = wrongOfAll + 20
)

// guesses are the bounds on the wrong passwords that a client gives for a link.
type guesses struct {
	own    throttle.Quota   // of the client, in a minute
	bounds []throttle.Quota // own, the link's and the /48's
	try    []throttle.Quota // of a client that has a try behind the link's bound
	counts []throttle.Quota // what a wrong password counts for
}

func newGuesses(link int64, client string) guesses {
	name := "link\x00" + strconv.FormatInt(link, 10)
	own := throttle.Quota{Key: name + "\x00" + client, Limit: wrongOfClient, Window: time.Minute}
	all := throttle.Quota{Key: name, Limit: wrongOfAll, Window: wrongWindow}
	long := throttle.Quota{Key: own.Key + "\x00try", Limit: wrongBeforeTry, Window: wrongWindow}
	g := guesses{
		own:    own,
		bounds: []throttle.Quota{own, all},
		try:    []throttle.Quota{own, {Key: name, Limit: wrongOfAllWithTries, Window: wrongWindow}, long},
		counts: []throttle.Quota{own, all, long},
	}
	if site := share.Site(client); site != "" {
		key := name + "\x00" + site
		g.bounds = append(g.bounds, throttle.Quota{Key: key, Limit: wrongOfSite, Window: wrongWindow})
		g.try = append(g.try, throttle.Quota{Key: key, Limit: wrongOfSiteBeforeTry, Window: wrongWindow})
		g.counts = append(g.counts, throttle.Quota{Key: key, Limit: wrongOfSite, Window: wrongWindow})
	}
	return g
}

// mayGuess returns a *ThrottledError if the client may give no password now.
func (t *Tracker) mayGuess(g guesses) error {
	if _, known := t.verifiedPasses.Find(g.own.Key); known {
		return throttled(t.failures.Check(g.own))
	}
	wait := t.failures.Check(g.bounds...)
	if wait > 0 && t.failures.Check(g.try...) == 0 {
		return nil
	}
	return throttled(wait)
}

// enter checks the password that a visitor gave.
func (t *Tracker) checkPassword(ctx context.Context, l *Link, v *Visit) error {
	client := clientip.Key(v.IP)
	g := newGuesses(l.ID, client)
	if err := t.mayGuess(g); err != nil {
		return err
	}
	end, err := t.passwords.acquire(ctx, share.Of(client, hashesOfClient, hashesOfSite)...)
	if err != nil {
		return err
	}
	defer end()
	if err := t.mayGuess(g); err != nil { // others failed while this one waited
		return err
	}
	ok, err := matchPassword(l.PasswordHash, v.Password)
	switch {
	case err != nil:
		return unavailable(err)
	case !ok:
		t.failures.Count(g.counts...)
		return ErrWrongPassword
	}
	t.failures.Forget(g.own.Key)
	t.verifiedPasses.Remember(g.own.Key, [sha256.Size]byte{})
	return nil
}
