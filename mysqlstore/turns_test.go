package mysqlstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadersShareRollUpsThatBeginAfterTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ts sharedFlight
		var runs atomic.Int64
		rollUp := func(ctx context.Context, hour int64) (int64, error) {
			runs.Add(1)
			time.Sleep(time.Second)
			return hour, nil
		}
		var all sync.WaitGroup
		for i := range int64(100) {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 30 * time.Millisecond)
				came := time.Now()
				from, err := ts.do(t.Context(), i, rollUp)
				if err != nil || from < i {
					t.Errorf("reader %d: from %d, %v", i, from, err)
				}
				// A roll-up takes a second, so who had less saw one that began before.
				if took := time.Since(came); took < time.Second || took > 2*time.Second {
					t.Errorf("reader %d waited %v", i, took)
				}
			})
		}
		all.Wait()
		if n := runs.Load(); n > 5 {
			t.Errorf("%d roll-ups for 100 readers in three seconds, each of a second", n)
		}
	})
}

func TestAReaderWhoGoesAwayTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ts sharedFlight
		gone, leave := context.WithCancel(t.Context())
		rollUp := func(ctx context.Context, hour int64) (int64, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(time.Second):
				return hour, nil
			}
		}
		go ts.do(t.Context(), 1, rollUp)
		synctest.Wait()
		go ts.do(gone, 2, rollUp) // whose turn is next
		synctest.Wait()
		var all sync.WaitGroup
		all.Go(func() {
			if from, err := ts.do(t.Context(), 3, rollUp); from != 3 || err != nil {
				t.Errorf("from %d, %v", from, err)
			}
		})
		time.Sleep(1500 * time.Millisecond)
		leave()
		all.Wait()
		if from, err := ts.do(t.Context(), 4, rollUp); from != 4 || err != nil {
			t.Errorf("from %d, %v", from, err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		go ts.do(t.Context(), 5, rollUp)
		synctest.Wait()
		if _, err := ts.do(ended, 6, rollUp); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}
