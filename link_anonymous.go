package linktrack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/clientip"
	"github.com/linktrackhq/linktrack/internal/share"
	"github.com/linktrackhq/linktrack/internal/throttle"
)

// Anonymous links are made by people without an account. Until they are claimed, they
// belong to [AnonymousAccount] and expire.

// AnonymousAccount is the account of anonymous links, see [Tracker.MakeAnonymousLink]. It
// is not in the store, and nobody can sign in to it: every method that takes an account,
// and every function of a host that returns one, refuses it with [ErrForbidden]. A host
// with users of its own must not give this ID to a user.
const AnonymousAccount AccountID = math.MinInt64

// AnonymousLinkLife is the time after which an anonymous link expires.
const AnonymousLinkLife = 30 * 24 * time.Hour

const (
	anonymousHourly   = 10   // anonymous links of one client
	anonymousDaily    = 100  // of one client
	anonymousTogether = 1000 // of all clients in an hour, in this process
)

// MakeAnonymousLink makes a link for a person without an account, on the Tracker's first
// host. It expires after [AnonymousLinkLife].
//   - client identifies the caller, see [Tracker.ClientOf]. In each process, a client
//     may make 10 links an hour and 100 a day, all clients of an IPv6 /48 ten times as
//     many, and all clients together 1,000 an hour. Links that
//     [LinkOptions.CheckDestination] refuses count, too; destinations that break
//     another rule do not.
//   - claim is for the person who made the link, and for nobody else: see
//     [Tracker.ClaimLink].
//
// The errors are an [*InvalidError], a [*ThrottledError], [ErrForbidden]
// (CheckDestination) and [ErrUnavailable]. Nothing is made then.
func (t *Tracker) MakeAnonymousLink(ctx context.Context, client, externalURL string) (l Link, claim string, err error) {
	if err := t.destinations.check(destination{"external_url", externalURL}); err != nil {
		return Link{}, "", err
	}
	if err := t.anonymousQuota.take(client); err != nil {
		return Link{}, "", err
	}
	settings := LinkSettings{ExternalURL: externalURL, ExpiresAt: now().Add(AnonymousLinkLife)}
	l, err = t.makeLink(ctx, Account{ID: AnonymousAccount}, NewLink{LinkSettings: settings})
	if err != nil {
		return Link{}, "", err
	}
	return l, t.claimOf(l), nil
}

// AnonymousLink returns the anonymous link of a claim. [ErrNotFound] if
// MakeAnonymousLink did not return this claim, [ErrDeleted] if the link was deleted,
// [ErrTaken] if it was claimed, [ErrExpired] if it has expired.
func (t *Tracker) AnonymousLink(ctx context.Context, claim string) (Link, error) {
	l, err := t.claimed(ctx, claim)
	switch {
	case err != nil:
		return Link{}, err
	case l.Account != AnonymousAccount:
		return Link{}, errClaimed
	case !now().Before(l.ExpiresAt):
		return Link{}, ErrExpired
	}
	return l, nil
}

// ClaimLink moves an anonymous link to the account; then it does not expire any more. A
// link can be claimed once. If the account has it already, ClaimLink just returns it.
// The errors are those of [Tracker.AnonymousLink], and [ErrForbidden] if the account may
// not use the link's host.
func (t *Tracker) ClaimLink(ctx context.Context, a Account, claim string) (Link, error) {
	if err := a.refuseAnonymous(); err != nil {
		return Link{}, err
	}
	l, err := t.AnonymousLink(ctx, claim)
	if err == nil && !a.mayUse(l.Host) {
		return Link{}, fmt.Errorf("%w: the account may not use the host %s", ErrForbidden, l.Host)
	}
	if err == nil {
		t.applier.beforeReading(ctx)
		l, err = t.store.UpdateLink(ctx, l.ID, func(l *Link) error {
			if l.Account != AnonymousAccount { // another caller claimed it first
				return errClaimed
			}
			if l.IsDeleted() {
				return ErrDeleted
			}
			l.Account, l.ExpiresAt = a.ID, time.Time{}
			return nil
		})
		err = unavailable(err)
	}
	if errors.Is(err, ErrTaken) {
		if own, e := t.claimed(ctx, claim); e == nil && own.Account == a.ID {
			return own, nil
		}
	}
	if err != nil {
		return Link{}, err
	}
	t.links.forgetAll(ctx, l)
	return l, nil
}

var errClaimed = fmt.Errorf("the link is %w", ErrTaken)

// claimOf returns the claim of an anonymous link: its host, path and signature, separated
// by slashes. The signed data never changes, so a claim is still recognized when the link
// has been claimed.
func (t *Tracker) claimOf(l Link) string {
	return l.Host + "/" + l.Path + "/" + base64.RawURLEncoding.EncodeToString(t.signClaim(l, LinkName{Host: l.Host, Key: l.Key()}))
}

// signClaim signs the claim of a link that was made with the name.
func (t *Tracker) signClaim(l Link, name LinkName) []byte {
	key := t.Key("claim of a quick link")
	mac := hmac.New(sha256.New, key[:])
	b := binary.BigEndian.AppendUint64(nil, uint64(l.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(l.CreatedAt.Add(AnonymousLinkLife).UnixMicro()))
	mac.Write(b)
	mac.Write([]byte(name.Host + "/" + name.Key))
	return mac.Sum(nil)
}

// claimed returns the link of a claim, whichever account has it now.
func (t *Tracker) claimed(ctx context.Context, claim string) (Link, error) {
	parts := strings.Split(claim, "/")
	if len(parts) != 3 {
		return Link{}, ErrNotFound
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[2])
	if !isLinkPath(parts[1]) || err != nil || len(mac) != sha256.Size {
		return Link{}, ErrNotFound
	}
	name := LinkName{Host: parts[0], Key: Link{Path: parts[1]}.Key()}
	l, err := t.store.LinkByPath(ctx, name.Host, name.Key) // it may be a former path by now
	if err != nil {
		return Link{}, unavailable(err)
	}
	if !hmac.Equal(mac, t.signClaim(l, name)) {
		return Link{}, ErrNotFound
	}
	if l.IsDeleted() {
		return Link{}, ErrDeleted
	}
	return l, nil
}

// An anonymousQuota counts anonymous links by client.
type anonymousQuota struct {
	mu     sync.Mutex        // so that no two callers take the last one
	counts throttle.Failures // it has room for all clients of a day, because all together make few links
}

// take counts a link that is to be made, or returns the error of the limit that is
// reached.
func (m *anonymousQuota) take(client string) error {
	client = clientip.KeyOf(client)
	bounds := []throttle.Quota{
		{Key: "hour\x00" + client, Limit: anonymousHourly, Window: time.Hour},
		{Key: "day\x00" + client, Limit: anonymousDaily, Window: 24 * time.Hour},
		{Key: "all", Limit: anonymousTogether, Window: time.Hour},
	}
	if site := share.Site(client); site != "" {
		bounds = append(bounds, throttle.Quota{Key: "hour\x00" + site, Limit: 10 * anonymousHourly, Window: time.Hour}, throttle.Quota{Key: "day\x00" + site, Limit: 10 * anonymousDaily, Window: 24 * time.Hour})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := throttled(m.counts.Check(bounds...)); err != nil {
		return err
	}
	m.counts.Count(bounds...)
	return nil
}
