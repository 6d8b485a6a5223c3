package linktrack

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// A Store keeps accounts, links and clicks. This file and store_keys.go are all that a
// store's author needs to read. Package storetest tests a store against it.
//
//   - Every method is safe for concurrent use, also by many processes if they share
//     the database.
//   - A store has no clock, retries nothing, and starts no goroutine that outlives a
//     call. The Tracker does not close it.
//   - Times are in UTC with microseconds. The zero time means never.
//   - An empty slice may be returned as nil, and nil as an empty slice.
//   - A method that fails has changed nothing. The exception is an error of the
//     connection: then the outcome is unknown, and only [ClickStore.AppendClicks],
//     [ClickStore.ReserveClicks], and [ConversionStore.RecordConversion] may simply be
//     called again.
//   - The errors with a meaning are [ErrNotFound], [ErrTaken] and [ErrRejected],
//     possibly wrapped. Any other error means that the store could not do its work.
type Store interface {
	AccountStore
	KeyStore
	LinkStore
	ClickStore
	AlertStore
	ConversionStore
}

// AccountStore keeps the accounts of the API's credentials. For a host with users of
// its own ([AccountOptions.Authenticate]), only Secret and Zone are called.
type AccountStore interface {
	// CreateAccount keeps a new account and returns it with its ID.
	// A login that exists, compared byte by byte, is [ErrTaken]. [KeyStore.KeyByLogin]
	// finds the account by its login.
	CreateAccount(ctx context.Context, a Account) (Account, error)

	// AccountByID returns the account, or [ErrNotFound].
	AccountByID(ctx context.Context, id AccountID) (Account, error)

	// Accounts returns up to limit accounts, at least 1, with IDs above after, in the
	// order of their IDs. If there are none, it returns an empty slice and no error.
	Accounts(ctx context.Context, after AccountID, limit int) ([]Account, error)

	// UpdateAccount calls change with the current account, stores what change left
	// in it, and returns that.
	//   - No other update of the account happens in between.
	//   - ID and CreatedAt do not change.
	//   - If change returns an error, nothing is stored, and that error is
	//     returned.
	//   - change may be called more than once. It must not use the store.
	//   - Errors: [ErrNotFound] if there is no such account, [ErrTaken] if another
	//     account or a key has the login.
	UpdateAccount(ctx context.Context, id AccountID, change func(*Account) error) (Account, error)

	// EraseAccount removes an account that has no links with its keys, sessions,
	// groups, tags and roll-ups, and the ids of orders that were counted for it. The
	// paths that are reserved for it are free then.
	//   - [ErrNotFound] if there is no such account. So of several calls for an account,
	//     one returns nil.
	//   - [ErrHasLinks] if the account has a link, deleted or not. Then nothing is
	//     removed, unless the link was made during the call.
	//   - Its logins are free then. Its ID is never given again.
	//   - It may work in steps. After an error, another call does the rest.
	EraseAccount(ctx context.Context, id AccountID) error

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

	// Secret returns the one secret that all users of this store share. The first
	// call stores the candidate and returns it. Every later call, in any process,
	// returns the stored one.
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
	// CreateLinks stores 1 to 1,000 new links of one account with counts of zero, all
	// of them or none. It returns them in the given order, with rising IDs.
	//   - The ID and Counts of the given links are ignored. DeletedAt is zero.
	//   - [ErrExternalIDTaken] if the account has a link with the ExternalID of one
	//     of them, compared byte by byte, or two of them have the same. "" is none.
	//   - Otherwise [ErrTaken] if a link of any account has or had the Host and
	//     [Link.Key] of one of them, another account has them reserved, or two of
	//     the new links have the same.
	//   - A path that is reserved for the account is not reserved any more when one of
	//     the links has it.
	//   - Groups are compared by [GroupKey]. A group that the account does not have
	//     is made. A group that it has keeps its first name, which is returned.
	//   - The same holds for tags, which are no groups. A link has each of its tags
	//     once, in the order of their keys.
	CreateLinks(ctx context.Context, links []Link) ([]Link, error)

	// UpdateLink calls change with the current link, stores what change left in it,
	// and returns that, with a Counts.Day of zero.
	//   - No other update of the link happens in between.
	//   - ID, CreatedAt and Counts do not change.
	//   - If change returns an error, nothing is stored, and that error is
	//     returned.
	//   - change may be called more than once. It must not use the store.
	//   - Groups and tags are made as in CreateLinks, in the account that the link
	//     has then.
	//   - Another Host or [Link.Key] renames the link. Its old name becomes a former
	//     path, which leads to the link, and which no other link can get. A former
	//     path that the link gets back is no former path any more. So each of its
	//     names leads to the link at any time.
	//   - DeletedAt set deletes the link, and DeletedAt cleared restores it. Nothing
	//     else of it changes.
	//   - Another Account moves the link to that account, with its counts, history,
	//     former paths, roll-ups and alerts. Orders that were counted stay with the
	//     old account.
	//   - [ErrNotFound] if there is no such link. [ErrExternalIDTaken] if another
	//     link of the account that the link has then has the ExternalID, otherwise
	//     [ErrTaken] if another link has or had the Host and [Link.Key], or they are
	//     reserved for another account.
	UpdateLink(ctx context.Context, id int64, change func(*Link) error) (Link, error)

	// FormerPaths returns the former paths of a link, in the order of Host and Key. A
	// link that does not exist has none.
	FormerPaths(ctx context.Context, link int64) ([]LinkName, error)

	// ReleasePaths makes former paths of a link free for any link. Names that are not
	// among its former paths are left as they are.
	ReleasePaths(ctx context.Context, link int64, names []LinkName) error

	// LinkByPath returns the link that has or had that host and key (see [Link.Key]),
	// of any account, deleted or not, or [ErrNotFound]; a path that is only reserved
	// leads to none. Counts.Day is zero. Redirects call it, so it should be one
	// look-up by a unique key, and a second one only if no link has the path now.
	LinkByPath(ctx context.Context, host, key string) (Link, error)

	// LinksByPath returns the link that LinkByPath returns for each of the 1 to 1,000
	// names, by that name. Names without a link are left out. Each name has a Host.
	LinksByPath(ctx context.Context, names []LinkName) (map[LinkName]Link, error)

	// LinksByExternalID returns those links of an account, deleted or not, that have
	// one of the 1 to 1,000 ids, by ExternalID, compared byte by byte. Counts.Day is
	// zero. Ids without a link are left out, as is "".
	LinksByExternalID(ctx context.Context, account AccountID, ids []string) (map[string]Link, error)

	// Links returns the links that q describes, in q's order. If there are none, it
	// returns an empty slice and no error.
	Links(ctx context.Context, q LinkFilter) ([]Link, error)

	// CountLinks returns how many links q describes. Sort, Ascending, Limit, Offset,
	// After and DaySince have no effect. If only Account, Archived and Deleted are
	// set, its time does not grow with the number of links.
	CountLinks(ctx context.Context, q LinkFilter) (int64, error)

	// Groups returns the names of the account's groups, at most limit of them (at
	// least 1), ordered by the code points of their [GroupKey]. A group stays when
	// its last link has left it. If there are none, it returns an empty slice and no
	// error.
	Groups(ctx context.Context, account AccountID, limit int) ([]string, error)

	// Tags returns the names of the account's tags as Groups returns those of its
	// groups.
	Tags(ctx context.Context, account AccountID, limit int) ([]string, error)

	// DeletedLinks returns the IDs of the links of all accounts whose DeletedAt is
	// before a time, in the order of DeletedAt and then of the IDs: the first limit (at
	// least 1) of them. Its time does not grow with the number of links. If there are
	// none, it returns an empty slice and no error.
	DeletedLinks(ctx context.Context, before time.Time, limit int) ([]int64, error)

	// PurgeLink removes a deleted link with its history, roll-ups, conversions and
	// alerts.
	//   - [ErrNotFound] if there is no such link, or if it is not deleted. So of several
	//     calls for a link, one returns nil.
	//   - The roll-ups of its account, group and tags keep what it has counted.
	//   - Its path and former paths are reserved for the account that it has then: they
	//     lead nowhere, and only links of this account can get them. With freePaths
	//     they are free for any link.
	//   - Its ID is never given again.
	//   - What comes later for it has no effect: clicks are ignored, also those that
	//     were in the click log before, and a conversion is [ErrNotFound].
	//   - It works in steps, so that other calls do not wait for long. Until the last
	//     one, the link is there as a deleted link, but UpdateLink no longer finds it:
	//     it cannot be restored. After an error, another call does the rest.
	PurgeLink(ctx context.Context, id int64, freePaths bool) error
}

// HostLister is what a [LinkStore] can do in addition. The Tracker asks for it
// once, when it begins, to name in its log the hosts that it does not serve.
type HostLister interface {
	// LinkHosts returns the hosts that links are on, of all accounts, each once,
	// in the order of their bytes: the first limit (at least 1) of them. Its time
	// does not grow with the number of links, except in a store that is in memory.
	LinkHosts(ctx context.Context, limit int) ([]string, error)
}

// ClickStore counts clicks and keeps their history. A click comes in two steps:
// AppendClicks keeps it in the store's click log, which is all that visitors wait for.
// ApplyClicks takes it from the log to the history, the counts, the sums and the alerts.
// Methods that read return what was applied; before they are called, the Tracker calls
// ApplyClicks.
type ClickStore interface {
	// ReserveClicks asks whether r.People more people may pass a link that has a limit, and
	// returns how many of them may. [Reservation.Grant] decides that.
	//   - The link never lets more than DeactivateAt people pass, however many
	//     callers and processes there are.
	//   - Counts.Used is the number granted before, or the number of people's clicks
	//     applied, whichever is higher. What is granted now is added to that and
	//     stored.
	//   - Fewer than r.People may be granted.
	//   - Repeated: if the last reservation that took something for r.Link and r.Source
	//     had r.Seq, the answer is what was granted then, as far as the limit still
	//     allows, and nothing is taken. So a call may be repeated after any error.
	//   - Late: if that reservation had a higher Seq, nothing is granted.
	//   - For that, the store keeps the [Granted] of each r.Link and r.Source in the same
	//     transaction, until it has been the last one for a day.
	//   - If the grant uses up the link, its [AlertUsedUp] is made in the same transaction,
	//     with r.Time as [PendingAlert].Reached.
	//   - A deleted link grants nothing.
	//   - A link without a limit (DeactivateAt 0) grants r.People and stores nothing.
	//   - [ErrNotFound] if there is no such link.
	ReserveClicks(ctx context.Context, r Reservation) (granted int, err error)

	// AppendClicks appends a batch to the click log, durably and atomically.
	//   - Duplicate: b is never applied, and the error is nil, if it was appended
	//     before, or if a batch of b.Source with a higher Seq was applied before. So
	//     a batch may be sent again after any error, until a call returns nil, and a
	//     call that is late on its way counts nothing twice.
	//   - Empty batch: only its Seq is stored.
	//   - Rejected: [ErrRejected] means that the batch was not appended and never
	//     will be, because of its content or because the schema is not the expected
	//     one.
	//   - Memory: the store keeps no part of b.Clicks after it returns.
	AppendClicks(ctx context.Context, b Batch) error

	// ApplyClicks applies the batches of the click log: to the history of their
	// links, their counts, the sums by hour (UTC) for Counts.Day and by day for
	// Rollups, and the alerts that come due (see [AlertStore]). The Tracker calls it
	// about a second after clicks were appended, and before it reads.
	//   - When it returns nil, all batches that were appended before the call are
	//     applied or quarantined. It may do this in several steps. A step is atomic.
	//   - Each batch is applied once, however many callers and processes there are.
	//   - Unknown link: a click on a link that does not exist is ignored.
	//   - Quarantine: a batch that cannot be applied because of its content does not
	//     hold up others. It is quarantined until RequeueClicks.
	//   - If ctx ends, the steps until then stay.
	//   - zone is the zone of the days of Rollups, nil for UTC. daySince is the
	//     [LinkFilter.DaySince] of the near future.
	// It returns what is left in the log, of all processes. With an error it returns that,
	// too, or the zero LogSize if it does not know.
	ApplyClicks(ctx context.Context, zone *time.Location, daySince time.Time) (LogSize, error)

	// RequeueClicks puts the batches that are quarantined back into the click log,
	// because a newer version of the store may be able to apply them. It returns how
	// many clicks they have.
	RequeueClicks(ctx context.Context) (clicks int64, err error)

	// Rollups returns the sums by day, in order, from first to last, both included.
	// Days without counts are left out. What does not exist has none.
	//   - Clicks and conversions count for the account, the group and the tags that
	//     their link has when they are applied. These sums stay where they are when
	//     the link gets another account, group, or tags, or is deleted.
	//   - What is taken back, as by a trusted conversion or a [Verdict], is
	//     subtracted from the sums of the account, the group and the tags that the
	//     link has at that time.
	//   - The sums of accounts, groups and tags begin when a version that keeps them
	//     first runs on the store. Those of links have all.
	Rollups(ctx context.Context, of RollupOf, first, last Day) ([]Rollup, error)

	// PruneClicks removes the clicks of all days (UTC) that ended at or before the
	// given time from the history. Counts and roll-ups stay. The Tracker calls it
	// once a day, see [Privacy.HistoryDays]. It may take a long time, but must not
	// delay other calls for long.
	PruneClicks(ctx context.Context, before time.Time) error

	// Clicks returns a part of a link's history in the order of click ids, which is
	// the order of time. If there are none, it returns an empty slice and no error.
	Clicks(ctx context.Context, q ClickFilter) ([]Click, error)
}

// AlertStore keeps alerts until they are delivered. [ClickStore.ApplyClicks] makes
// an alert in the same step as it counts clicks if people's clicks on a link were below
// its AlertAt before the step and are not below it after the step, and likewise for
// DeactivateAt (see [Delta.Alerts]). [ClickStore.ReserveClicks] makes the alert for
// DeactivateAt if it uses up the link, whether the clicks of those people are recorded or
// not. So a link whose AlertAt is set to a number that it has already reached gets no
// alert. There is never more than one alert for an [AlertID].
type AlertStore interface {
	// LeaseAlert returns an alert that is due at the time now, and leases it to the
	// caller until the time until.
	//   - During the lease no other call returns it. When the lease ends, it is due
	//     again, unless FinishAlert or PostponeAlert was called for it.
	//   - Alerts that were never leased are due at once and come first. After them
	//     comes the alert that has been due for the longest time.
	//   - [ErrNotFound] if none is due.
	LeaseAlert(ctx context.Context, now, until time.Time) (PendingAlert, error)

	// FinishAlert says that an alert was delivered: it is never due again, whether
	// its lease has ended or not. It may be called twice. An alert that does not
	// exist is not an error.
	FinishAlert(ctx context.Context, id AlertID) error

	// PostponeAlert says that an alert could not be delivered: it is due again at the
	// time next, which may be before or after the end of the lease. A finished alert
	// stays finished. An alert that does not exist is not an error.
	PostponeAlert(ctx context.Context, id AlertID, next time.Time) error
}

// A PendingAlert is an alert that a store has leased.
type PendingAlert struct {
	ID      AlertID
	Link    Link      // as it is now; Counts.Day is zero
	Reached time.Time // of the click that reached the number, a later one of its step, or the reservation
	Tries   int       // how often it was leased, including this time
}

// An AlertID names an alert within its store.
type AlertID struct {
	Link  int64
	Kind  AlertKind
	Count int64 // the number that was reached
}

// String returns the text of [Alert.ID], for example "17-alert_at-100".
func (id AlertID) String() string {
	return fmt.Sprintf("%d-%s-%d", id.Link, id.Kind, id.Count)
}

// ConversionStore counts conversions.
type ConversionStore interface {
	// LinkByClick returns the link of a click that was applied, with a Counts.Day of zero. The error is
	// [ErrNotFound] if the click is not in the history, for example because it was
	// pruned. It should be one look-up by the history's key.
	LinkByClick(ctx context.Context, click ClickRef) (Link, error)

	// RecordConversion counts c atomically in the Counts.Conversions of its link and
	// in the [Rollup] of the day of c.Time ([Rollup.AddConversion]), and returns true.
	//   - Duplicate: if a conversion of the same click was counted before, or one of
	//     the link's account with the same OrderID, nothing changes, and it returns
	//     false. Order ids are compared byte by byte; "" is none. So one of any
	//     number of concurrent calls, in any processes, returns true.
	//   - Trusted: a trusted c replaces those one or two conversions, unless one of
	//     them is trusted. In the same step, they are removed from the
	//     Counts.Conversions of their links and from the day and hour in which they
	//     were counted ([Rollup.RemoveConversion]). Their clicks and orders can then
	//     be reported again. So exactly one of any number of trusted calls returns
	//     true, and its conversion remains.
	//   - zone is the zone of the days of [Rollup]s; nil: UTC. The history is not
	//     read.
	//   - A store may count it in the log's next step: then it is counted when
	//     [ClickStore.ApplyClicks], called after this call, returns.
	//   - [ErrNotFound] if there is no such link. The call may be repeated after any
	//     error.
	RecordConversion(ctx context.Context, c Conversion, zone *time.Location) (counted bool, err error)
}

// A Batch is a number of clicks on their way to the store. Batches with the same
// Source and Seq have the same clicks.
type Batch struct {
	Source Source // the sender, whose batches arrive in the order of Seq
	Seq    int64  // from 1, higher for each batch of the Source
	Clicks []Click
}

// LogSize is what a store's click log holds that is not applied yet.
type LogSize struct {
	Clicks      int64
	Bytes       int64     // approximate size in the store
	Oldest      time.Time // when the oldest of these clicks was made; zero: the log is empty
	Quarantined int64     // clicks, which are not in the other fields
}

// A Source is the random name of a sender of batches.
type Source [16]byte

// ClickFilter says which clicks [ClickStore.Clicks] returns: those that meet all of
// its conditions.
type ClickFilter struct {
	Link      int64
	From      time.Time // inclusive; zero: no bound
	To        time.Time // exclusive; zero: no bound
	Before    ClickID   // only lower ids; zero: no bound
	After     ClickID   // only higher ids; zero: no bound
	Ascending bool      // oldest first; else newest first
	Limit     int       // at least 1
}

// A Click is one visit to a link that was not refused.
type Click struct {
	ID           ClickID
	Link         int64
	IP           netip.Addr // as [Privacy] says; the zero Addr: not known
	Referrer     string     // as sent; "" none
	ReferrerHost string     // "" none
	UserAgent    string
	Browser      string      // its name, or the bot's; "" not known
	Platform     string      // the operating system; "" not known
	Country      string      // ISO 3166-1 alpha-2; "" not known
	Query        string      // the query string of the tracking link, without "?"
	Unique       bool        // a new visitor; counted in Counts.Unique unless Bot
	Bot          bool        // counted in Counts.Bots and nowhere else
	Class        ClickClass  // ClickClassNone: recorded before there were classes
	Reason       ClickReason // why it has the Class
	Person       bool        // known to be a person, whatever UserAgent says; a store need not keep it
}
