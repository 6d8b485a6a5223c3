package linktrack

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// Options are the choices of a host. The zero value works; each field says
// what it means when left out.
type Options struct {
	// BaseURL is where the links of the first host begin, as visitors see it:
	// scheme, host, and the path below which the Tracker is mounted, if any.
	// Default: http://localhost:8080.
	BaseURL string

	// Hosts are further hosts whose links this Tracker serves, under the
	// scheme and the path of BaseURL: "alternate.example", or with a port.
	Hosts []string

	// Reserved are words that vanity links may not use, in addition to the
	// Tracker's own (api, account, and the like). A host that mounts the Tracker
	// beside its own pages reserves their paths. Case is ignored.
	Reserved []string

	// Schemes are allowed in destinations beside http and https: "mailto",
	// "myapp". javascript, data, vbscript, file and blob are never allowed.
	Schemes []string

	// PathLength is the number of random characters in a generated path, 5
	// to 32. Default: 7, of which there are 78 thousand million.
	PathLength int

	// AccountTypes are added to AccountTypeFree and AccountTypeProfessional, or replace them.
	AccountTypes map[string]AccountType

	// Authenticate is a host's own check of API credentials. It returns
	// [ErrUnauthorized] for a wrong login or pass; any other error but
	// [ErrForbidden] means that it could not be checked. The account need not
	// be in the store; [AnonymousAccount] is refused. Default: accounts of the store are
	// checked.
	Authenticate func(ctx context.Context, login, pass string) (Account, error)

	// CheckDestination may refuse a destination that keeps all the rules, on
	// create and on edit. The text of its error is shown to the caller,
	// behind an [ErrForbidden]. Default: nothing is refused.
	CheckDestination func(ctx context.Context, externalURL string) error

	// Location is the zone of all times that the API reads and writes, the
	// "CST" of its documentation. When the first click is counted, the store
	// keeps the zone's name, which has 1 to 100 bytes. From then on, the days
	// and hours of reports are in that zone even if Location changes, see
	// [Tracker.DayTimeZone]. A change applies at once to all other times. Use a
	// zone of the IANA database: a name such as that of time.Local can mean a
	// different zone on another machine. Default: America/Chicago.
	TimeZone *time.Location

	// Secret signs the visitors' cookies, at least 16 bytes; all processes of
	// one service need the same. Default: one is generated once and kept in
	// the store.
	Secret []byte

	// Cookieless tells new visitors from known ones without a cookie: by a
	// hash of IP address, user agent and link, with a salt that is new every
	// day (UTC) and in every process. The hashes stay in memory until the day
	// ends; the addresses are not kept for it. No other cookie is set then,
	// so c.gif knows only the clicks that it is told.
	Cookieless bool

	// Privacy is what is kept of visitors, and for how long. Default: all but
	// the last part of their addresses, for 90 days.
	Privacy Privacy

	// TrustedProxies are the networks of the proxies before this process. For
	// a connection from there, and no other, the client is who X-Forwarded-For
	// or Forwarded (RFC 7239) names: the rightmost address that is no trusted
	// proxy; it counts for clicks and for throttling. What is no address ends
	// the search at the proxy before it. If both headers are there and do not
	// agree, it is the address of the connection. Default: none.
	TrustedProxies []netip.Prefix

	// TrustUnixSocket treats a connection without an address in
	// http.Request.RemoteAddr, such as one over a Unix socket, as one of the
	// TrustedProxies. Default: such connections are not trusted, and all their
	// visitors count as one client with an unknown address.
	TrustUnixSocket bool

	// Locator tells the countries of clicks. Default: they are not known.
	Locator Locator

	// BotsAsPeople records and counts bots as people.
	BotsAsPeople bool

	// ForwardQuery adds the query string of every tracking link to its
	// destination's. Default: only for links that ask for it.
	ForwardQuery bool

	// ConversionQuery adds the click to the query of destinations, as
	// "lt_click", for links with HasConversionTracking: goal pages can report
	// it where browsers refuse cookies of third parties, as most do. Default:
	// the click is in a cookie only.
	ConversionQuery bool

	// CacheTTL is how long a link is followed before it is looked up again:
	// an edit by another process is seen after that long. Default: 5 s.
	CacheTTL time.Duration

	// Ack says when a visitor is answered whose click is to be recorded.
	// Default: AckStored.
	Ack Ack

	// AckTimeout is how long a visitor waits at most for the click to be
	// stored or journaled. Default: 2 s.
	AckTimeout time.Duration

	// FlushInterval is how long AckBuffered gathers clicks before it writes
	// them, and for how long clicks are gathered before they are brought from
	// the Journal to the store. Default: 200 ms.
	FlushInterval time.Duration

	// Journal is where AckJournaled keeps clicks. With another Ack, what an
	// earlier process left in it is brought to the store. Whoever opened it
	// closes it, after [Tracker.Close]. Default: none.
	Journal Journal

	// MaxPending is how many clicks may wait in memory for the store; more
	// are dropped and counted ([Stats]). Default: 100,000.
	MaxPending int

	// MaxPendingBytes is approximately how many bytes of memory these clicks may
	// take. A typical click takes a few hundred bytes; one with a long referrer,
	// user agent, and query string takes up to 20,000. Clicks beyond the limit
	// are dropped and counted as with MaxPending. Default: 64 MiB.
	MaxPendingBytes int64

	// OnClick sees every batch of clicks after the store has it, for a host
	// that passes clicks on to somewhere else. It is called behind the
	// visitors' backs, for one Source in the order of Seq and one call at a
	// time; clicks that come by way of the journal have another Source than
	// those that do not. If it returns an error or panics it is called again
	// with the same batch, after 50 ms to 5 s, until it returns nil. It may
	// keep the clicks but not change them. Its ctx ends after 30 s, or when
	// [Tracker.Close] waits no longer.
	//
	// OnClick sees clicks from the Journal at least once: the journal keeps them
	// until OnClick returns nil. After a crash before or just after that, they
	// are stored again without being counted twice, and OnClick sees them again
	// with the same Source and Seq. While OnClick fails, later clicks wait in
	// the journal and are not counted yet. Clicks that go to the store from
	// memory are kept in memory for OnClick, in addition to the pending ones and
	// within the same limits, MaxPending and MaxPendingBytes. It never sees
	// clicks beyond these limits ([Stats]), nor clicks that are still there at a
	// crash or at the end of Close. Default: none.
	OnClick func(ctx context.Context, b Batch) error

	// Notify delivers alerts, see [Alert]. They wait in the store until one of
	// the processes that share it has delivered them: one after the other, at
	// least once each, and never while a visitor waits. What fails is tried
	// again, after 5 s and then twice as long each time, up to an hour.
	// Packages notify/smtp and notify/webhook mail and post them. Default:
	// this process delivers none.
	Notify Notifier

	// VisitorPages are what visitors see where a link does not simply redirect.
	// Default: plain pages in English.
	VisitorPages VisitorPages

	// Logger is told what goes wrong, once and not per request. Never
	// credentials, passwords or whole IP addresses. Default: slog.Default().
	Logger *slog.Logger
}

// An Ack says when a visitor is answered whose click is to be recorded.
type Ack int

const (
	// AckStored: when the store has the click, at most [Options.AckTimeout]
	// later, also while the store is slow. While it is known to fail nobody
	// waits: clicks wait in memory. A kill -9 loses nothing that was answered
	// while the store was up.
	AckStored Ack = iota

	// AckJournaled: when [Options.Journal] has the click; it goes on to the
	// store behind the visitor's back. A kill -9 loses nothing, whether the
	// store is up or down. A click that the journal can not take (full, disk
	// error) is recorded as with AckStored.
	AckJournaled

	// AckBuffered: at once. A kill -9 loses the clicks of one
	// [Options.FlushInterval] and of the write under way, or all that waits
	// while the store is down.
	AckBuffered
)

// String returns "stored", "journaled" or "buffered".
func (a Ack) String() string {
	if text, err := a.MarshalText(); err == nil {
		return string(text)
	}
	return fmt.Sprintf("Ack(%d)", int(a))
}

// MarshalText writes an Ack as String does.
func (a Ack) MarshalText() ([]byte, error) {
	switch a {
	case AckStored:
		return []byte("stored"), nil
	case AckJournaled:
		return []byte("journaled"), nil
	case AckBuffered:
		return []byte("buffered"), nil
	}
	return nil, fmt.Errorf("linktrack: there is no Ack %d", int(a))
}

// UnmarshalText reads what MarshalText writes.
func (a *Ack) UnmarshalText(text []byte) error {
	for _, known := range []Ack{AckStored, AckJournaled, AckBuffered} {
		if string(text) == known.String() {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("must be stored, journaled or buffered, not %q", text)
}

// A Locator says in which country an address is. It is asked for each click,
// mostly behind the redirect, sometimes before it: it must be fast and local.
// It must be safe for concurrent use. Package geo has one.
type Locator interface {
	// Locate returns the country's two letters (ISO 3166-1 alpha-2), or "" if
	// it is not known.
	Locate(ip netip.Addr) (country string)
}
