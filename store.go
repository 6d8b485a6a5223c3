package linktrack

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Store keeps accounts, links and clicks. This file is all that a store's
// author needs to read; package storetest holds a store to it.
//
// A slice that is empty may come back as nil, and nil as empty.
//
// Every method is safe for concurrent use, by many processes where the
// database is shared. A store has no clock, retries nothing, starts no
// goroutine that outlives a call, and is not closed by the Tracker: whoever
// opened the database closes it. Times come in and go out in UTC with
// microseconds; the zero time means never. A method that fails has changed
// nothing, unless the error is one of the connection: then the outcome is
// unknown, and only [ClickStore.RecordClicks] and
// [ConversionStore.RecordConversion] may be called again blindly.
//
// The errors that carry meaning are [ErrNotFound], [ErrTaken] and
// [ErrRejected], possibly wrapped. Any other error means that the store could not do its work.
type Store interface {
	AccountStore
	LinkStore
	ClickStore
	AlertStore
	ConversionStore
}

// AccountStore keeps the accounts that the API's credentials name. A host with
// its own users ([AccountOptions.Authenticate]) never calls it but for Secret and Zone.
type AccountStore interface {
	// CreateAccount keeps a new account and returns it with its ID.
	// A login that exists, compared byte by byte, is [ErrTaken].
	CreateAccount(ctx context.Context, a Account) (Account, error)

	// AccountByLogin returns the account, or [ErrNotFound].
	AccountByLogin(ctx context.Context, login string) (Account, error)

	// AccountByID returns the account, or [ErrNotFound].
	AccountByID(ctx context.Context, id AccountID) (Account, error)

	// UpdateAccount calls change with the account as it stands, and keeps what
	// change leaves in it, while no other update of the account can happen. It
	// returns the account as it is kept. ID and CreatedAt are not changed. If
	// change returns an error nothing is kept and that error is returned.
	// change may be called more than once and must not use the store.
	// [ErrNotFound] if there is no such account, [ErrTaken] if another has the
	// login.
	UpdateAccount(ctx context.Context, id AccountID, change func(*Account) error) (Account, error)

	// Session returns how often [AccountStore.EndSessions] was called for the
	// account, and whether this session of the account was ended. The error is
	// [ErrNotFound] if there is no such account.
	Session(ctx context.Context, account AccountID, s SessionID) (epoch int64, ended bool, err error)

	// EndSession records that a session of the account was ended, and keeps the
	// record until the time until. at is the current time: EndSession may forget
	// the ended sessions of any account whose until is not after at. A session
	// may be ended again.
	EndSession(ctx context.Context, account AccountID, s SessionID, until, at time.Time) error

	// EndSessions raises the account's epoch by one.
	// [AccountStore.UpdateAccount] does not change the epoch. The error is
	// [ErrNotFound] if there is no such account.
	EndSessions(ctx context.Context, account AccountID) error

	// Secret returns the one secret that all users of this store share. The
	// first call ever keeps candidate and returns it; every later call, in
	// any process, returns what was kept.
	Secret(ctx context.Context, candidate []byte) ([]byte, error)

	// Zone returns the name of the zone of the days in this store's roll-ups.
	// The first call with a candidate other than "" keeps and returns that
	// candidate; every later call, in any process, returns the kept name. A call
	// with the candidate "" keeps nothing, and returns "" if nothing was kept
	// before. Before the Tracker counts for the first time, it passes the name
	// of its zone, 1 to 100 bytes.
	Zone(ctx context.Context, candidate string) (string, error)
}

// LinkStore keeps links.
type LinkStore interface {
	// CreateLink keeps a new link with counts of zero and returns it with
	// its ID. l.ID and l.Counts are ignored. If a link with the same Host
	// and [Link.Key] exists, of any account: [ErrTaken]. A group that the
	// account does not have yet is made; one it has, compared by
	// [GroupKey], is used and keeps the name it was made with, and that
	// name is returned.
	CreateLink(ctx context.Context, l Link) (Link, error)

	// CreateLinks keeps links of one account, 1 to 1,000 of them, as
	// CreateLink does, all of them or none, and returns them in their order,
	// in which their IDs rise. [ErrTaken] if the Host and Key of any are
	// taken, or two of them have the same.
	CreateLinks(ctx context.Context, links []Link) ([]Link, error)

	// UpdateLink calls change with the link as it stands, and keeps what
	// change leaves in it, while no other update of the link can happen.
	// ID, Account, Host, Path, CreatedAt and Counts are not changed. If
	// change returns an error nothing is kept and that error is returned.
	// change may be called more than once and must not use the store. A group
	// is made as in CreateLink. Counts.Day is zero in what is returned.
	// [ErrNotFound] if there is no such link.
	UpdateLink(ctx context.Context, id int64, change func(*Link) error) (Link, error)

	// MoveLink is UpdateLink for a link that changes its account: change gets
	// it as one of the account to, in no group, since groups are an account's
	// own. What the link has counted, its history, its roll-ups and its alerts
	// go with it; only an order that was counted stays one of the account
	// from. [ErrNotFound] if there is no such link of the account from: of any
	// number of calls, at once and in many processes, one moves it.
	MoveLink(ctx context.Context, id int64, from, to AccountID, change func(*Link) error) (Link, error)

	// LinkByPath returns the link with that host and key (see [Link.Key]),
	// whoever owns it, or [ErrNotFound]. Counts.Day is zero. The
	// redirect calls it: one look-up by a unique key.
	LinkByPath(ctx context.Context, host, key string) (Link, error)

	// LinksByPath returns those links that have one of the names, 1 to 1,000
	// of them, whoever owns them: each once and in no order. Each name has its
	// Host. Counts.Day is zero. None is an empty slice and no error.
	LinksByPath(ctx context.Context, names []LinkName) ([]Link, error)

	// Links returns the links that q asks for, in its order. None is an
	// empty slice and no error.
	Links(ctx context.Context, q LinkFilter) ([]Link, error)

	// Groups returns the names of the account's groups in the order of their
	// [GroupKey], by code point, and no more than limit (at least 1). A group
	// that no link is in any more is still there. None is an empty slice and
	// no error.
	Groups(ctx context.Context, account AccountID, limit int) ([]string, error)
}

// ClickStore counts clicks and keeps their history.
type ClickStore interface {
	// ReserveClicks asks to let n people (n >= 1) through a link that has a
	// limit, and returns how many may pass: never so many that more than
	// DeactivateAt ever pass, whatever the number of callers and processes.
	// A link counts as used by whichever is more, what was granted before
	// or the people's clicks that were recorded; what is granted is added
	// to that and kept in Counts.Used. Part of n may be granted. A link
	// without a limit (DeactivateAt 0) grants n and keeps no count.
	// [ErrNotFound] if there is no such link.
	ReserveClicks(ctx context.Context, link int64, n int) (granted int, err error)

	// RecordClicks writes a batch: each click into the history of its link,
	// and the sums into the link's counts and its roll-ups, by the hour (UTC)
	// for Counts.Day and by the day for Rollups, and the alerts that it brings
	// about (see [AlertStore]), all of it or nothing. A batch whose Seq is not above the highest Seq that was
	// kept for its Source has been applied before: nothing is changed, and
	// the error is nil. So a batch may be sent again after any error,
	// until one call returns nil. An empty batch only keeps its Seq. A click
	// of a link that does not exist counts nowhere. The store keeps no part
	// of b.Clicks after it returns. [ErrRejected] if the batch is refused
	// for what is in it, or the schema is another one than expected, so that
	// to send it again is of no use: it was surely not applied then.
	RecordClicks(ctx context.Context, b Batch) error

	// RollUp finishes what the store put off when it recorded clicks, if it
	// puts anything off: Counts.Day and Rollups may then be written in larger
	// parts than batches are. The Tracker calls it about every second while
	// clicks come. The calls that read such sums show all that was recorded
	// before they began, whether this was called or not; they may show less, and
	// do not fail, where so much was put off that it takes them seconds, or where
	// it can not be finished. daySince is what [LinkFilter.DaySince] will be for
	// the next while.
	RollUp(ctx context.Context, daySince time.Time) error

	// Rollups returns the sums of a link by day, from the first day up to the
	// last and with both, in order. Days on which nothing was counted are
	// left out. A link that does not exist has none.
	Rollups(ctx context.Context, link int64, first, last Day) ([]Rollup, error)

	// PruneClicks removes from the history the clicks of all days (UTC) that
	// ended at or before the given time. Counts and roll-ups stay. The Tracker
	// calls it once a day, see [Privacy.HistoryDays]; it may take long, but
	// must not hold up the other calls for long.
	PruneClicks(ctx context.Context, before time.Time) error

	// Clicks returns a part of a link's history in the order of click ids,
	// which is the order of time. None is an empty slice and no error.
	Clicks(ctx context.Context, q ClickFilter) ([]Click, error)
}

// AlertStore keeps the alerts that clicks brought about until they are
// delivered. [ClickStore.RecordClicks] makes them, together with all else that
// it does for a batch: when people's clicks on a link were fewer than its
// AlertAt before the batch, and are not after it, and likewise for
// DeactivateAt. So a link that is given a number which it has reached already
// has no alert for it. There is one alert at most, for ever, for each [AlertID].
type AlertStore interface {
	// LeaseAlert returns an alert that is due at the time now and leaves it to
	// the caller: it is due again at until, unless the caller has said before
	// what became of it. Nobody else gets it meanwhile. An alert that was
	// never leased is due at once and comes first, then the one that has been
	// due longest. [ErrNotFound] if none is due.
	LeaseAlert(ctx context.Context, now, until time.Time) (PendingAlert, error)

	// FinishAlert says that an alert was delivered, whether the lease still
	// lasts or not: it is never due again. It may be called twice. An alert
	// that does not exist is no error, here and below.
	FinishAlert(ctx context.Context, id AlertID) error

	// PostponeAlert says that an alert could not be delivered: it is due again
	// at the time next, be that sooner or later than the lease ends. One that
	// is finished stays finished.
	PostponeAlert(ctx context.Context, id AlertID, next time.Time) error
}

// A PendingAlert is an alert that a store has leased to somebody.
type PendingAlert struct {
	ID      AlertID
	Link    Link      // as it stands, without Counts.Day
	Reached time.Time // of a click in the batch that reached the number: the one that did or a later one
	Tries   int       // how often it was leased, this time included
}

// An AlertID names an alert within its store.
type AlertID struct {
	Link  int64
	Kind  AlertKind
	Count int64 // the number that was reached
}

// String returns what [Alert.ID] says: "17-alert_at-100".
func (id AlertID) String() string {
	return fmt.Sprintf("%d-%s-%d", id.Link, id.Kind, id.Count)
}

// ConversionStore counts what clicks led to.
type ConversionStore interface {
	// LinkByClick returns the link of a click that is in the history, with
	// Counts.Day zero, or [ErrNotFound]: one look-up by the history's key. A
	// history that was pruned has the click no more.
	LinkByClick(ctx context.Context, click ClickRef) (Link, error)

	// RecordConversion counts c in the Counts.Conversions of its link and in
	// the [Rollup] of the day of c.Time ([Rollup.AddConversion]), all of it or
	// nothing, and returns true. If a conversion of the click was counted
	// before, or one of the link's account with the same OrderID, if that is
	// not "", compared byte by byte, it changes nothing and returns false: of
	// any number of calls, at once and in many processes, one returns true.
	//
	// If c is Trusted, it replaces those one or two conversions, unless one of
	// them is Trusted, too. In the same step, the replaced conversions are
	// removed from the Counts.Conversions of their links and from the day and
	// hour in which they were counted ([Rollup.RemoveConversion]); their clicks
	// and orders can then be reported again. So of any number of calls with
	// Trusted, exactly one returns true, and its conversion is the one that
	// remains.
	//
	// RecordConversion does not read the history. zone is that of [Batch.TimeZone].
	// The error is [ErrNotFound] if there is no such link. RecordConversion may
	// be called again after any error.
	RecordConversion(ctx context.Context, c Conversion, zone *time.Location) (counted bool, err error)
}

// A Batch is some clicks on their way to the store. Two batches with the same
// Source and Seq hold the same clicks.
type Batch struct {
	Source   Source // who sends; each sender's batches arrive in the order of Seq
	Seq      int64  // from 1, higher for each batch of the Source
	Clicks   []Click
	TimeZone *time.Location // in whose days [Rollup]s are; nil: UTC
}

// A Source is the random name of one sender of batches.
type Source [16]byte

// LinkFilter says which links [LinkStore.Links] returns.
type LinkFilter struct {
	Account AccountID  // only this account's links
	Names   []LinkName // nil: all. A link that any of the names fits is returned, once.
	Groups  []string   // nil: all. Names of groups, compared by GroupKey; unknown ones, and "", match nothing.
	AfterID int64      // only links with a higher ID; 0: all. With SortID, ascending, any number of links is read part by part.

	// Search has words, see [LinkFilter.Words]. A link matches if it contains
	// every word in its destination, title, path, notes, or group. A word with a
	// slash also matches in the host and path joined by a slash, as in
	// go.example.com/spring. A word that is equal to a host matches all links on
	// that host. Without words, all links match. ASCII letters are compared
	// without case; a store may do the same for other letters. At least the
	// [SearchDepth] links of the account with the highest IDs are searched;
	// older links may be left out.
	Search string

	Sort      Sort // required
	Ascending bool // else descending; links that sort alike follow by ID in the same direction
	Limit     int  // at least 1
	Offset    int  // so many of the first are left out; 0: none

	// DaySince is where Counts.Day begins. The hour (UTC) it lies in is
	// counted whole: Day is a sum of hourly roll-ups, not a scan of clicks.
	DaySince time.Time
}

// SearchDepth is the minimum number of an account's newest links that a search
// covers. It limits the cost of a search.
const SearchDepth = 50_000

// MaxSearchWords is the maximum number of words in a search. Each word is
// compared with every link that is searched.
const MaxSearchWords = 20

// Words returns the distinct words of Search, which white space separates. A
// [Tracker] passes at most [MaxSearchWords] of them.
func (q LinkFilter) Words() []string {
	var words []string
	for w := range strings.FieldsSeq(q.Search) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// A LinkName is how a caller names a link: by its key, on one host or on any.
type LinkName struct {
	Host string // "" is any host
	Key  string // see [Link.Key]
}

// A Sort is a property that links are sorted by, under the API's own names.
// Text sorts by code point, a missing title or group as empty text, a link
// that was never clicked as the one clicked longest ago.
type Sort string

const (
	SortExternalURL Sort = "l.external_url"
	SortPath        Sort = "l.redirect_hash" // by Link.Key
	SortCreated     Sort = "l.created_at"
	SortDay         Sort = "lc.count_day"
	SortTotal       Sort = "lc.count_total"
	SortLastClick   Sort = "lc.updated_at"
	SortTitle       Sort = "d.title"
	SortGroup       Sort = "g.name" // by the name as it was first given
	SortID          Sort = "l.id"   // the order in which the store got the links; not of the API
)

// ClickFilter says which clicks [ClickStore.Clicks] returns. All its conditions
// hold together.
type ClickFilter struct {
	Link      int64
	From      time.Time // inclusive; zero: no bound
	To        time.Time // exclusive; zero: no bound
	Before    ClickID   // only ids below this one; zero: no bound
	After     ClickID   // only ids above this one; zero: no bound
	Ascending bool      // oldest first; else newest first
	Limit     int       // at least 1
}

// A Click is one hit on a link that was let through.
type Click struct {
	ID           ClickID
	Link         int64
	IP           netip.Addr // as [Privacy] says; the zero Addr: not known
	Referrer     string     // as sent; "" none
	ReferrerHost string     // "" none
	UserAgent    string
	Browser      string // its name, or the bot's; "" not known
	Platform     string // the operating system; "" not known
	Country      string // ISO 3166-1 alpha-2; "" not known
	Query        string // the query string of the tracking link, without "?"
	Unique       bool
	Bot          bool // counts in Counts.Bots and in nothing else
	Person       bool // known to be one, whatever UserAgent says; a store need not keep it
}
