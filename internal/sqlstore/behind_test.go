package sqlstore

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A node that lags behind must not take one connection after the other.
func TestCallersThatWaitForOtherNodesShareOneStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b behind
		statements, at := 0, time.Now()
		run := func() (bool, time.Duration) {
			statements++
			time.Sleep(time.Second)
			return true, 0
		}
		first := b.join(run)
		time.Sleep(100 * time.Millisecond)
		second := b.join(run)
		require.NotSame(t, first, second, "the statement that runs began before the call")
		for range 100 {
			require.Same(t, second, b.join(run))
		}
		<-first.done
		require.Equal(t, time.Second, time.Since(at))
		<-second.done
		require.Equal(t, 2*time.Second, time.Since(at))
		require.True(t, first.caughtUp && second.caughtUp)
		synctest.Wait()
		require.Equal(t, 2, statements)

		lagging := b.join(func() (bool, time.Duration) { time.Sleep(time.Second); return false, behindPause })
		time.Sleep(100 * time.Millisecond)
		next := b.join(run)
		<-next.done
		require.False(t, lagging.caughtUp || next.caughtUp)
		require.Equal(t, 2, statements, "nobody waits for a node that lags behind")
		require.Nil(t, b.join(run))
		time.Sleep(behindPause)
		require.NotNil(t, b.join(run))
		time.Sleep(time.Minute)
	})
}
