package linktrack

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
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

// Authenticate returns the account for a login and its pass. The error is
// [ErrUnauthorized] if either is wrong, and [ErrForbidden] if the account is
// switched off. client identifies the caller, usually by an IP address. After
// ten failures of a login from a client, fifty of a client, or 200 of an IPv6
// /48 within a minute, further attempts are [ErrThrottled] and are not checked.
// Because many people may share an address, the last two limits do not apply to
// a login that succeeded from that client within the last 24 hours, and none of
// them applies if the pass is the same as then. If [AccountOptions.Authenticate] is
// set, that function decides, behind the same throttle.
func (t *Tracker) Authenticate(ctx context.Context, login, pass, client string) (Account, error) {
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
	a, err := t.authenticate(ctx, login, pass)
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
	return a, nil
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
