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
// at once or by way of a [Journal], and shows them to [RecordingOptions.OnClick];
// [Tracker.Links], [Tracker.History] and [Tracker.Report] read there. HTTP is a
// skin over the methods: a host that calls them gets the same rules and the same
// errors.
//
// # What is promised
//
//   - A visitor is redirected after the click is stored, or as another [Ack]
//     says. Clicks that come at the same time are stored together. If the store
//     needs longer than [RecordingOptions.AckTimeout] or fails, the visitor is redirected
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
	pruner         *pruner    // nil: history is kept for ever
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
	unguarded := store
	store = guardedStore{store}
	if err := o.validate(); err != nil {
		return nil, err
	}
	secret, err := secretOf(store, o.Secret)
	if err != nil {
		return nil, err
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
	t.links = newLinkCache(store, o.Links.CacheTTL, t.log, t.prepare)
	t.days = &dayZone{store: store, service: o.TimeZone, log: o.Logger}
	t.alerts = newAlertWorker(store, &t.opts, t.TrackingURL)
	t.recorder = newRecorder(store, &t.opts, t.days, &t.locator, t.alerts)
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

// reservedWords are paths that linktrack answers itself, or may in a version to
// come, and those that browsers and crawlers ask every host for.
var reservedWords = []string{"api", "account", "login", "logout", "links", "healthz", "metrics", "favicon.ico", "robots.txt"}

// Close takes no more clicks, writes what is pending, shows it to
// [RecordingOptions.OnClick] and ends the delivery of alerts, then returns; it leaves
// the store and the journal open. When ctx ends first, a [*PendingError] says
// how many clicks were not stored; an alert that is being delivered just then
// is delivered again by another process. It may be called twice.
func (t *Tracker) Close(ctx context.Context) error {
	t.pruner.stop()
	err := t.recorder.close(ctx) // before all that can wait for another day
	t.alerts.close(ctx)
	t.recorder.rollups.close(ctx)
	t.pruner.wait(ctx)
	t.hostCheck.stop(ctx)
	return err
}

// TrackingURL returns the absolute URL of a link. If the Tracker does not serve
// the link's host, the URL has the scheme and the path of [Options.BaseURL].
func (t *Tracker) TrackingURL(l Link) string { return t.hosts.url(&l) }

// TimeZone is the zone of all times that people read and write, see
// [Options.TimeZone].
func (t *Tracker) TimeZone() *time.Location { return t.opts.TimeZone }

// Key returns a key that is derived from the Tracker's secret, another one for
// each purpose: for what a host or a package beside the Tracker signs. All
// processes of one service get the same; who knows the key of one purpose knows
// neither the secret nor the key of another.
func (t *Tracker) Key(purpose string) [32]byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte("linktrack key\x00" + purpose))
	return [32]byte(mac.Sum(nil))
}
