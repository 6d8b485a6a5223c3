package linktrack

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A guardedStore is a host's store whose panics become errors of the call, because a bug of
// the store must not end a visitor's request or the process. Its calls are observed.
type guardedStore struct {
	store    Store
	observer *observer
}

var _ Store = guardedStore{}

var errPanic = errors.New("the store panicked")

// caught, deferred, makes a panic the error of a call.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
}

// end, deferred, makes a panic the error of a call, and observes the call.
func (g guardedStore) end(ctx context.Context, method string, start time.Time, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
	g.observer.store(ctx, method, start, *err)
}

func (g guardedStore) CreateAccount(ctx context.Context, a Account) (_ Account, err error) {
	defer g.end(ctx, "CreateAccount", g.observer.begin(), &err)
	return g.store.CreateAccount(ctx, a)
}

func (g guardedStore) AccountByID(ctx context.Context, id AccountID) (_ Account, err error) {
	defer g.end(ctx, "AccountByID", g.observer.begin(), &err)
	return g.store.AccountByID(ctx, id)
}

func (g guardedStore) Accounts(ctx context.Context, after AccountID, limit int) (_ []Account, err error) {
	defer g.end(ctx, "Accounts", g.observer.begin(), &err)
	return g.store.Accounts(ctx, after, limit)
}

func (g guardedStore) UpdateAccount(ctx context.Context, id AccountID, change func(*Account) error) (_ Account, err error) {
	defer g.end(ctx, "UpdateAccount", g.observer.begin(), &err)
	return g.store.UpdateAccount(ctx, id, change)
}

func (g guardedStore) EraseAccount(ctx context.Context, id AccountID) (err error) {
	defer g.end(ctx, "EraseAccount", g.observer.begin(), &err)
	return g.store.EraseAccount(ctx, id)
}

func (g guardedStore) Session(ctx context.Context, a AccountID, id SessionID) (_ int64, _ bool, err error) {
	defer g.end(ctx, "Session", g.observer.begin(), &err)
	return g.store.Session(ctx, a, id)
}

func (g guardedStore) EndSession(ctx context.Context, a AccountID, id SessionID, until, at time.Time) (err error) {
	defer g.end(ctx, "EndSession", g.observer.begin(), &err)
	return g.store.EndSession(ctx, a, id, until, at)
}

func (g guardedStore) EndSessions(ctx context.Context, a AccountID) (err error) {
	defer g.end(ctx, "EndSessions", g.observer.begin(), &err)
	return g.store.EndSessions(ctx, a)
}

func (g guardedStore) Secret(ctx context.Context, candidate []byte) (_ []byte, err error) {
	defer g.end(ctx, "Secret", g.observer.begin(), &err)
	return g.store.Secret(ctx, candidate)
}

func (g guardedStore) Zone(ctx context.Context, candidate string) (_ string, err error) {
	defer g.end(ctx, "Zone", g.observer.begin(), &err)
	return g.store.Zone(ctx, candidate)
}

func (g guardedStore) CreateKey(ctx context.Context, k Key) (_ Key, err error) {
	defer g.end(ctx, "CreateKey", g.observer.begin(), &err)
	return g.store.CreateKey(ctx, k)
}

func (g guardedStore) KeyByLogin(ctx context.Context, login string) (_ Key, _ Account, err error) {
	defer g.end(ctx, "KeyByLogin", g.observer.begin(), &err)
	return g.store.KeyByLogin(ctx, login)
}

func (g guardedStore) Keys(ctx context.Context, account AccountID) (_ []Key, err error) {
	defer g.end(ctx, "Keys", g.observer.begin(), &err)
	return g.store.Keys(ctx, account)
}

func (g guardedStore) DeleteKey(ctx context.Context, account AccountID, id int64) (err error) {
	defer g.end(ctx, "DeleteKey", g.observer.begin(), &err)
	return g.store.DeleteKey(ctx, account, id)
}

func (g guardedStore) UseKey(ctx context.Context, account AccountID, id int64, day Day) (err error) {
	defer g.end(ctx, "UseKey", g.observer.begin(), &err)
	return g.store.UseKey(ctx, account, id, day)
}

func (g guardedStore) CreateLinks(ctx context.Context, links []Link) (_ []Link, err error) {
	defer g.end(ctx, "CreateLinks", g.observer.begin(), &err)
	return g.store.CreateLinks(ctx, links)
}

func (g guardedStore) UpdateLink(ctx context.Context, id int64, change func(*Link) error) (_ Link, err error) {
	defer g.end(ctx, "UpdateLink", g.observer.begin(), &err)
	return g.store.UpdateLink(ctx, id, change)
}

func (g guardedStore) LinkByPath(ctx context.Context, host, key string) (_ Link, err error) {
	defer g.end(ctx, "LinkByPath", g.observer.begin(), &err)
	return g.store.LinkByPath(ctx, host, key)
}

func (g guardedStore) LinksByPath(ctx context.Context, names []LinkName) (_ map[LinkName]Link, err error) {
	defer g.end(ctx, "LinksByPath", g.observer.begin(), &err)
	return g.store.LinksByPath(ctx, names)
}

func (g guardedStore) LinksByExternalID(ctx context.Context, account AccountID, ids []string) (_ map[string]Link, err error) {
	defer g.end(ctx, "LinksByExternalID", g.observer.begin(), &err)
	return g.store.LinksByExternalID(ctx, account, ids)
}

func (g guardedStore) FormerPaths(ctx context.Context, link int64) (_ []LinkName, err error) {
	defer g.end(ctx, "FormerPaths", g.observer.begin(), &err)
	return g.store.FormerPaths(ctx, link)
}

func (g guardedStore) ReleasePaths(ctx context.Context, link int64, names []LinkName) (err error) {
	defer g.end(ctx, "ReleasePaths", g.observer.begin(), &err)
	return g.store.ReleasePaths(ctx, link, names)
}

func (g guardedStore) Links(ctx context.Context, q LinkFilter) (_ []Link, err error) {
	defer g.end(ctx, "Links", g.observer.begin(), &err)
	return g.store.Links(ctx, q)
}

func (g guardedStore) CountLinks(ctx context.Context, q LinkFilter) (_ int64, err error) {
	defer g.end(ctx, "CountLinks", g.observer.begin(), &err)
	return g.store.CountLinks(ctx, q)
}

func (g guardedStore) Groups(ctx context.Context, account AccountID, limit int) (_ []string, err error) {
	defer g.end(ctx, "Groups", g.observer.begin(), &err)
	return g.store.Groups(ctx, account, limit)
}

func (g guardedStore) Tags(ctx context.Context, account AccountID, limit int) (_ []string, err error) {
	defer g.end(ctx, "Tags", g.observer.begin(), &err)
	return g.store.Tags(ctx, account, limit)
}

func (g guardedStore) DeletedLinks(ctx context.Context, before time.Time, limit int) (_ []int64, err error) {
	defer g.end(ctx, "DeletedLinks", g.observer.begin(), &err)
	return g.store.DeletedLinks(ctx, before, limit)
}

func (g guardedStore) PurgeLink(ctx context.Context, id int64, freePaths bool) (err error) {
	defer g.end(ctx, "PurgeLink", g.observer.begin(), &err)
	return g.store.PurgeLink(ctx, id, freePaths)
}

func (g guardedStore) ReserveClicks(ctx context.Context, r Reservation) (granted int, err error) {
	defer g.end(ctx, "ReserveClicks", g.observer.begin(), &err)
	return g.store.ReserveClicks(ctx, r)
}

func (g guardedStore) AppendClicks(ctx context.Context, b Batch) (err error) {
	defer g.end(ctx, "AppendClicks", g.observer.begin(), &err)
	return g.store.AppendClicks(ctx, b)
}

func (g guardedStore) ApplyClicks(ctx context.Context, zone *time.Location, daySince time.Time) (_ LogSize, err error) {
	defer g.end(ctx, "ApplyClicks", g.observer.begin(), &err)
	return g.store.ApplyClicks(ctx, zone, daySince)
}

func (g guardedStore) RequeueClicks(ctx context.Context) (clicks int64, err error) {
	defer g.end(ctx, "RequeueClicks", g.observer.begin(), &err)
	return g.store.RequeueClicks(ctx)
}

func (g guardedStore) Rollups(ctx context.Context, of RollupOf, first, last Day) (_ []Rollup, err error) {
	defer g.end(ctx, "Rollups", g.observer.begin(), &err)
	return g.store.Rollups(ctx, of, first, last)
}

func (g guardedStore) PruneClicks(ctx context.Context, before time.Time) (err error) {
	defer g.end(ctx, "PruneClicks", g.observer.begin(), &err)
	return g.store.PruneClicks(ctx, before)
}

func (g guardedStore) Clicks(ctx context.Context, q ClickFilter) (_ []Click, err error) {
	defer g.end(ctx, "Clicks", g.observer.begin(), &err)
	return g.store.Clicks(ctx, q)
}

func (g guardedStore) LeaseAlert(ctx context.Context, now, until time.Time) (_ PendingAlert, err error) {
	defer g.end(ctx, "LeaseAlert", g.observer.begin(), &err)
	return g.store.LeaseAlert(ctx, now, until)
}

func (g guardedStore) FinishAlert(ctx context.Context, id AlertID) (err error) {
	defer g.end(ctx, "FinishAlert", g.observer.begin(), &err)
	return g.store.FinishAlert(ctx, id)
}

func (g guardedStore) PostponeAlert(ctx context.Context, id AlertID, next time.Time) (err error) {
	defer g.end(ctx, "PostponeAlert", g.observer.begin(), &err)
	return g.store.PostponeAlert(ctx, id, next)
}

func (g guardedStore) LinkByClick(ctx context.Context, click ClickRef) (_ Link, err error) {
	defer g.end(ctx, "LinkByClick", g.observer.begin(), &err)
	return g.store.LinkByClick(ctx, click)
}

func (g guardedStore) RecordConversion(ctx context.Context, c Conversion, zone *time.Location) (counted bool, err error) {
	defer g.end(ctx, "RecordConversion", g.observer.begin(), &err)
	return g.store.RecordConversion(ctx, c, zone)
}
