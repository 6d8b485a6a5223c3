package linktrack

import "errors"

// A Journal keeps clicks on this machine until the store has them, for
// [AckJournaled]. Package journal has one, whose files are used by one Tracker of one
// process at a time.
//
// Append may be called at the same time as the other methods, which one goroutine
// calls.
type Journal interface {
	// Append keeps the clicks. When it returns nil, they are as safe as the journal
	// promises; otherwise it has kept none of them. The error is [ErrJournalFull] if
	// the journal's bound does not allow them. Append keeps no part of the slice.
	Append(clicks []Click) error

	// Next returns the oldest clicks as a batch, approximately limit of them, in
	// the order in which they came.
	//   - Until Done or Quarantine, every call returns the same batch with the same
	//     Source and Seq, also after a crash.
	//   - Later batches of the journal have the same Source and a higher Seq.
	//   - A batch without clicks means that no click waits.
	Next(limit int) (Batch, error)

	// Done removes the batch that Next returned, because the store has it. A crash
	// may undo this; then Next returns the batch again.
	Done() error

	// Quarantine takes the batch that Next returned out of the way, because the
	// store rejects it. The clicks are kept, but Next does not return them until
	// Requeue.
	Quarantine() error

	// Requeue puts the clicks that are quarantined behind all others, and returns
	// how many there are. Next returns them in batches with new numbers.
	Requeue() (clicks int, err error)

	// Size returns what the journal holds.
	Size() JournalSize
}

// JournalSize is what a [Journal] holds.
type JournalSize struct {
	Clicks      int64 // that wait, without those that are quarantined
	Quarantined int64 // clicks
	Bytes       int64 // of its files on disk
}

// ErrJournalFull means that a journal has reached its bound. The clicks go to the
// store without it.
var ErrJournalFull = errors.New("the journal is full")
