package linktrack_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A memoryJournal is a journal as package journal's, but for the disk.
type memoryJournal struct {
	full   bool
	source linktrack.Source
	seq    int64
	sent   int // clicks in the batch that Next returned
	clicks []linktrack.Click
}

func (j *memoryJournal) Append(clicks []linktrack.Click) error {
	if j.full {
		return linktrack.ErrJournalFull
	}
	j.clicks = append(j.clicks, clicks...)
	return nil
}

func (j *memoryJournal) Next(most int) (linktrack.Batch, error) {
	if j.sent == 0 && len(j.clicks) > 0 {
		j.seq++
		j.sent = min(most, len(j.clicks))
	}
	clicks := append([]linktrack.Click(nil), j.clicks[:j.sent]...)
	return linktrack.Batch{Source: j.source, Seq: j.seq, Clicks: clicks}, nil
}

func (j *memoryJournal) Done() error {
	j.clicks, j.sent = j.clicks[j.sent:], 0
	return nil
}
func (j *memoryJournal) Quarantine() error     { return errors.ErrUnsupported }
func (j *memoryJournal) Requeue() (int, error) { return 0, nil }
func (j *memoryJournal) Size() linktrack.JournalSize {
	return linktrack.JournalSize{Clicks: int64(len(j.clicks)), Bytes: 1}
}

// lockedJournal is it, for many goroutines; time spent in it is the bubble's.
type lockedJournal struct {
	lock chan struct{}
	memoryJournal
}

func newLockedJournal() *lockedJournal { return &lockedJournal{lock: make(chan struct{}, 1)} }

func (j *lockedJournal) Append(clicks []linktrack.Click) error {
	j.lock <- struct{}{}
	defer func() { <-j.lock }()
	return j.memoryJournal.Append(clicks)
}

func (j *lockedJournal) Next(most int) (linktrack.Batch, error) {
	j.lock <- struct{}{}
	defer func() { <-j.lock }()
	return j.memoryJournal.Next(most)
}

func (j *lockedJournal) Done() error {
	j.lock <- struct{}{}
	defer func() { <-j.lock }()
	return j.memoryJournal.Done()
}

func (j *lockedJournal) Size() linktrack.JournalSize {
	j.lock <- struct{}{}
	defer func() { <-j.lock }()
	return j.memoryJournal.Size()
}

func TestABufferedClickIsAnsweredAtOnceAndStoredWithinTheFlushInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckBuffered}}, linktrack.NewLink{})
		start := time.Now()
		for range 100 {
			f.Passes(linktrack.Visit{})
		}
		require.Zero(t, time.Since(start))
		require.Zero(t, f.Counts().People)
		require.EqualValues(t, 100, f.Tracker.Stats().Pending)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 100, f.Counts().People)
		require.Len(t, store.Batches(), 1)
		f.Passes(linktrack.Visit{})
		start = time.Now()
		require.NoError(t, f.Tracker.Close(t.Context()))
		require.Zero(t, time.Since(start), "Close does not wait for the interval")
		require.EqualValues(t, 101, f.Counts().People)
	})
}

const flushInterval = 200 * time.Millisecond // as Options.Recording.FlushInterval is by default

func TestAJournaledClickIsAnsweredWhetherTheStoreIsUpOrDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, journal := &trackertest.FaultyStore{Store: memstore.New()}, newLockedJournal()
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: journal}}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		time.Sleep(flushInterval)
		synctest.Wait()
		require.EqualValues(t, 1, f.Counts().People)
		store.Down.Store(true)
		start := time.Now()
		for range 100 {
			f.Passes(linktrack.Visit{})
		}
		require.Zero(t, time.Since(start))
		time.Sleep(3 * time.Second)
		s := f.Tracker.Stats()
		require.EqualValues(t, 100, s.JournalClicks)
		require.Zero(t, s.Pending)
		require.True(t, s.Failing)
		require.InDelta(t, 3, s.PendingAge.Seconds(), 0.1)
		store.Down.Store(false)
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 101, f.Counts().People)
		s = f.Tracker.Stats()
		require.Zero(t, s.JournalClicks)
		require.Zero(t, s.PendingAge)
		require.False(t, s.Failing)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestCloseSaysThatWhatIsInTheJournalIsSafeAndTheNextTrackerStoresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, journal := &trackertest.FaultyStore{Store: memstore.New()}, newLockedJournal()
		o := linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: journal}}
		f := trackertest.Follow(t, store, o, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		time.Sleep(flushInterval)
		synctest.Wait()
		store.Down.Store(true)
		for range 7 {
			f.Passes(linktrack.Visit{})
		}
		start := time.Now()
		err := f.Tracker.Close(t.Context())
		require.EqualError(t, err, "linktrack: 7 clicks were not stored; they are safe in the journal")
		require.LessOrEqual(t, time.Since(start), 10*time.Second, "there is no need to wait for the store")
		store.Down.Store(false)
		again, err := linktrack.New(store, linktrack.Options{Recording: linktrack.RecordingOptions{Journal: journal}}) // whatever its Ack
		require.NoError(t, err)
		require.NoError(t, again.Close(t.Context()))
		require.EqualValues(t, 8, f.Counts().People)
	})
}

func TestAVisitorDoesNotWaitForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := newLockedJournal()
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: journal}}, linktrack.NewLink{})
		journal.lock <- struct{}{}
		for range 3 {
			start := time.Now()
			f.Passes(linktrack.Visit{})
			require.Equal(t, 2*time.Second, time.Since(start))
		}
		<-journal.lock
		synctest.Wait()
		require.NoError(t, f.Tracker.Close(t.Context()))
		require.EqualValues(t, 3, f.Counts().People)
	})
}

func TestAJournalThatIsFullLeavesItsClicksToTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, journal := &trackertest.FaultyStore{Store: memstore.New()}, newLockedJournal()
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: journal}}, linktrack.NewLink{})
		journal.full = true
		f.Passes(linktrack.Visit{})
		require.EqualValues(t, 1, f.Counts().People, "answered when the store had it")
		store.Down.Store(true)
		for range 5 {
			f.Passes(linktrack.Visit{})
		}
		require.EqualValues(t, 5, f.Tracker.Stats().Pending)
		store.Down.Store(false)
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 6, f.Counts().People)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAckIsReadAndWrittenAsText(t *testing.T) {
	for _, ack := range []linktrack.Ack{linktrack.AckStored, linktrack.AckJournaled, linktrack.AckBuffered} {
		var again linktrack.Ack
		require.NoError(t, again.UnmarshalText([]byte(ack.String())))
		require.Equal(t, ack, again)
	}
	require.Error(t, new(linktrack.Ack).UnmarshalText([]byte("maybe")))
	_, err := linktrack.New(memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled}})
	require.EqualError(t, err, "Recording.Journal must be set for AckJournaled")
}
