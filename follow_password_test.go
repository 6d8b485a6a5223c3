package linktrack

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/share"
)

func TestAFewPasswordsOfOneClientWaitForItsShareAndTheRestIsRefusedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		from               func(i int) string
		hash, wait, atOnce int
	}{
		"an address":        {func(int) string { return "192.0.2.1" }, 2, 16, 2},
		"the same network":  {func(int) string { return "2001:db8:1:1::" }, 2, 16, 2},
		"networks of a /48": {func(i int) string { return fmt.Sprintf("2001:db8:1:%x::", i) }, 4, 32, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPasswords()
				p.slots = make(chan struct{}, 8) // enough, so that the share alone counts
				var passed, refused, now, most atomic.Int64
				for i := range 100 {
					go func() {
						begun := time.Now()
						end, err := p.acquire(t.Context(), share.Of(c.from(i), hashesOfClient, hashesOfSite)...)
						if err != nil {
							assert.ErrorIs(t, err, ErrThrottled)
							assert.Zero(t, time.Since(begun), "it is refused at once")
							refused.Add(1)
							return
						}
						defer end()
						passed.Add(1)
						n := now.Add(1)
						for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
						}
						time.Sleep(50 * time.Millisecond) // the hash
						now.Add(-1)
					}()
				}
				synctest.Wait()
				end, err := p.acquire(t.Context(), share.Of("203.0.113.7", hashesOfClient, hashesOfSite)...)
				require.NoError(t, err, "another client has its own share")
				end()
				time.Sleep(3 * time.Second)
				require.Equal(t, []int64{int64(c.hash + c.wait), int64(100 - c.hash - c.wait), int64(c.atOnce)}, []int64{passed.Load(), refused.Load(), most.Load()})
				end, err = p.acquire(t.Context(), share.Of(c.from(0), hashesOfClient, hashesOfSite)...)
				require.NoError(t, err, "afterwards there is room again")
				end()
			})
		})
	}
}

func TestAPasswordWaitsForItsShareNoLongerThanTwoSecondsOrItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswords()
		p.slots = make(chan struct{}, 8)
		who := share.Of("192.0.2.1", hashesOfClient, hashesOfSite)
		for range hashesOfClient {
			end, err := p.acquire(t.Context(), who...)
			require.NoError(t, err)
			defer end()
		}
		begun := time.Now()
		for range 3 * hashesOfClient * waitForEach { // none leaves anything behind
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := p.acquire(ctx, who...)
			cancel()
			require.ErrorIs(t, err, ErrThrottled)
		}
		require.Equal(t, 3*hashesOfClient*waitForEach*time.Millisecond, time.Since(begun), "its request has ended")
		begun = time.Now()
		_, err := p.acquire(t.Context(), who...)
		require.ErrorIs(t, err, ErrThrottled)
		require.Equal(t, shareTimeout, time.Since(begun))
	})
}

func TestOneClientTakesNoMorePlacesThanItsShareWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswords()
		p.slots = make(chan struct{}, 1)
		for range 50 {
			go func() {
				if end, err := p.acquire(t.Context(), share.Of("192.0.2.1", hashesOfClient, hashesOfSite)...); err == nil {
					time.Sleep(50 * time.Millisecond)
					end()
				}
			}()
		}
		synctest.Wait()
		begun := time.Now()
		end, err := p.acquire(t.Context(), share.Of("203.0.113.7", hashesOfClient, hashesOfSite)...)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(begun), 100*time.Millisecond, "two hashes of the other client, and none of those that wait")
		end()
		time.Sleep(3 * time.Second)
	})
}
