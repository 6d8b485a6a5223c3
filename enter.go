package linktrack

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack/internal/share"
)

// Wrong passwords of one link: from one client; from one /48, which has many
// clients; and from everybody, since one who guesses may have any number of
// networks. A client that was right lately is held to the first alone, so that
// who guesses does not lock the link's visitors out.
const (
	wrongOfClient = 5 // in a minute
	wrongOfSite   = 30
	wrongOfAll    = 100
	wrongWindow   = 10 * time.Minute // of the two above
)

// enter checks the password that a visitor gave.
func (t *Tracker) enter(ctx context.Context, l *Link, v *Visit) error {
	client := clientKey(v.IP)
	link := "link\x00" + strconv.FormatInt(l.ID, 10)
	pair := quota{link + "\x00" + client, wrongOfClient, time.Minute}
	bounds := []quota{pair, {link, wrongOfAll, wrongWindow}}
	if site := share.Site(client); site != "" {
		bounds = append(bounds, quota{link + "\x00" + site, wrongOfSite, wrongWindow})
	}
	checked := bounds
	if _, known := t.right.find(pair.key); known {
		checked = bounds[:1]
	}
	if err := t.throttle.checkAll(checked); err != nil {
		return err
	}
	end, err := t.passwords.begin(ctx, share.Of(client, hashesOfClient, hashesOfSite)...)
	if err != nil {
		return err
	}
	defer end()
	if err := t.throttle.checkAll(checked); err != nil { // others failed while this one waited
		return err
	}
	ok, err := matchPassword(l.PasswordHash, v.Password)
	switch {
	case err != nil:
		return unavailable(err)
	case !ok:
		t.throttle.failAll(bounds)
		return ErrWrongPassword
	}
	t.throttle.forget(pair.key)
	t.right.note(pair.key, [sha256.Size]byte{})
	return nil
}
