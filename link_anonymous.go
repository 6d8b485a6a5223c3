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

// Quick links are made by people without an account. Until they are claimed
// they belong to [AnonymousAccount], and they end.

// AnonymousAccount is the account of quick links, see [Tracker.MakeAnonymousLink]. It is in no
// store and nobody can sign in to it: every method that takes an account, and
// every place where a host names one, refuses it with [ErrForbidden]. A host with
// its own users must not give this ID to a user.
const AnonymousAccount AccountID = math.MinInt64

// AnonymousLinkLife is how long after it was made a quick link ends.
const AnonymousLinkLife = 30 * 24 * time.Hour

const (
	anonymousHourly   = 10   // quick links of one client
	anonymousDaily    = 100  // of one client
	anonymousTogether = 1000 // of all clients in an hour, in this process
)

// MakeAnonymousLink makes a link for someone without an account, on the Tracker's
// first host; it ends after [AnonymousLinkLife], see ExpiresAt. client is where the
// caller comes from, see [Tracker.ClientOf]. In each process, a client may make
// ten links an hour and a hundred a day, all clients of an IPv6 /48 ten times as
// many, and all clients together a thousand an hour. Links that
// [LinkOptions.CheckDestination] refuses count, too; a destination that breaks a rule
// does not. Give claim to the person who made the link, and to nobody else: see
// [Tracker.ClaimLink].
//
// The errors are an [*InvalidError], a [*ThrottledError], [ErrForbidden]
// (CheckDestination) and [ErrUnavailable]. Nothing is made then.
func (t *Tracker) MakeAnonymousLink(ctx context.Context, client, externalURL string) (l Link, claim string, err error) {
	if err := t.destinations.check(externalURL); err != nil {
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

// AnonymousLink returns the quick link that a claim is for. [ErrNotFound] if
// MakeAnonymousLink did not make the claim, [ErrTaken] if the link was claimed,
// [ErrExpired] if it has ended.
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

// ClaimLink makes a quick link one of the account's, which then does not end. It
// can be done once; one who has the link already just gets it. The errors are
// those of [Tracker.AnonymousLink], and [ErrForbidden] if the account may not use
// the link's host.
func (t *Tracker) ClaimLink(ctx context.Context, a Account, claim string) (Link, error) {
	if err := a.refuseAnonymous(); err != nil {
		return Link{}, err
	}
	l, err := t.AnonymousLink(ctx, claim)
	if err == nil && !a.mayUse(l.Host) {
		return Link{}, fmt.Errorf("%w: the account may not use the host %s", ErrForbidden, l.Host)
	}
	if err == nil {
		l, err = t.store.MoveLink(ctx, l.ID, AnonymousAccount, a.ID, func(l *Link) error {
			l.ExpiresAt = time.Time{}
			return nil
		})
		if errors.Is(err, ErrNotFound) { // somebody else was quicker
			err = errClaimed
		}
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
	t.links.forget(l)
	return l, nil
}

var errClaimed = fmt.Errorf("the link is %w", ErrTaken)

// claimOf is the claim of a quick link: its host, its path and a signature, with
// slashes between. What is signed never changes, so it is known for what it was
// when the link has been claimed.
func (t *Tracker) claimOf(l Link) string {
	return l.Host + "/" + l.Path + "/" + base64.RawURLEncoding.EncodeToString(t.signClaim(l))
}

func (t *Tracker) signClaim(l Link) []byte {
	key := t.Key("claim of a quick link")
	mac := hmac.New(sha256.New, key[:])
	b := binary.BigEndian.AppendUint64(nil, uint64(l.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(l.CreatedAt.Add(AnonymousLinkLife).UnixMicro()))
	mac.Write(b)
	mac.Write([]byte(l.Host + "/" + l.Key()))
	return mac.Sum(nil)
}

// claimed returns the link of a claim, whoever has it now.
func (t *Tracker) claimed(ctx context.Context, claim string) (Link, error) {
	parts := strings.Split(claim, "/")
	if len(parts) != 3 {
		return Link{}, ErrNotFound
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[2])
	if !isLinkPath(parts[1]) || err != nil || len(mac) != sha256.Size {
		return Link{}, ErrNotFound
	}
	l, err := t.store.LinkByPath(ctx, parts[0], Link{Path: parts[1]}.Key())
	if err != nil {
		return Link{}, unavailable(err)
	}
	if !hmac.Equal(mac, t.signClaim(l)) {
		return Link{}, ErrNotFound
	}
	return l, nil
}

// A anonymousQuota counts quick links by client.
type anonymousQuota struct {
	mu     sync.Mutex        // so that no two take the last one
	counts throttle.Failures // no more keys than it keeps: all clients together are few in a day
}

// take counts a link that is to be made, unless a limit is reached.
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
