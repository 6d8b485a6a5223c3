// Package linktrack is a link tracker to embed: it makes short links, follows
// them, counts the clicks and tells about them, as the Linktrack v1_0 API does.
//
//	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
//	if err != nil {
//		return err
//	}
//	defer t.Close(context.Background())
//	account, pass, err := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
//	if err != nil {
//		return err
//	}
//	link, err := t.MakeLink(ctx, account, linktrack.NewLink{ExternalURL: "https://example.com/spring"})
//	fmt.Println(t.TrackingURL(link), account.Login, pass)
//	return http.ListenAndServe(":8080", t.Handler())
//
// # The way of a click
//
// A click travels one way: a request ([Tracker.Handler]) is put to the rule
// ([Tracker.Follow]), which looks the link up through a cache, decides, and
// hands the click to the recorder; the recorder writes batches to the [Store],
// at once or by way of a [Journal], and shows them to [Options.OnClick];
// [Tracker.Links], [Tracker.History] and [Tracker.Report] read there. HTTP is a
// skin over the methods: a host that calls them gets the same rules and the same
// errors.
//
// # What is promised
//
//   - A visitor is redirected after the click is stored, or as another [Ack]
//     says. Clicks that come at the same time are stored together. If the store
//     needs longer than [Options.AckTimeout] or fails, the visitor is redirected
//     all the same, and the click waits in memory until it can be stored.
//   - A batch of clicks is applied once, however often it has to be sent.
//   - A link with a limit lets that many people through, whatever the number of
//     processes, and never one more; where the store can not promise that, it
//     lets nobody through for the moment.
//   - The owner of a link is told once that its clicks reached a number, by
//     whichever process is there to tell; [Options.Notify] may see an alert more
//     than once, under the same [Alert.ID].
//   - When the store is down, links that were followed lately go on.
//
// Packages memstore and mysqlstore are the stores, package storetest tests
// anyone's; package journal is a journal; package pages is HTML for people.
package linktrack

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // the service zone must be known on any machine

	"github.com/linktrackhq/linktrack/internal/share"
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
	// [Tracker.DayLocation]. A change applies at once to all other times. Use a
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

// now is the time in the precision that stores keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Tracker is the whole of linktrack over one store. All its methods are safe
// for concurrent use. Make one with [New].
type Tracker struct {
	opts           Options
	store          Store
	log            *slog.Logger
	types          map[string]AccountType
	hosts          hosts
	reserved       map[string]bool
	destinations   destinationRule
	links          *linkCache
	recorder       *recorder
	days           *dayZone
	awaited        share.Pool   // conversions that wait for their clicks
	alerts         *alertWorker // nil: this process delivers none
	reserver       *reserver
	throttle       throttle
	verifiedPasses successes
	anonymousQuota anonymousQuota
	passwords      *passwords
	visitors       *visitors
	secret         []byte        // see Key
	fingerprints   *fingerprints // nil: all visitors are told apart by cookie
	optOuts        *optOuts
	proxies        proxies
	unnamed        atomic.Bool // the log was told of a proxy that is not trusted
	locator        guardedLocator
	pruner         *pruner   // nil: history is kept for ever
	outage         outage    // of the API, and of what goal pages report
	refusals       outage    // of links with a limit
	reading        outage    // of public pages
	blocked        sync.Once // the log was told that some links are not followed
	openAPI        func() []byte
}

// New returns a Tracker on store. If Options.Secret is empty it asks the store
// for the secret that is kept there, for ten seconds at most. The errors are an
// [*InvalidError] that names the option, or [ErrUnavailable].
func New(store Store, o Options) (*Tracker, error) {
	hs, err := newHosts(o.BaseURL, o.Hosts)
	if err != nil {
		return nil, err
	}
	store = guardedStore{store}
	if o.PathLength == 0 {
		o.PathLength = 7
	}
	switch {
	case o.PathLength < 5 || o.PathLength > 32:
		return nil, invalid("PathLength", "must be from 5 to 32")
	case o.CacheTTL < 0 || o.AckTimeout < 0 || o.FlushInterval < 0 || o.MaxPending < 0 || o.MaxPendingBytes < 0:
		return nil, invalid("CacheTTL, AckTimeout, FlushInterval, MaxPending and MaxPendingBytes", "must not be negative")
	case o.Ack < AckStored || o.Ack > AckBuffered:
		return nil, invalid("Ack", "must be AckStored, AckJournaled or AckBuffered")
	case o.Ack == AckJournaled && o.Journal == nil:
		return nil, invalid("Journal", "must be set for AckJournaled")
	case len(o.Secret) > 0 && len(o.Secret) < 16:
		return nil, invalid("Secret", "must have at least 16 bytes")
	}
	if err := checkTypes(o.AccountTypes); err != nil {
		return nil, err
	}
	if o.Privacy, err = o.Privacy.check(); err != nil {
		return nil, err
	}
	trusted, err := networks("TrustedProxies", o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	if o.TrustUnixSocket {
		trusted = append(trusted, noAddress)
	}
	if o.CacheTTL == 0 {
		o.CacheTTL = 5 * time.Second
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = 2 * time.Second
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = 200 * time.Millisecond
	}
	if o.MaxPending == 0 {
		o.MaxPending = 100_000
	}
	if o.MaxPendingBytes == 0 {
		o.MaxPendingBytes = 64 << 20
	}
	if o.VisitorPages == nil {
		o.VisitorPages = plainPages{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.TimeZone == nil {
		if o.TimeZone, err = time.LoadLocation("America/Chicago"); err != nil {
			return nil, fmt.Errorf("linktrack: load the service zone: %w", err)
		}
	}
	if n := len(o.TimeZone.String()); n < 1 || n > maxZone {
		return nil, invalid("Location", "must have a name of 1 to %d bytes", maxZone)
	}
	schemes := make([]string, 0, len(o.Schemes))
	for _, s := range o.Schemes {
		s = strings.ToLower(strings.TrimSuffix(s, ":"))
		if !isScheme(s) || slices.Contains(neverSchemes, s) {
			return nil, invalid("Schemes", "must not have %q", s)
		}
		schemes = append(schemes, s)
	}
	secret := o.Secret
	if len(secret) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		candidate := make([]byte, 32)
		rand.Read(candidate)
		if secret, err = store.Secret(ctx, candidate); err != nil {
			return nil, unavailable(fmt.Errorf("linktrack: read the secret: %w", err))
		}
	}
	t := &Tracker{
		opts:           o,
		store:          store,
		log:            o.Logger,
		types:          map[string]AccountType{AccountTypeFree: {}, AccountTypeProfessional: {Params: linkParams}},
		hosts:          hs,
		reserved:       make(map[string]bool),
		reserver:       newReserver(store),
		outage:         newOutage(o.Logger, "API calls fail"),
		refusals:       newOutage(o.Logger, "links with a limit let nobody through"),
		reading:        newOutage(o.Logger, "public pages fail"),
		throttle:       newThrottle(),
		verifiedPasses: newSuccesses(),
		anonymousQuota: anonymousQuota{counts: newThrottle()},
		passwords:      newPasswords(),

		visitors: newVisitors(secret),
		secret:   slices.Clone(secret),
		optOuts:  newOptOuts(secret),
		proxies:  trusted,
	}
	t.opts.Secret = nil
	t.locator.Locator, t.locator.log = o.Locator, o.Logger
	maps.Copy(t.types, o.AccountTypes)
	for _, w := range slices.Concat(reservedWords, o.Reserved) {
		t.reserved[strings.ToLower(w)] = true
	}
	t.destinations = destinationRule{schemes: schemes, serves: t.hosts.serves}
	t.links = newLinkCache(store, o.CacheTTL, t.log, t.prepare)
	t.days = &dayZone{store: store, service: o.TimeZone, log: o.Logger}
	t.alerts = newAlertWorker(store, &t.opts, t.TrackingURL)
	t.recorder = newRecorder(store, &t.opts, t.days, t.newCompleter, t.alerts)
	if o.Cookieless || o.Privacy.HonorGPC {
		t.fingerprints = newFingerprints()
	}
	t.pruner = newPruner(store, &t.opts)
	t.openAPI = sync.OnceValue(t.encodeOpenAPI)
	return t, nil
}

// reservedWords are paths that linktrack answers itself, or may in a version to
// come, and those that browsers and crawlers ask every host for.
var reservedWords = []string{"api", "account", "login", "logout", "links", "healthz", "metrics", "favicon.ico", "robots.txt"}

// Close takes no more clicks, writes what is pending, shows it to
// [Options.OnClick] and ends the delivery of alerts, then returns; it leaves
// the store and the journal open. When ctx ends first, a [*PendingError] says
// how many clicks were not stored; an alert that is being delivered just then
// is delivered again by another process. It may be called twice.
func (t *Tracker) Close(ctx context.Context) error {
	t.pruner.stop()
	err := t.recorder.close(ctx) // before all that can wait for another day
	t.alerts.close(ctx)
	t.recorder.rollups.close(ctx)
	t.pruner.wait(ctx)
	return err
}

// TrackingURL returns the absolute URL of a link.
func (t *Tracker) TrackingURL(l Link) string {
	if h, ok := t.hosts.find(l.Host); ok {
		return h.base + l.Path
	}
	return "//" + l.Host + t.hosts.prefix + "/" + l.Path // a host that is served no more
}
