package linktrack

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// Options are the choices of a host. The zero value works: the default of a field
// is what its comment says, and zero otherwise.
type Options struct {
	// BaseURL is the beginning of the first host's links, as visitors see it:
	// scheme, host, and the path below which the Tracker is mounted, if any.
	// Default: http://localhost:8080.
	BaseURL string

	// Hosts are further hosts whose links this Tracker serves. Each is one of:
	//   - a name, with or without a port: "alt.example". Links on it begin with the
	//     scheme and the path of BaseURL.
	//   - a URL that links on it begin with: "https://alt.example/go".
	Hosts []string

	// TimeZone is the zone of all times that the API reads and writes, which its
	// documentation calls "CST". When the first click is counted, the store saves
	// the zone's name, which has 1 to 100 bytes. From then on, the days and hours
	// of reports are in that zone even if TimeZone changes, see
	// [Tracker.DayTimeZone]. A change applies at once to all other times. Use a
	// zone of the IANA database: a name such as that of time.Local can mean a
	// different zone on another machine. Default: America/Chicago.
	TimeZone *time.Location

	// Secret signs the visitors' cookies. It has at least 16 bytes. All processes
	// of one service need the same one. Default: a secret is generated once and
	// kept in the store.
	Secret []byte

	Links     LinkOptions
	Accounts  AccountOptions
	Visitors  VisitorOptions
	Privacy   Privacy
	Proxies   ProxyOptions
	Recording RecordingOptions

	// Notify delivers alerts, see [Alert]. They wait in the store until one of
	// the processes that share it has delivered them: one after the other, at
	// least once each, and never while a visitor waits. An alert that fails is
	// tried again, after 5 s and then after twice as long each time, up to an hour.
	// Packages notify/smtp and notify/webhook mail and post alerts. Default: this
	// process delivers none.
	Notify Notifier

	// Observe is told of each visit to a link, each call of the API, and each call of
	// the store, when it has ended. A host feeds its metrics and its tracing with it;
	// package promstats has metrics for Prometheus.
	//   - ctx has the values of the request that the work was done for, such as the
	//     host's span, or of none.
	//   - It is called on the goroutine that did the work, by many at a time. The
	//     visitor or the caller waits for it: of AppendClicks, all visitors whose
	//     clicks are in it. So it must be fast, and must not wait for anything.
	//   - It must not call methods of the Tracker that use the store, because it
	//     would be told of these calls, too.
	//   - If it panics, the work goes on as if it had returned, and the log says so.
	//
	// Default: nothing is observed, which costs nothing.
	Observe func(ctx context.Context, o Observation)

	// Logger gets a message when a part fails, once and not for each request. No
	// message has credentials, passwords, or whole IP addresses. Default:
	// slog.Default().
	Logger *slog.Logger
}

// LinkOptions are rules for links.
type LinkOptions struct {
	// Reserved are words that vanity links may not use, in addition to the
	// Tracker's own (api, account, and others). Case is ignored. Visitors who ask
	// for such a word are not led to a link that has a dot before it, either.
	Reserved []string

	// Schemes are allowed in destinations beside http and https, for example
	// "mailto" or "myapp". The schemes javascript, data, vbscript, file and blob
	// are never allowed.
	Schemes []string

	// PathLength is the number of random characters in a generated path, from 5
	// to 32. Default: 7, of which there are 78 billion.
	PathLength int

	// CheckDestination may refuse a destination that keeps all other rules, when
	// a link is made and when its destination is changed. The caller gets the
	// text of its error with an [ErrForbidden]. Default: none is refused.
	CheckDestination func(ctx context.Context, externalURL string) error

	// CheckPath may refuse a path that keeps all other rules, when somebody
	// chooses it: as a vanity link, or for a link that is imported. A host that
	// has pages of its own beside the links refuses their paths, see
	// [AvoidRoutes].
	//   - host is one of the Tracker's, as in [Link]. path is what visitors ask
	//     for there, with the path of BaseURL: "/dashboard" or "/l/dashboard".
	//   - Visitors find a link in any case, and without the dot that an imported
	//     path may have: "/.dashboard".
	//   - The caller gets the text of its error with an [ErrForbidden].
	//
	// Default: none is refused.
	CheckPath func(ctx context.Context, host, path string) error

	// ForwardQuery adds the query string of every tracking link to its
	// destination. Default: only of links that have ForwardQuery themselves.
	ForwardQuery bool

	// ClickQuery adds the click as the parameter "lt_click" to the destinations
	// of links that have HasConversionTracking. Then goal pages can report the
	// click in browsers that refuse third-party cookies, as most do. Default: the
	// click is in a cookie only.
	ClickQuery bool

	// CacheTTL is how long a link is followed before it is looked up again. An
	// edit by another process takes effect after that time at the latest; if the
	// store is a [ChangeLister], as all stores of this project are, within half a
	// second.
	// Default: 5 s.
	CacheTTL time.Duration
}

// AccountOptions say which accounts there are and what they may do.
type AccountOptions struct {
	// Types are added to [AccountTypeFree] and [AccountTypeProfessional], or
	// replace them.
	Types map[string]AccountType

	// Authenticate checks the login and pass of an API call in place of the
	// Tracker. It returns [ErrUnauthorized] for a wrong login or pass; any other
	// error but [ErrForbidden] means that they could not be checked. The account
	// need not be in the store. [AnonymousAccount] is refused. Default: the
	// accounts of the store are checked.
	Authenticate func(ctx context.Context, login, pass string) (Account, error)
}

// VisitorOptions say how visitors are recognized and what they see.
type VisitorOptions struct {
	// Cookieless tells new visitors from known ones without a cookie, by a hash
	// of IP address, user agent, and link. The salt of the hash is new every day
	// (UTC) and in every process. The hashes are in memory only, until the day
	// ends, and no address is kept for them. No other cookie is set then, so
	// c.gif knows a click only if it is named.
	Cookieless bool

	// BotsAsPeople records and counts bots as people.
	BotsAsPeople bool

	// Locator tells the countries of clicks. Default: they are not known.
	Locator Locator

	// Pages are the pages that visitors see where a link does not simply
	// redirect. Default: plain pages in English.
	Pages VisitorPages
}

// ProxyOptions name the proxies in front of this process. For requests from them,
// and no others, the client is the one that X-Forwarded-For or Forwarded (RFC 7239)
// names: the rightmost address that is not a trusted proxy's. Clicks and throttling
// use that address. An entry that is not an address ends the search at the proxy to
// its right. If both headers are present and name different clients, the client is
// the other end of the connection.
type ProxyOptions struct {
	// Trusted are the networks of the proxies. Default: none.
	Trusted []netip.Prefix

	// TrustUnixSocket trusts connections that have no address in
	// http.Request.RemoteAddr, such as those over a Unix socket. Default: they
	// are not trusted, and all their visitors count as one client with an unknown
	// address.
	TrustUnixSocket bool
}

// RecordingOptions say how clicks are recorded.
type RecordingOptions struct {
	// Ack says when the visitor of a click is answered. Default: AckStored.
	Ack Ack

	// AckTimeout is the longest time that a visitor waits for the click to be
	// stored or journaled. Default: 2 s.
	AckTimeout time.Duration

	// FlushInterval is how long AckBuffered gathers clicks before it writes them,
	// and how long clicks are gathered in the Journal before they are brought to
	// the store. Default: 200 ms.
	FlushInterval time.Duration

	// Journal keeps clicks for AckJournaled. With another Ack, clicks that an
	// earlier process left in it are brought to the store. The caller that opened
	// it closes it, after [Tracker.Close]. Default: none.
	Journal Journal

	// MaxPending is how many clicks may wait in memory for the store. Clicks
	// beyond that are dropped and counted ([Stats]). Default: 100,000.
	MaxPending int

	// MaxPendingBytes is approximately how many bytes of memory these clicks may
	// take. Clicks beyond the limit are dropped and counted as with MaxPending.
	//   - A click that waits is kept in its binary form ([AppendClicks]), which is
	//     what counts. That is 200 bytes for a typical click, and up to 20,000
	//     for one with a long referrer, user agent, and query string.
	//   - A click that is on its way to the store or the Journal counts with the
	//     memory of its [Click], which is 200 bytes more. The batch that is being
	//     sent may exceed the limit by that.
	// Default: 16 MiB, which is some 80,000 typical clicks.
	MaxPendingBytes int64

	// MaxLogBytes is approximately how many bytes the store's click log may have: the
	// clicks of all processes that are stored but not yet in the history and counts.
	// They are applied about a second later, or before the next read of counts or
	// history. If the store cannot keep up, the log grows to this size. Clicks beyond that are dropped and counted; those in the
	// Journal wait. Default: 1 GiB.
	MaxLogBytes int64

	// OnClick gets every batch of clicks after the store has it, for a host that
	// passes clicks on.
	//   - No visitor waits for it. It is called for one batch at a time, and for
	//     one Source in the order of Seq. Clicks from the journal have another
	//     Source than those that were not in it.
	//   - If it returns an error or panics, it is called again with the same
	//     batch, after 50 ms to 5 s, until it returns nil.
	//   - It may keep the clicks but must not change them.
	//   - Its ctx ends after 30 s, or when [Tracker.Close] stops waiting.
	//
	// OnClick gets clicks from the Journal at least once: the journal keeps them
	// until OnClick returns nil. After a crash before or just after that, they are
	// stored again without being counted twice, and OnClick gets them again with
	// the same Source and Seq. While OnClick fails, later clicks wait in the
	// journal and are not counted yet.
	//
	// Clicks that go to the store from memory are kept in memory for OnClick, in
	// addition to the pending ones and within the same limits, MaxPending and
	// MaxPendingBytes. It never gets clicks beyond these limits ([Stats]), nor
	// clicks that are still in memory at a crash or at the end of Close. Default:
	// none.
	OnClick func(ctx context.Context, b Batch) error
}

// An Ack says when the visitor of a click is answered.
type Ack int

const (
	// AckStored answers when the store has the click, after at most
	// [RecordingOptions.AckTimeout], also if the store is slow. While the store fails,
	// nobody waits, and clicks wait in memory. A kill -9 loses no click that was
	// answered while the store worked.
	AckStored Ack = iota

	// AckJournaled answers when [RecordingOptions.Journal] has the click, from where
	// it goes to the store later. A kill -9 loses no click in the journal, whether
	// the store works or not. A click that the journal cannot take, because it is
	// full or its disk fails, is recorded as with AckStored.
	AckJournaled

	// AckBuffered answers at once. A kill -9 loses the clicks of one
	// [RecordingOptions.FlushInterval] and of the write under way. While the store
	// fails, it loses all clicks that wait.
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
