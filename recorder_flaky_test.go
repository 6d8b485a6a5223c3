package linktrack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/linktrackhq/linktrack"
)

var errDown = errors.New("dial tcp 192.0.2.9:3306: connection refused")

// A flaky store fails, hangs or loses its answers on demand.
type flaky struct {
	linktrack.Store
	down    atomic.Bool // every call fails
	lost    atomic.Bool // RecordClicks works and answers an error
	hang    atomic.Bool // every call waits for the end of its context
	panics  atomic.Bool // RecordClicks and ReserveClicks panic
	blind   atomic.Bool // LinkByPath panics
	rejects atomic.Bool // RecordClicks rejects a batch with a click whose query is "poison"
	lookups atomic.Int64

	mu      sync.Mutex
	batches []linktrack.Batch // as they came to RecordClicks
	gate    chan struct{}     // if not nil, RecordClicks waits for it
}

func (f *flaky) fail(ctx context.Context) error {
	if f.hang.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.down.Load() {
		return errDown
	}
	return nil
}

func (f *flaky) RecordClicks(ctx context.Context, b linktrack.Batch) error {
	kept := b
	kept.Clicks = append([]linktrack.Click(nil), b.Clicks...)
	f.mu.Lock()
	f.batches = append(f.batches, kept)
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if f.panics.Load() {
		panic("a bug of the store's")
	}
	if err := f.fail(ctx); err != nil {
		return err
	}
	for _, c := range b.Clicks {
		if f.rejects.Load() && c.Query == "poison" {
			return fmt.Errorf("%w: it is poison", linktrack.ErrRejected)
		}
	}
	err := f.Store.RecordClicks(ctx, b)
	if err == nil && f.lost.Load() {
		return errDown
	}
	return err
}

func (f *flaky) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	f.lookups.Add(1)
	if f.blind.Load() {
		panic("a bug of the store's")
	}
	if err := f.fail(ctx); err != nil {
		return linktrack.Link{}, err
	}
	return f.Store.LinkByPath(ctx, host, key)
}

func (f *flaky) ReserveClicks(ctx context.Context, link int64, n int) (int, error) {
	if f.panics.Load() {
		panic("a bug of the store's")
	}
	if err := f.fail(ctx); err != nil {
		return 0, err
	}
	return f.Store.ReserveClicks(ctx, link, n)
}

func (f *flaky) Links(ctx context.Context, q linktrack.LinkFilter) ([]linktrack.Link, error) {
	if err := f.fail(ctx); err != nil {
		return nil, err
	}
	return f.Store.Links(ctx, q)
}

func (f *flaky) CreateLink(ctx context.Context, l linktrack.Link) (linktrack.Link, error) {
	if err := f.fail(ctx); err != nil {
		return linktrack.Link{}, err
	}
	return f.Store.CreateLink(ctx, l)
}

func (f *flaky) AccountByLogin(ctx context.Context, login string) (linktrack.Account, error) {
	if err := f.fail(ctx); err != nil {
		return linktrack.Account{}, err
	}
	return f.Store.AccountByLogin(ctx, login)
}

// A logBuffer is what a logger may write to while a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
