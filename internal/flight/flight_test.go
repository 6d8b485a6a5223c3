package flight

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallersShareRunsThatBeginAfterTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		g := Group{Run: func() error {
			runs.Add(1)
			time.Sleep(time.Second)
			return nil
		}}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 30 * time.Millisecond)
				came := time.Now()
				assert.NoError(t, g.Do(t.Context()))
				// A run takes a second. A shorter wait was for a run that began before.
				assert.WithinRange(t, time.Now(), came.Add(time.Second), came.Add(2*time.Second))
			})
		}
		all.Wait()
		require.LessOrEqual(t, runs.Load(), int64(5), "for 100 callers in three seconds")
	})
}

func TestACallerThatGoesAwayEndsNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("it failed")
		g := Group{Run: func() error { time.Sleep(time.Second); return failure }}
		go g.Do(t.Context())
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- g.Do(gone) }()
		stayed := make(chan error)
		go func() { stayed <- g.Do(t.Context()) }()
		synctest.Wait()
		leave()
		require.ErrorIs(t, <-left, context.Canceled)
		require.Equal(t, failure, <-stayed)
	})
}

func TestCallersMayComeWhileWaitEnds(t *testing.T) {
	for range 200 {
		g := Group{Run: func() error { return nil }}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { assert.NoError(t, g.Do(t.Context())) })
			all.Go(func() { g.Wait(t.Context()) })
		}
		all.Wait()
		g.Wait(t.Context())
		require.Nil(t, g.running)
	}
}
