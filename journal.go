package linktrack

import "errors"

// A Journal keeps clicks safe on this machine until the store has them, for
// [AckJournaled]. Package journal has one; its file is used by one Tracker of
// one process at a time.
//
// Append may be called while the other methods are; these are called by one
// goroutine.
type Journal interface {
	// Append keeps the clicks, as safe as the journal promises, when it
	// returns nil; else it has kept none of them. [ErrJournalFull] if they
	// would pass its bound. It keeps no part of the slice.
	Append(clicks []Click) error

	// Next returns the oldest clicks, in the order they came, about most of
	// them, as a batch: the same batch, with the same Source and Seq, at every
	// call until Done or Quarantine, also after a crash. Later batches of the
	// journal have the same Source and a higher Seq. A batch without clicks
	// means that nothing waits.
	Next(most int) (Batch, error)

	// Done drops the batch that Next returned: the store has it. A crash may
	// undo it, and Next return the batch again.
	Done() error

	// Quarantine takes the batch that Next returned out of the way, for the
	// store will never take it as it is: it is kept and returned by no Next
	// until Restore.
	Quarantine() error

	// Restore puts back, behind all others, what was set aside, and returns
	// how many clicks that is. They come out of Next under new numbers.
	Requeue() (clicks int, err error)

	// Size is what the journal holds, of it what is set aside, and its bytes
	// on disk.
	Size() JournalSize
}

// JournalSize is what a [Journal] holds.
type JournalSize struct {
	Clicks      int64 // that wait, those set aside not among them
	Quarantined int64 // clicks that are set aside
	Bytes       int64 // of its file
}

// ErrJournalFull: a journal has no room. The clicks go to the store without it.
var ErrJournalFull = errors.New("the journal is full")
