package linktrack

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack/internal/clientip"
	"github.com/linktrackhq/linktrack/internal/share"
	"github.com/linktrackhq/linktrack/internal/throttle"
)

// Failures within a minute.
const (
	failuresOfPair   = 10  // of one login from one client
	failuresOfClient = 50  // of one client
	failuresOfSite   = 200 // of an IPv6 /48, which has many clients
)

// Authenticate returns the account for the login and the pass of one of its keys that
// has [ScopeAll]. The error is [ErrUnauthorized] if either is wrong, and [ErrForbidden]
// if the account is switched off or the key has another scope: only calls of the API
// accept those. client identifies the caller, usually by an IP address. After ten
// failures of a login from a client, fifty of a client, or 200 of an IPv6 /48 within a
// minute, further attempts are [ErrThrottled] and are not checked. Because many people
// may share an address, the last two limits do not apply to a login that succeeded from
// that client within the last 24 hours, and none of them applies if the pass is the same
// as then. If [AccountOptions.Authenticate] is set, that function decides, behind the
// same throttle.
func (t *Tracker) Authenticate(ctx context.Context, login, pass, client string) (Account, error) {
	return t.authenticate(ctx, login, pass, client, ScopeAll)
}

// authenticate is Authenticate for what a key with that scope, or one that includes it,
// may do.
func (t *Tracker) authenticate(ctx context.Context, login, pass, client string, needed KeyScope) (Account, error) {
	client = clientip.KeyOf(client)
	if len(login) > 4*maxLogin { // no login is that long
		login = login[:4*maxLogin]
	}
	pair := "login\x00" + client + "\x00" + login
	bounds := []throttle.Quota{{Key: pair, Limit: failuresOfPair, Window: time.Minute}, {Key: "client\x00" + client, Limit: failuresOfClient, Window: time.Minute}}
	if site := share.Site(client); site != "" {
		bounds = append(bounds, throttle.Quota{Key: "site\x00" + site, Limit: failuresOfSite, Window: time.Minute})
	}
	checked := bounds
	proof := t.proof(pair, pass)
	was, known := t.verifiedPasses.Find(pair)
	same := known && subtle.ConstantTimeCompare(was[:], proof[:]) == 1
	if same {
		checked = nil
	} else if known {
		checked = bounds[:1]
	}
	if err := throttled(t.failures.Check(checked...)); err != nil {
		return Account{}, err
	}
	a, scope, err := t.checkLogin(ctx, login, pass)
	switch {
	case errors.Is(err, ErrUnauthorized):
		t.failures.Count(bounds...)
		if same { // the pass was changed
			t.verifiedPasses.Forget(pair)
		}
	case err == nil:
		t.failures.Forget(pair)
		t.verifiedPasses.Remember(pair, proof)
	}
	if err != nil {
		return Account{}, err
	}
	if err := a.refuse(); err != nil {
		return Account{}, err
	}
	if !scope.includes(needed) {
		return Account{}, fmt.Errorf("%w: the key has the scope %s, but this needs %s", ErrForbidden, scope, needed)
	}
	return a, nil
}

// checkLogin returns the account and the scope of the key with that login and pass. The
// first use of a key on a day is noted in the store.
func (t *Tracker) checkLogin(ctx context.Context, login, pass string) (Account, KeyScope, error) {
	if t.opts.Accounts.Authenticate != nil {
		a, err := t.opts.Accounts.Authenticate(ctx, login, pass)
		if errors.Is(err, ErrUnauthorized) {
			err = ErrUnauthorized // the same text, whatever the host wrapped it in
		}
		if err != nil && !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrForbidden) {
			err = fmt.Errorf("%w: %v", ErrUnavailable, err) // also if the host returned another error with a meaning
		}
		return a, ScopeAll, err
	}
	k, a, err := t.store.KeyByLogin(ctx, login)
	unknown := errors.Is(err, ErrNotFound)
	if err != nil && !unknown {
		return Account{}, "", unavailable(err)
	}
	if len(k.PassHash) == 0 { // also if the account's own key was revoked
		k.PassHash = noPassHash
	}
	if !checkPass(k.PassHash, pass) || unknown {
		return Account{}, "", ErrUnauthorized
	}
	if today := DayOf(now().In(t.opts.TimeZone)); k.LastUsed < today {
		// The call goes on without this note.
		t.outage.note(unavailable(t.store.UseKey(ctx, a.ID, k.ID, today)))
	}
	return a, k.Scope, nil
}

// proof is the hash of a correct pass that is kept in memory. Without the secret the
// pass cannot be found from it.
func (t *Tracker) proof(pair, pass string) [sha256.Size]byte {
	key := t.Key("credentials that were right lately")
	b := binary.BigEndian.AppendUint64(key[:], uint64(len(pair)))
	return sha256.Sum256(append(append(b, pair...), pass...))
}

// accountShare limits how many calls of an account run at the same time.
func accountShare(a Account, maxCalls int) share.Limit {
	return share.Limit{Key: "account\x00" + strconv.FormatInt(int64(a.ID), 10), Max: maxCalls}
}
