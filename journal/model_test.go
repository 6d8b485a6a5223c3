package journal_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
)

func TestManyAppendersAndADrainerLoseNothing(t *testing.T) {
	for name, o := range map[string]journal.Options{"with fsync": {}, "left to the system": quiet} {
		t.Run(name, func(t *testing.T) {
			const appenders, each = 16, 200
			j := open(t, t.TempDir(), o)
			var all sync.WaitGroup
			for a := range appenders {
				all.Go(func() {
					for i := range each {
						n := a*each + i
						assert.NoError(t, j.Append(numbered(n, n+1)))
						j.Size()
					}
				})
			}
			last := make([]int64, appenders)
			for i := range last {
				last[i] = int64(i*each) - 1
			}
			for got := 0; got < appenders*each; {
				b := next(t, j, 1+rand.IntN(200))
				for _, c := range b.Clicks {
					a := c.Link / each
					require.Equal(t, last[a]+1, c.Link, "in the order in which it was appended")
					last[a] = c.Link
				}
				got += len(b.Clicks)
				if len(b.Clicks) > 0 {
					require.NoError(t, j.Done())
				}
			}
			all.Wait()
			require.Zero(t, j.Size().Clicks)
		})
	}
}

func TestAnythingMayHappenInAnyOrder(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 1))
		o := journal.Options{OSBuffered: seed > 0, Logger: quiet.Logger}
		dir := t.TempDir()
		j := open(t, dir, o)
		var waiting, flight, done, quarantined []linktrack.Click
		var reported bool // the journal was told that done is done
		var safe []byte   // the position without that, which a loss of power may leave
		written := func() {
			if reported {
				done, reported = nil, false
			}
		}
		end := func() {
			if !reported {
				var err error
				safe, err = os.ReadFile(filepath.Join(dir, "journal.position"))
				require.NoError(t, err)
			}
			require.NoError(t, j.Done())
			reported = true
		}
		var seq int64
		in, out := 0, 0
		for range 300 {
			switch random.IntN(10) {
			default:
				c := numbered(in, in+1+random.IntN(60))
				in += len(c)
				require.NoError(t, j.Append(c))
				waiting = append(waiting, c...)
			case 4, 5:
				b := next(t, j, 1+random.IntN(150))
				switch {
				case done != nil && !reported:
					require.True(t, slices.Equal(done, b.Clicks), "a crash undid Done")
					require.Equal(t, seq, b.Seq)
					end()
					continue
				case flight == nil && len(waiting) == 0:
					require.Empty(t, b.Clicks)
					continue
				case flight == nil:
					require.NotEmpty(t, b.Clicks)
					require.LessOrEqual(t, len(b.Clicks), len(waiting))
					require.Greater(t, b.Seq, seq)
					flight, waiting = waiting[:len(b.Clicks):len(b.Clicks)], waiting[len(b.Clicks):]
					seq = b.Seq
					written()
				}
				require.True(t, slices.Equal(flight, b.Clicks), "the batch that was composed")
				require.Equal(t, seq, b.Seq)
				switch random.IntN(3) {
				case 0:
					require.NoError(t, j.Quarantine())
					quarantined, flight = append(quarantined, flight...), nil
				case 1:
					end()
					out += len(flight)
					done, flight = flight, nil
				}
			case 6:
				if random.IntN(4) == 0 {
					n, err := j.Requeue()
					require.NoError(t, err)
					require.Equal(t, len(quarantined), n)
					waiting, quarantined = append(waiting, quarantined...), nil
					written()
				}
			case 7:
				j = reopen(t, j, dir, o)
				written()
			case 8:
				j, dir = crash(t, dir, o)
				written()
			case 9: // a loss of power
				dir = copied(t, dir)
				if reported {
					require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.position"), safe, 0o600))
					reported = false
				}
				j = open(t, dir, o)
			}
		}
		require.Equal(t, int64(len(quarantined)), j.Size().Quarantined)
		require.Equal(t, in, len(waiting)+len(flight)+len(quarantined)+out)
	}
}
