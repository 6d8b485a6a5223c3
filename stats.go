package linktrack

import "time"

// Stats has the counts of a Tracker since it was made, and its current state.
type Stats struct {
	Pending       int64         // clicks that wait in memory for the store
	PendingBytes  int64         // approximate memory of these clicks and of those quarantined in memory
	JournalClicks int64         // clicks that wait in the journal for the store
	PendingAge    time.Duration // of the oldest of these clicks; 0: none waits for long
	Quarantined   int64         // clicks that the store rejects, in memory or in the journal
	JournalBytes  int64         // size of the journal's files

	LogClicks      int64         // clicks in the store's click log that are not applied yet, of all processes; as of the last time that the log was applied
	LogBytes       int64         // their approximate size in the store
	LogAge         time.Duration // of the oldest of them; 0: there are none
	LogQuarantined int64         // clicks in the store's click log that cannot be applied, see [Tracker.RequeueClicks]

	StoredClicks [ClickClassUnknown + 1]int64 // clicks that were stored, by their class at that time; those of a class that this version does not know are at ClickClassNone

	Batches int64 // batches that were stored
	Retries int64 // failures of the store or the journal; each batch is tried until it is stored
	Dropped int64 // clicks that were lost because [RecordingOptions.MaxPending], [RecordingOptions.MaxPendingBytes] or [RecordingOptions.MaxLogBytes] was reached
	Failing bool  // the last try to store clicks failed

	Unseen int64 // clicks that were stored and wait in memory for [RecordingOptions.OnClick]
	Missed int64 // clicks that were stored but never shown to OnClick, because [RecordingOptions.MaxPending] or [RecordingOptions.MaxPendingBytes] was reached

	CacheHits    int64 // visits whose link was known
	CacheMisses  int64 // visits for which the store was asked, or a look-up under way was joined
	CacheEntries int64 // approximate number of paths that are known, also of those without a link
}

// Stats returns the state of the Tracker. It is cheap enough to call often.
func (t *Tracker) Stats() Stats {
	r := t.recorder
	s := Stats{
		Dropped:      r.dropped.Load(),
		CacheHits:    t.links.hits.Load(),
		CacheMisses:  t.links.misses.Load(),
		CacheEntries: int64(t.links.entries.EstimatedSize()),
	}
	clicks, bytes := r.budget.used()
	s.Quarantined = r.queue.Size().Quarantined
	s.Pending, s.PendingBytes = max(0, int64(clicks)-s.Quarantined), bytes
	r.queueWriter.addTo(&s)
	if r.journalWriter != nil {
		journal := r.journalWriter.journal.Size()
		s.JournalClicks, s.JournalBytes = journal.Clicks, journal.Bytes
		s.Quarantined += journal.Quarantined
		r.journalWriter.addTo(&s)
	}
	r.onClick.addTo(&s)
	t.applier.addTo(&s)
	return s
}

func (w *writer) addTo(all *Stats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all.Batches += w.batches.Load()
	for class := range w.storedClicks {
		all.StoredClicks[class] += w.storedClicks[class].Load()
	}
	all.Retries += w.retries.Load()
	all.Failing = all.Failing || w.failing.Lasting()
	if !w.oldest.IsZero() {
		all.PendingAge = max(all.PendingAge, time.Since(w.oldest))
	}
}

func (a *applier) addTo(all *Stats) {
	size := a.size.Load()
	all.LogClicks, all.LogBytes, all.LogQuarantined = size.Clicks, size.Bytes, size.Quarantined
	if !size.Oldest.IsZero() {
		all.LogAge = time.Since(size.Oldest)
	}
}
