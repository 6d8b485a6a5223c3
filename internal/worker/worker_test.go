package worker_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/worker"
)

// steps returns a step function that does as many steps as are left, and counts
// them.
func steps(left, done *atomic.Int64, pause time.Duration) func(context.Context) (time.Duration, bool) {
	return func(context.Context) (time.Duration, bool) {
		if left.Load() == 0 {
			return 0, false
		}
		left.Add(-1)
		done.Add(1)
		return pause, true
	}
}

func TestAWorkerWorksOnceItIsWokenUntilNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left, done atomic.Int64
		left.Store(5)
		w := worker.New(worker.Options{}, steps(&left, &done, 0))
		synctest.Wait()
		require.Zero(t, done.Load())
		w.Wake()
		synctest.Wait()
		require.EqualValues(t, 5, done.Load())
		left.Store(2)
		synctest.Wait()
		require.EqualValues(t, 5, done.Load(), "it sleeps until it is woken")
		w.Wake()
		synctest.Wait()
		require.EqualValues(t, 7, done.Load())
	})
}

func TestAWakeDuringAStepIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		w := worker.New(worker.Options{}, func(context.Context) (time.Duration, bool) {
			calls.Add(1)
			time.Sleep(time.Second)
			return 0, false
		})
		w.Wake()
		synctest.Wait()
		w.Wake()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 2, calls.Load())
	})
}

func TestAWakeDoesNotShortenThePauseBeforeAnotherTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left, done atomic.Int64
		left.Store(2)
		w := worker.New(worker.Options{}, steps(&left, &done, time.Minute))
		w.Wake()
		synctest.Wait()
		w.Wake()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, done.Load())
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.EqualValues(t, 2, done.Load())
	})
}

func TestDelayGathersAndPollWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		w := worker.New(worker.Options{Delay: time.Second, Poll: time.Minute}, func(context.Context) (time.Duration, bool) {
			calls.Add(1)
			return 0, false
		})
		w.Wake()
		w.Wake()
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		require.Zero(t, calls.Load())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, calls.Load(), "both wakes are worth one step")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.EqualValues(t, 3, calls.Load(), "a minute after the first, and once more")
		w.Stop(t.Context())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.EqualValues(t, 3, calls.Load())
	})
}

func TestAWakeAtTheEndOfAStepIsNotLost(t *testing.T) {
	var left, done atomic.Int64
	w := worker.New(worker.Options{}, steps(&left, &done, 0))
	for i := range int64(10_000) {
		left.Add(1)
		w.Wake()
		if i%100 == 0 {
			for done.Load() <= i {
				runtime.Gosched()
			}
		}
	}
	w.Finish(t.Context())
	require.EqualValues(t, 10_000, done.Load())
}

func TestFinishDoesAllWorkWithoutLongPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left, done atomic.Int64
		left.Store(5)
		w := worker.New(worker.Options{Delay: time.Hour}, steps(&left, &done, time.Hour))
		w.Wake()
		synctest.Wait()
		began := time.Now()
		w.Finish(t.Context())
		require.EqualValues(t, 5, done.Load())
		require.Less(t, time.Since(began), 10*worker.FinishPause)
		w.Finish(t.Context())
		left.Store(1)
		w.Wake()
		synctest.Wait()
		require.EqualValues(t, 5, done.Load(), "a worker that has finished does nothing more")
	})
}

func TestFinishGivesUpWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		w := worker.New(worker.Options{}, func(ctx context.Context) (time.Duration, bool) {
			<-ctx.Done()
			ended = ctx.Err()
			return 0, true
		})
		w.Wake()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w.Finish(ctx)
		synctest.Wait()
		require.ErrorIs(t, ended, context.Canceled)
	})
}

func TestStopWaitsForTheStepUnderWayAndBeginsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		w := worker.New(worker.Options{}, func(ctx context.Context) (time.Duration, bool) {
			calls.Add(1)
			time.Sleep(time.Second)
			return 0, ctx.Err() == nil
		})
		w.Wake()
		synctest.Wait()
		w.Stop(t.Context())
		require.EqualValues(t, 1, calls.Load())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, calls.Load())
	})
}

func TestAWorkerIsWokenAfterATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		w := worker.New(worker.Options{}, func(context.Context) (time.Duration, bool) {
			calls.Add(1)
			return 0, false
		})
		w.WakeAfter(time.Minute)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, calls.Load())
	})
}
