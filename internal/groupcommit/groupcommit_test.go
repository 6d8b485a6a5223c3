package groupcommit_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/groupcommit"
)

func TestCallersWhoComeDuringACommitShareTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var commits [][]int
		idle := 0
		g := groupcommit.Group[int]{
			Commit: func(items []int) {
				commits = append(commits, append([]int(nil), items...))
				time.Sleep(time.Second)
			},
			Idle: func() { idle++ },
		}
		var callers sync.WaitGroup
		for i := range 4 {
			callers.Go(func() { g.Do(i, time.Minute) })
			synctest.Wait()
		}
		callers.Wait()
		synctest.Wait()
		require.Equal(t, [][]int{{0}, {1, 2, 3}}, commits)
		require.Equal(t, 1, idle)
	})
}

func TestACallerAloneCommitsOnItsOwnGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := false
		g := groupcommit.Group[int]{Commit: func([]int) { time.Sleep(time.Hour); done = true }}
		g.Do(1, time.Second)
		require.True(t, done, "it stays with its own commit however long that takes")
	})
}

func TestACallerGivesUpWaitingForACommitThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := groupcommit.Group[int]{Commit: func([]int) { time.Sleep(time.Hour) }, Detached: true}
		began := time.Now()
		g.Do(1, time.Second)
		require.Equal(t, time.Second, time.Since(began))
		time.Sleep(2 * time.Hour)
	})
}

func TestNoItemIsLostOrCommittedTwice(t *testing.T) {
	const callers, each = 16, 200
	var mu sync.Mutex
	seen := make(map[int]int)
	g := groupcommit.Group[int]{Commit: func(items []int) {
		mu.Lock()
		defer mu.Unlock()
		for _, i := range items {
			seen[i]++
		}
	}}
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				g.Do(c*each+i, time.Minute)
			}
		})
	}
	all.Wait()
	require.Len(t, seen, callers*each)
	for i, n := range seen {
		require.Equal(t, 1, n, "item %d", i)
	}
}

func TestWaitReturnsWhenTheCommitsUnderWayHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := groupcommit.Group[int]{Commit: func([]int) { time.Sleep(time.Minute) }, Detached: true}
		g.Wait(t.Context())
		began := time.Now()
		g.Do(1, time.Second) // gives up
		go g.Do(2, time.Second)
		synctest.Wait()
		g.Wait(t.Context())
		require.Equal(t, 2*time.Minute, time.Since(began))

		g.Do(3, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g.Wait(ctx)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		g.Wait(t.Context())
	})
}
