package journal

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func links(from, to int64) []linktrack.Click {
	var c []linktrack.Click
	for n := from; n < to; n++ {
		c = append(c, linktrack.Click{Link: n})
	}
	return c
}

// A life is what a journal went through: which clicks it promised to keep, and
// which batches came to the store.
type life struct {
	kept   map[int64]bool // clicks that were appended
	trying map[int64]bool // clicks of the Append under way
	stored map[int64]int
	seq    int64
}

func newLife() *life {
	return &life{kept: map[int64]bool{}, trying: map[int64]bool{}, stored: map[int64]int{}}
}

func (l *life) copy() *life {
	return &life{kept: maps.Clone(l.kept), trying: maps.Clone(l.trying), stored: maps.Clone(l.stored), seq: l.seq}
}

func (l *life) append(j *Journal, from, to int64) {
	for n := from; n < to; n++ {
		l.trying[n] = true
	}
	err := j.Append(links(from, to))
	for n := from; n < to; n++ {
		delete(l.trying, n)
		if err == nil {
			l.kept[n] = true
		}
	}
}

func (l *life) store(b linktrack.Batch) {
	if b.Seq <= l.seq {
		return
	}
	l.seq = b.Seq
	for _, c := range b.Clicks {
		l.stored[c.Link]++
	}
}

// drain stores batches until an error or the end.
func (l *life) drain(j *Journal, limit int) error {
	for {
		b, err := j.Next(limit)
		if err != nil || len(b.Clicks) == 0 {
			return err
		}
		l.store(b)
		if err := j.Done(); err != nil {
			return err
		}
	}
}

// live calls the journal's methods at random. It goes on after an error, as the recorder does.
func (l *life) live(j *Journal) {
	l.append(j, 0, 10)
	l.append(j, 10, 20)
	one := func() {
		if b, err := j.Next(7); err == nil && len(b.Clicks) > 0 {
			l.store(b)
			_ = j.Done()
		}
	}
	one()
	l.append(j, 20, 30)
	one()
	if _, err := j.Next(7); err == nil { // a batch that the store rejects
		_ = j.Quarantine()
	}
	l.append(j, 30, 40)
	one()
	if _, err := j.Next(3); err == nil {
		if j.Quarantine() != nil {
			_ = j.Quarantine()
		}
	}
	l.append(j, 40, 50)
	_, _ = j.Requeue()
	one()
	l.append(j, 50, 60)
	one()
}

// end brings all to the store and says whether each click came once.
func (l *life) end(t *testing.T, dir string) {
	t.Helper()
	j, err := OpenUnsynced(dir, Options{Logger: discarded})
	require.NoError(t, err)
	require.NoError(t, l.drain(j, 11))
	_, err = j.Requeue()
	require.NoError(t, err)
	require.NoError(t, l.drain(j, 11))
	require.Zero(t, j.Size().Clicks+j.Size().Quarantined)
	require.NoError(t, j.Close())
	for n := range l.kept {
		require.Equal(t, 1, l.stored[n], "click %d", n)
	}
	for n, times := range l.stored {
		require.True(t, l.kept[n] || l.trying[n], "click %d, whose Append failed", n)
		require.Equal(t, 1, times, "click %d", n)
	}
	names, err := filepath.Glob(filepath.Join(dir, "journal.damaged-*"))
	require.NoError(t, err)
	require.Empty(t, names)
}
