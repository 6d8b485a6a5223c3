package linktrack

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/groupcommit"
)

// A reserver asks the store whether visitors may pass links that have a limit. It
// combines the visitors who wait for the same link into one call, so that a busy
// link has one call under way at a time.
//
// If the store does not answer, it may have granted something. So the reservation stays
// open: the next call for the link repeats it, and its visitors get what was granted.
// If the process ends before that, the open reservations are lost: for each link, one at most.
type reserver struct {
	store  ClickStore
	source Source
	mu     sync.Mutex
	seq    int64                   // of the last reservation
	links  map[int64]*reservedLink // those with visitors who wait or an open reservation
	open   int                     // how many of them have an open reservation
}

// A reservedLink is a link with a limit. Its fields are guarded by the reserver's mu.
type reservedLink struct {
	id      int64
	group   groupcommit.Group[*reservation]
	waiting int              // visitors who have no answer yet
	open    *openReservation // nil: none. While a call is under way, only that call changes it.
}

// An openReservation is one of which something may be granted that nobody has used.
type openReservation struct {
	seq   int64
	used  int // how many passed because of it
	begun time.Time
	kept  bool // a call has left it open
}

// A reservation is the place of one visitor in a call.
type reservation struct {
	done    chan struct{} // closed when the next two are set
	granted bool
	err     error
}

const (
	reserveTimeout = time.Second            // of one call, with its repetitions
	reserveWait    = 5 * reserveTimeout / 2 // of a visitor: for the call under way and the next one
	reserveTries   = 3                      // in one call
	reservePause   = 50 * time.Millisecond  // at most before the second try, and twice that before the third

	maxOpen  = 10_000         // links with an open reservation
	openLife = 12 * time.Hour // stores keep the answer for a day
)

func newReserver(store ClickStore) *reserver {
	r := &reserver{store: store, links: make(map[int64]*reservedLink)}
	crand.Read(r.source[:])
	return r
}

// reserve reports whether one more visitor may pass. An error means that the store
// did not say.
func (r *reserver) reserve(link int64) (bool, error) {
	one := &reservation{done: make(chan struct{})}
	r.enter(link).group.Do(one, reserveWait)
	select {
	case <-one.done:
		return one.granted, one.err
	default:
		return false, errReserveTimeout
	}
}

var errReserveTimeout = errors.New("the store did not answer in time whether one more may pass")

// mayHold reports whether the store may have granted something for the link that nobody has
// used. Then visitors may pass, also if the link is used up.
func (r *reserver) mayHold(link int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.links[link]
	return l != nil && l.open != nil && l.open.kept
}

// enter counts a visitor who waits. The link stays in links until all of them have an
// answer, so two calls for a link are never under way at the same time.
func (r *reserver) enter(link int64) *reservedLink {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.links[link]
	if !ok {
		l = &reservedLink{id: link}
		l.group.Commit = func(reservations []*reservation) { r.call(l, reservations) }
		r.links[link] = l
	}
	l.waiting++
	return l
}

// leave answers visitors.
func (r *reserver) leave(l *reservedLink, some []*reservation, granted bool, err error) {
	for _, one := range some {
		one.granted, one.err = granted, err
		close(one.done)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.waiting -= len(some); l.waiting == 0 && l.open == nil {
		delete(r.links, l.id)
	}
}

// call asks the store for all reservations. The first ones are granted first.
func (r *reserver) call(l *reservedLink, waiting []*reservation) {
	ctx, cancel := context.WithTimeout(context.Background(), reserveTimeout)
	defer cancel()
	for {
		open, isNew := r.begin(l)
		granted, err := r.ask(ctx, l.id, open.seq, len(waiting))
		some := max(0, min(granted-open.used, len(waiting)))
		open.used += some
		r.end(l, err != nil && !errors.Is(err, ErrNotFound) || granted > open.used)
		r.leave(l, waiting[:some], true, nil)
		if waiting = waiting[some:]; len(waiting) == 0 {
			return
		}
		if err != nil || isNew {
			r.leave(l, waiting, false, err)
			return
		}
	}
}

// ask makes a reservation, and repeats it while the store fails.
func (r *reserver) ask(ctx context.Context, link, seq int64, people int) (granted int, err error) {
	for try := 1; ; try++ {
		granted, err = r.store.ReserveClicks(ctx, Reservation{Link: link, People: people, Source: r.source, Seq: seq, Time: now()})
		if err == nil || errors.Is(err, ErrNotFound) || try == reserveTries {
			return granted, err
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * reservePause)):
		case <-ctx.Done():
			return 0, err
		}
	}
}

// begin returns the open reservation of the link. If there is none, it opens a new one.
func (r *reserver) begin(l *reservedLink) (open *openReservation, isNew bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.open != nil && time.Since(l.open.begun) < openLife {
		return l.open, false
	}
	if l.open == nil {
		r.makeRoom()
		r.open++
	}
	r.seq++
	l.open = &openReservation{seq: r.seq, begun: time.Now()}
	return l.open, true
}

// end is called when the store has answered or has failed. It keeps the reservation open or
// closes it.
func (r *reserver) end(l *reservedLink, keep bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if keep {
		l.open.kept = true
		return
	}
	l.open = nil
	r.open--
}

// makeRoom forgets an open reservation for which nobody waits, if there are too many.
func (r *reserver) makeRoom() {
	if r.open < maxOpen {
		return
	}
	for id, l := range r.links {
		if l.open != nil && l.waiting == 0 {
			delete(r.links, id)
			r.open--
			return
		}
	}
}
