package linktrack

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A roller has the store finish what it put off, a second after the first click
// that was stored since it last did.
type roller struct {
	store ClickStore
	log   *slog.Logger

	waits   atomic.Bool
	failing atomic.Bool
}

const rollAfter = time.Second

// soon says that clicks were stored.
func (r *roller) soon() {
	if !r.waits.Load() && r.waits.CompareAndSwap(false, true) {
		time.AfterFunc(rollAfter, r.run)
	}
}

func (r *roller) run() {
	r.waits.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	err := r.store.RollUp(ctx, daySince(now()))
	switch failing := r.failing.Swap(err != nil); {
	case err != nil:
		if !failing {
			r.log.Error("linktrack: the store's roll-ups fall behind; they are tried again", "error", err)
		}
		r.soon()
	case failing:
		r.log.Info("linktrack: the store's roll-ups are up to date again")
	}
}
