package linktrack

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A gate is a ClickStore that answers ReserveClicks when it is told to.
type gate struct {
	ClickStore
	mu    sync.Mutex
	calls []*storeCall
}

type storeCall struct {
	link    int64
	n       int
	seq     int64
	granted int
	err     error
	ready   chan struct{}
}

func (g *gate) ReserveClicks(ctx context.Context, q Reservation) (int, error) {
	r := &storeCall{link: q.Link, n: q.People, seq: q.Seq, ready: make(chan struct{})}
	g.mu.Lock()
	g.calls = append(g.calls, r)
	g.mu.Unlock()
	select {
	case <-r.ready:
		return r.granted, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// answer answers a call, the first is 0, and lets all that follows from it
// happen.
func (g *gate) answer(call, granted int, err error) {
	g.mu.Lock()
	r := g.calls[call]
	g.mu.Unlock()
	r.granted, r.err = granted, err
	close(r.ready)
	synctest.Wait()
}

// again waits until the store is asked again, and answers that call.
func (g *gate) again(call, granted int, err error) {
	time.Sleep(reserveTries * reservePause) // by the bubble's clock
	synctest.Wait()
	g.answer(call, granted, err)
}

// asked is for how many people each call was.
func (g *gate) asked() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	var n []int
	for _, r := range g.calls {
		n = append(n, r.n)
	}
	return n
}

// A caller is one who wants to pass.
type caller struct {
	returned, passed bool
	err              error
}

// come lets n callers come to the link, one behind the other.
func come(ts *reserver, link int64, n int) []*caller {
	callers := make([]*caller, n)
	for i := range callers {
		c := new(caller)
		callers[i] = c
		go func() {
			c.passed, c.err = ts.reserve(link)
			c.returned = true
		}()
		synctest.Wait()
	}
	return callers
}

func TestCallersWhoWaitForTheSameLinkAreCombined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		callers := come(ts, 7, 100)
		require.Equal(t, []int{1}, g.asked(), "the others wait while a call is under way")
		g.answer(0, 1, nil)
		require.Equal(t, []int{1, 99}, g.asked(), "and are one call together")
		late := come(ts, 7, 1)
		g.answer(1, 99, nil)
		require.Equal(t, []int{1, 99, 1}, g.asked(), "who comes later is not counted into a call that was made")
		g.answer(2, 1, nil)
		for _, c := range append(callers, late...) {
			require.Equal(t, caller{returned: true, passed: true}, *c)
		}
		require.Empty(t, ts.links, "nothing is kept of a link that nobody waits for")
	})
}

func TestThoseWhoCameFirstPassFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		callers := come(ts, 7, 11)
		g.answer(0, 1, nil)
		g.answer(1, 4, nil)
		for i, c := range callers {
			require.Equal(t, caller{returned: true, passed: i < 5}, *c, "caller %d", i)
		}
		refused := come(ts, 7, 1)
		g.answer(2, 0, nil)
		require.Equal(t, caller{returned: true}, *refused[0])
	})
}

func TestAnErrorReachesAllOfItsRoundAndOnlyThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		down := errors.New("down")
		first := come(ts, 7, 1)
		second := come(ts, 7, 5)
		g.answer(0, 1, nil)
		third := come(ts, 7, 3)
		g.answer(1, 0, down)
		g.again(2, 0, down)
		require.False(t, second[0].returned, "the store is asked three times")
		g.again(3, 0, down)
		g.answer(4, 3, nil)
		require.Equal(t, caller{returned: true, passed: true}, *first[0])
		for _, c := range second {
			require.Equal(t, caller{returned: true, err: down}, *c)
		}
		for _, c := range third {
			require.Equal(t, caller{returned: true, passed: true}, *c)
		}
	})
}

func TestDifferentLinksDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		slow := come(ts, 7, 3)
		other := come(ts, 8, 1)
		require.Equal(t, []int{1, 1}, g.asked())
		g.answer(1, 1, nil)
		require.Equal(t, caller{returned: true, passed: true}, *other[0])
		require.False(t, slow[0].returned)
		g.answer(0, 1, nil)
		g.answer(2, 2, nil)
		for _, c := range slow {
			require.Equal(t, caller{returned: true, passed: true}, *c)
		}
	})
}

func TestAStoreThatHangsHoldsNobodyForMoreThanTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newReserver(new(gate))
		callers := come(ts, 7, 10)
		time.Sleep(2 * reserveTimeout) // by the bubble's clock
		synctest.Wait()
		for i, c := range callers {
			require.True(t, c.returned, "caller %d", i)
			require.ErrorIs(t, c.err, context.DeadlineExceeded)
			require.False(t, c.passed)
		}
		require.Zero(t, ts.links[7].waiting)
	})
}

func TestTheNextVisitorsGetWhatWasGrantedWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		lost := come(ts, 7, 1)
		second := come(ts, 7, 5)
		time.Sleep(reserveTimeout) // by the bubble's clock
		synctest.Wait()
		require.ErrorIs(t, lost[0].err, context.DeadlineExceeded)
		require.Equal(t, []int{1, 5}, g.asked())
		require.Equal(t, g.calls[0].seq, g.calls[1].seq, "the same reservation again")
		g.answer(1, 1, nil)
		require.Equal(t, []int{1, 5, 4}, g.asked(), "one was granted for the first one, and the others ask for themselves")
		require.Greater(t, g.calls[2].seq, g.calls[1].seq)
		g.answer(2, 3, nil)
		for i, c := range second {
			require.Equal(t, caller{returned: true, passed: i < 4}, *c, "caller %d", i)
		}
		require.Empty(t, ts.links)
	})
}

func TestWhatWasGrantedForManyIsUsedByOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		come(ts, 7, 1)
		come(ts, 7, 3)
		g.answer(0, 1, nil)
		time.Sleep(reserveTimeout)
		synctest.Wait()
		require.Equal(t, []int{1, 3}, g.asked())
		for i := range 3 {
			require.True(t, ts.mayHold(7))
			c := come(ts, 7, 1)
			require.Equal(t, g.calls[1].seq, g.calls[2+i].seq, "the store is asked each time, because the link may have been edited")
			g.answer(2+i, 3, nil)
			require.Equal(t, caller{returned: true, passed: true}, *c[0])
		}
		require.False(t, ts.mayHold(7))
		c := come(ts, 7, 1)
		require.Greater(t, g.calls[5].seq, g.calls[1].seq)
		g.answer(5, 0, nil)
		require.Equal(t, caller{returned: true}, *c[0])
		require.Empty(t, ts.links)
	})
}

func TestFewerPassIfTheLimitIsLoweredAfterAnAnswerWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		come(ts, 7, 1)
		come(ts, 7, 3)
		g.answer(0, 1, nil)
		time.Sleep(reserveTimeout)
		synctest.Wait()
		first := come(ts, 7, 1)
		g.answer(2, 3, nil)
		require.True(t, first[0].passed)
		second := come(ts, 7, 1)
		g.answer(3, 1, nil)
		require.False(t, second[0].returned, "the one was used")
		g.answer(4, 0, nil)
		require.Equal(t, caller{returned: true}, *second[0])
		require.False(t, ts.mayHold(7))
	})
}

func TestACallThatIsUnderWayHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(gate)
		ts := newReserver(g)
		come(ts, 7, 1)
		require.False(t, ts.mayHold(7), "else visitors of a link that is used up would all ask the store")
		g.answer(0, 0, nil)
	})
}

func TestOpenReservationsAreBoundedAndEndAfterSomeHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newReserver(failing{})
		for link := range int64(maxOpen + 100) {
			l := ts.enter(link)
			ts.begin(l)
			ts.end(l, true)
			ts.leave(l, []*reservation{{done: make(chan struct{})}}, false, nil)
		}
		require.Len(t, ts.links, maxOpen)
		require.Equal(t, maxOpen, ts.open)
		link := int64(maxOpen + 99)
		seq := ts.links[link].open.seq
		_, err := ts.reserve(link)
		require.ErrorIs(t, err, errPanic)
		require.Equal(t, seq, ts.links[link].open.seq)
		time.Sleep(openLife)
		_, err = ts.reserve(link)
		require.ErrorIs(t, err, errPanic)
		require.Greater(t, ts.links[link].open.seq, seq, "a store need not know it any more")
		require.Equal(t, maxOpen, ts.open)
	})
}

// failing is a store that fails at once.
type failing struct{ ClickStore }

func (failing) ReserveClicks(context.Context, Reservation) (int, error) { return 0, errPanic }
