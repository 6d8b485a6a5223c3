package linktrack

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Account returns the account of the store that has the ID: for whoever keeps a
// session of one who gave its login and pass. [ErrNotFound] if there is none,
// as always with [Options.Authenticate], whose accounts are the host's own. It
// may be switched off, see [Account.Disabled].
func (t *Tracker) Account(ctx context.Context, id AccountID) (Account, error) {
	if t.opts.Authenticate != nil {
		return Account{}, ErrNotFound
	}
	a, err := t.store.AccountByID(ctx, id)
	return a, unavailable(err)
}

// TypeOf returns what the account may do by its type. [ErrForbidden] if the
// Tracker does not know the type: then it may do nothing.
func (t *Tracker) TypeOf(a Account) (AccountType, error) {
	typ, ok := t.types[a.Type]
	if !ok {
		return AccountType{}, fmt.Errorf("%w: account type %q is not known", ErrForbidden, a.Type)
	}
	return typ, nil
}

// HostsOf returns the hosts that the account may make links on, in the Tracker's
// order. The first is the one that [NewLink] means by "".
func (t *Tracker) HostsOf(a Account) []string {
	var names []string
	for _, h := range t.hosts.list {
		if a.mayUse(h.name) {
			names = append(names, h.name)
		}
	}
	return names
}

// Location is the zone of all times that people read and write, see
// [Options.TimeZone].
func (t *Tracker) TimeZone() *time.Location { return t.opts.TimeZone }

// ClientOf is what [Tracker.Authenticate] is to be told of where a request
// comes from: the visitor's address (see [Options.TrustedProxies]), of IPv6 the
// /64 that one customer has.
func (t *Tracker) ClientOf(r *http.Request) string {
	t.noteProxy(r)
	if ip := t.proxies.client(r); ip.IsValid() {
		return clientKey(ip)
	}
	return r.RemoteAddr
}
