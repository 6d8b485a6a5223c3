// Package linktrack is a link tracker to embed: it makes short links, redirects their
// visitors, counts the clicks and reports them, as the Linktrack v1_0 API does.
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
//	link, err := t.MakeLink(ctx, account, linktrack.NewLink{
//		LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"},
//	})
//	if err != nil {
//		return err
//	}
//	fmt.Println(t.TrackingURL(link), account.Login, pass)
//	return http.ListenAndServe(":8080", t.Handler())
//
// # The way of a click
//
// A click travels one way:
//
//   - [Tracker.Handler] takes the request and asks the rule, [Tracker.Follow].
//   - The rule looks the link up in a cache, decides, and gives the click to the
//     recorder.
//   - The recorder writes batches of clicks to the [Store], directly or through a
//     [Journal], and shows them to [RecordingOptions.OnClick].
//   - [Tracker.Links], [Tracker.History] and [Tracker.Report] read from the store.
//
// The HTTP handlers call the methods of Tracker. So an application that calls the methods
// itself gets the same rules and the same errors.
//
// # What is promised
//
//   - A visitor is redirected after the click is stored, or as another [Ack] says. If
//     the store fails or needs longer than [RecordingOptions.AckTimeout], the visitor
//     is redirected nevertheless, and the click waits in memory until it can be
//     stored.
//   - A batch of clicks is counted once, however often it has to be sent.
//   - A link with a limit never lets more people pass, however many processes there
//     are. If the store cannot say how many have passed, nobody may pass for the
//     moment.
//   - An alert is made once, and one of the processes delivers it. [Options.Notify] may
//     get it more than once, with the same [Alert.ID].
//   - While the store is down, links that were followed recently still redirect.
//
// Packages memstore and mysqlstore are stores, and package storetest tests any store.
// Package journal is a journal, and package pages has pages for owners and visitors.
package linktrack

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // the service zone must be known on any machine

	"github.com/linktrackhq/linktrack/internal/apispec"
	"github.com/linktrackhq/linktrack/internal/clientip"
	"github.com/linktrackhq/linktrack/internal/share"
	"github.com/linktrackhq/linktrack/internal/throttle"
	"github.com/linktrackhq/linktrack/internal/visitor"
)

// now returns the time with the precision of stores.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// A Tracker makes links, follows them, counts clicks and reports them, on one store. All
// its methods are safe for concurrent use. Make one with [New].
type Tracker struct {
	opts           Options
	store          Store
	observer       *observer
	probe          *probe
	log            *slog.Logger
	types          map[string]AccountType
	hosts          hosts
	reserved       map[string]bool
	destinations   destinationRule
	links          *linkCache
	changes        *changeFeed // nil: the store does not list changes
	recorder       *recorder
	applier        *applier
	days           *dayZone
	awaited        share.Pool   // conversions that wait for their clicks
	alerts         *alertWorker // nil: this process delivers none
	reserver       *reserver
	failures       throttle.Failures
	verifiedPasses throttle.Successes
	anonymousQuota anonymousQuota
	passwords      *passwords
	visitors       *visitor.Tokens
	secret         []byte                // see Key
	fingerprints   *visitor.Fingerprints // nil: all visitors are told apart by cookie
	optOuts        *optOuts
	proxies        clientip.Proxies
	unnamed        atomic.Bool // the log was told of a proxy that is not trusted
	locator        guardedLocator
	pruner         *pruner    // nil: history is kept forever
	hostCheck      *hostCheck // nil: the store does not list its hosts
	outage         outage     // of the API, and of what goal pages report
	refusals       outage     // of links with a limit
	reading        outage     // of public pages
	blocked        sync.Once  // the log was told that some links are not followed
	openAPI        func() []byte
}

// New returns a Tracker on a store. If Options.Secret is empty, it asks the store for
// the secret that is kept there, for at most ten seconds. The errors are an
// [*InvalidError] that names the option, or [ErrUnavailable].
func New(store Store, o Options) (*Tracker, error) {
	hs, err := newHosts(o.BaseURL, o.Hosts)
	if err != nil {
		return nil, err
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	observer := newObserver(o.Observe, o.Logger)
	unguarded := store
	store = guardedStore{store, observer}
	secret, err := secretOf(store, o.Secret)
	if err != nil {
		return nil, err
	}
	t := &Tracker{
		opts:           o,
		store:          store,
		observer:       observer,
		log:            o.Logger,
		types:          map[string]AccountType{AccountTypeFree: {}, AccountTypeProfessional: {Params: linkParams}},
		hosts:          hs,
		reserved:       make(map[string]bool),
		reserver:       newReserver(store),
		outage:         newOutage(o.Logger, "API calls fail"),
		refusals:       newOutage(o.Logger, "links with a limit cannot be followed because the store cannot reserve clicks"),
		reading:        newOutage(o.Logger, "public pages fail"),
		failures:       throttle.NewFailures(),
		verifiedPasses: throttle.NewSuccesses(),
		anonymousQuota: anonymousQuota{counts: throttle.NewFailures()},
		passwords:      newPasswords(),

		visitors: visitor.NewTokens(secret),
		secret:   slices.Clone(secret),
		optOuts:  newOptOuts(secret),
		proxies:  o.Proxies.networks(),
	}
	t.opts.Secret = nil
	t.locator.Locator, t.locator.log = o.Visitors.Locator, o.Logger
	maps.Copy(t.types, o.Accounts.Types)
	for _, w := range slices.Concat(reservedWords, o.Links.Reserved) {
		t.reserved[strings.ToLower(w)] = true
	}
	t.destinations = destinationRule{schemes: o.Links.Schemes, serves: t.hosts.serves}
	t.probe = newProbe(store, hs.list[0].name)
	t.links = newLinkCache(store, o.Links.CacheTTL, t.log, t.prepare)
	t.changes = newChangeFeed(unguarded, t.links, t.log)
	t.days = &dayZone{store: store, service: o.TimeZone, log: o.Logger}
	t.alerts = newAlertWorker(store, &t.opts, t.TrackingURL)
	t.applier = newApplier(store, t.days, t.alerts, o.Recording.MaxLogBytes, t.log)
	t.recorder = newRecorder(store, &t.opts, t.days, &t.locator, t.applier)
	if o.Visitors.Cookieless || o.Privacy.HonorGPC {
		t.fingerprints = visitor.NewFingerprints()
	}
	t.pruner = newPruner(store, &t.opts)
	t.hostCheck = newHostCheck(unguarded, &t.hosts, t.log)
	t.openAPI = sync.OnceValue(func() []byte {
		return apispec.Document(strings.TrimSuffix(t.hosts.list[0].base, "/"), o.TimeZone.String())
	})
	return t, nil
}

// secretOf returns the given secret, or the store's if none is given.
func secretOf(store Store, given []byte) ([]byte, error) {
	if len(given) > 0 {
		return given, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	candidate := make([]byte, 32)
	rand.Read(candidate)
	secret, err := store.Secret(ctx, candidate)
	if err != nil {
		return nil, unavailable(fmt.Errorf("linktrack: read the secret: %w", err))
	}
	return secret, nil
}

// reservedWords are paths that linktrack answers itself, or may answer in a later
// version, and paths that browsers and crawlers request on every host.
var reservedWords = []string{"api", "account", "login", "logout", "links", "healthz", "metrics", "favicon.ico", "robots.txt"}

// Close refuses further clicks, stores those that wait, shows them to
// [RecordingOptions.OnClick], and ends the delivery of alerts. It does not close the
// store and the journal. If ctx ends before all clicks are stored, the error is a
// [*PendingError]. An alert whose delivery is interrupted is delivered again by another
// process. Close may be called twice.
func (t *Tracker) Close(ctx context.Context) error {
	t.pruner.stop()
	err := t.recorder.close(ctx) // first, because nothing else that ends here would be lost
	t.alerts.close(ctx)
	t.applier.close(ctx)
	t.pruner.wait(ctx)
	t.hostCheck.stop(ctx)
	t.changes.stop(ctx)
	return err
}

// TrackingURL returns the absolute URL of a link. If the Tracker does not serve
// the link's host, the URL has the scheme and the path of [Options.BaseURL].
func (t *Tracker) TrackingURL(l Link) string { return t.hosts.url(&l) }

// TimeZone returns the zone of all times that people read and write, see
// [Options.TimeZone].
func (t *Tracker) TimeZone() *time.Location { return t.opts.TimeZone }

// Key returns a key for signatures of a host or another package. It is derived from the
// Tracker's secret and the purpose, and is the same in all processes of one service.
// Neither the secret nor the key of another purpose can be found from it.
func (t *Tracker) Key(purpose string) [32]byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte("linktrack key\x00" + purpose))
	return [32]byte(mac.Sum(nil))
}
