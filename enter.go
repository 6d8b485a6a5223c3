package linktrack

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack/internal/share"
)

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
	own    quota   // of the client, in a minute
	bounds []quota // own, the link's and the /48's
	try    []quota // of a client that has a try behind the link's bound
	counts []quota // what a wrong password counts for
}

func newGuesses(link int64, client string) guesses {
	name := "link\x00" + strconv.FormatInt(link, 10)
	own := quota{name + "\x00" + client, wrongOfClient, time.Minute}
	all := quota{name, wrongOfAll, wrongWindow}
	long := quota{own.key + "\x00try", wrongBeforeTry, wrongWindow}
	g := guesses{
		own:    own,
		bounds: []quota{own, all},
		try:    []quota{own, {name, wrongOfAllWithTries, wrongWindow}, long},
		counts: []quota{own, all, long},
	}
	if site := share.Site(client); site != "" {
		key := name + "\x00" + site
		g.bounds = append(g.bounds, quota{key, wrongOfSite, wrongWindow})
		g.try = append(g.try, quota{key, wrongOfSiteBeforeTry, wrongWindow})
		g.counts = append(g.counts, quota{key, wrongOfSite, wrongWindow})
	}
	return g
}

// mayGuess returns a *ThrottledError if the client may give no password now.
func (t *Tracker) mayGuess(g guesses) error {
	if _, known := t.verifiedPasses.find(g.own.key); known {
		return t.throttle.check(g.own.key, g.own.limit)
	}
	err := t.throttle.checkAll(g.bounds)
	if err != nil && t.throttle.checkAll(g.try) == nil {
		return nil
	}
	return err
}

// enter checks the password that a visitor gave.
func (t *Tracker) checkPassword(ctx context.Context, l *Link, v *Visit) error {
	client := clientKey(v.IP)
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
		t.throttle.failAll(g.counts)
		return ErrWrongPassword
	}
	t.throttle.forget(g.own.key)
	t.verifiedPasses.note(g.own.key, [sha256.Size]byte{})
	return nil
}
