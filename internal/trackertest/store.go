package trackertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack"
)

// ErrDown is what a [FaultyStore] fails with.
var ErrDown = errors.New("dial tcp 192.0.2.9:3306: connection refused")

// A FaultyStore passes calls on to its Store, and fails, hangs, waits, panics or
// loses answers as its fields say. The zero values of its fields change nothing.
// The atomic ones may change while it is used; the others must be set before.
// It has none of the optional abilities of its Store.
type FaultyStore struct {
	linktrack.Store

	// These hold for CreateLinks, Links, LinkByPath, KeyByLogin, ReserveClicks
	// and AppendClicks.
	Down atomic.Bool // they fail with ErrDown
	Hang atomic.Bool // they wait for the end of their context

	Panic         atomic.Bool // AppendClicks and ReserveClicks panic
	PanicOnLookup atomic.Bool // LinkByPath panics
	LoseAnswers   atomic.Bool // AppendClicks and ReserveClicks do their work, and fail with ErrDown
	HangAnswers   atomic.Bool // ReserveClicks does its work, and waits for the end of its context
	RejectPoison  atomic.Bool // AppendClicks rejects a batch with a click whose query is "poison"

	Gate  chan struct{}                       // if not nil, AppendClicks receives from it first
	Takes func(linktrack.Batch) time.Duration // if not nil, AppendClicks waits that long, or until its context ends

	Lookups atomic.Int64 // calls of LinkByPath

	Reads         atomic.Int64 // calls of Clicks
	LargestRead   atomic.Int64 // the highest Limit of them
	FailReadsFrom atomic.Int64 // if not 0, Clicks fails with ErrDown once Reads is that many

	mu      sync.Mutex
	batches []linktrack.Batch // guarded by mu
}

// Batches returns what AppendClicks was called with, in order.
func (f *FaultyStore) Batches() []linktrack.Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

func (f *FaultyStore) fail(ctx context.Context) error {
	if f.Hang.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.Down.Load() {
		return ErrDown
	}
	return nil
}

func (f *FaultyStore) AppendClicks(ctx context.Context, b linktrack.Batch) error {
	kept := b
	kept.Clicks = slices.Clone(b.Clicks)
	f.mu.Lock()
	f.batches = append(f.batches, kept)
	f.mu.Unlock()
	if f.Gate != nil {
		<-f.Gate
	}
	if f.Takes != nil {
		select {
		case <-time.After(f.Takes(b)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.Panic.Load() {
		panic("a bug of the store's")
	}
	if err := f.fail(ctx); err != nil {
		return err
	}
	if f.RejectPoison.Load() && slices.ContainsFunc(b.Clicks, func(c linktrack.Click) bool { return c.Query == "poison" }) {
		return fmt.Errorf("%w: it is poison", linktrack.ErrRejected)
	}
	err := f.Store.AppendClicks(ctx, b)
	if err == nil && f.LoseAnswers.Load() {
		return ErrDown
	}
	return err
}

func (f *FaultyStore) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	f.Lookups.Add(1)
	if f.PanicOnLookup.Load() {
		panic("a bug of the store's")
	}
	if err := f.fail(ctx); err != nil {
		return linktrack.Link{}, err
	}
	return f.Store.LinkByPath(ctx, host, key)
}

func (f *FaultyStore) Clicks(ctx context.Context, q linktrack.ClickFilter) ([]linktrack.Click, error) {
	f.LargestRead.Store(max(f.LargestRead.Load(), int64(q.Limit)))
	if n, from := f.Reads.Add(1), f.FailReadsFrom.Load(); from > 0 && n >= from {
		return nil, ErrDown
	}
	return f.Store.Clicks(ctx, q)
}

func (f *FaultyStore) ReserveClicks(ctx context.Context, r linktrack.Reservation) (int, error) {
	if f.Panic.Load() {
		panic("a bug of the store's")
	}
	if err := f.fail(ctx); err != nil {
		return 0, err
	}
	granted, err := f.Store.ReserveClicks(ctx, r)
	if err == nil && f.HangAnswers.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	if err == nil && f.LoseAnswers.Load() {
		return 0, ErrDown
	}
	return granted, err
}

// Reserve makes a reservation that is not repeated.
func Reserve(ctx context.Context, s linktrack.ClickStore, link int64, people int) (granted int, err error) {
	r := linktrack.Reservation{Link: link, People: people, Seq: 1, Time: time.Now()}
	rand.Read(r.Source[:])
	return s.ReserveClicks(ctx, r)
}

func (f *FaultyStore) Links(ctx context.Context, q linktrack.LinkFilter) ([]linktrack.Link, error) {
	if err := f.fail(ctx); err != nil {
		return nil, err
	}
	return f.Store.Links(ctx, q)
}

func (f *FaultyStore) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	if err := f.fail(ctx); err != nil {
		return nil, err
	}
	return f.Store.CreateLinks(ctx, links)
}

// CreateLink makes one link.
func CreateLink(ctx context.Context, s linktrack.LinkStore, l linktrack.Link) (linktrack.Link, error) {
	made, err := s.CreateLinks(ctx, []linktrack.Link{l})
	if err != nil {
		return linktrack.Link{}, err
	}
	return made[0], nil
}

func (f *FaultyStore) KeyByLogin(ctx context.Context, login string) (linktrack.Key, linktrack.Account, error) {
	if err := f.fail(ctx); err != nil {
		return linktrack.Key{}, linktrack.Account{}, err
	}
	return f.Store.KeyByLogin(ctx, login)
}
