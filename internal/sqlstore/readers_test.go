package sqlstore

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadersBeginWhenThereIsRoomAndEndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &readers{freed: make(chan struct{}, 1)}
		limit, now, most := 2, 0, 0
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				assert.NoError(t, r.begin(t.Context(), func() int { return limit }))
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				r.end()
			})
		}
		time.Sleep(500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, r.begin(ctx, func() int { return limit }), context.DeadlineExceeded)
		begun := time.Now()
		all.Wait()
		require.Equal(t, 2, most)
		require.Less(t, time.Since(begun), 26*time.Second)
	})
}
