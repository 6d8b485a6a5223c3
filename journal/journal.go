// Package journal keeps clicks safe on this machine, in one file, until the
// store has them:
//
//	j, err := journal.Open("/var/lib/links", journal.Options{})
//	...
//	defer j.Close()
//
// # What it promises
//
// When Append has returned nil, the clicks survive a crash of the process, of
// the machine and a loss of power, as far as the disk keeps its word about
// fsync. With [Options.OSBuffered] they survive a crash of the process, kill -9
// among them, and not one of the machine. When Append has returned an error,
// none of its clicks is kept.
//
// Next returns clicks in the order in which they were appended. Which clicks
// form a batch, and the batch's number, are as safe as the clicks before Next
// returns it. So a batch that was sent to the store and is sent again after a
// crash is the same batch, and the store, which takes each number once, does
// not count it twice. Done is not written at once but with the next change, or
// by Close: after a crash the last batch may come again, under its number.
//
// A file that is damaged, by the disk or by a stranger, is never half believed:
// Open reads all of it and checks each click's checksum and the structure
// around it. It keeps a damaged file beside the journal under a name with the
// time, reports it, and starts an empty journal with a new Source. Nothing is
// lost that a person could not look for in the file.
//
// The disk may become full: Append fails, Next and Done go on, and Append works
// again when there is room. If the file breaks while it is in use (it was cut
// short, or the disk can no longer be read), every call fails from then on, and
// the next Open finds out what the file is still worth.
//
// The space of clicks that are done is used for later ones, and a large file is
// replaced by a small one when little is left in it. The file can be a fifth, and
// 16 MiB, larger than the clicks it holds, or held since then.
package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// Options of a journal. The zero value works.
type Options struct {
	// OSBuffered leaves it to the operating system when clicks reach the
	// disk, so that Append waits for no disk. Nothing is lost when the
	// process dies. When the machine does, by a crash or a loss of power, the
	// last half minute or so may be lost, or sent to the store again under
	// other numbers and so counted twice, and the file may be damaged and be
	// set aside as a whole. Default: each Append waits for an fsync, which
	// Appends that come together share.
	OSBuffered bool

	// MaxBytes bounds the clicks that are kept, those set aside among them.
	// Default: 1 GiB.
	MaxBytes int64

	// Logger hears of a damaged file. Default: slog.Default().
	Logger *slog.Logger
}

const defaultMaxBytes = 1 << 30

var (
	errInUse   = errors.New("another process uses the journal in this folder")
	errClosed  = errors.New("journal: it is closed")
	errNoBatch = errors.New("journal: there is no batch that Next has returned")
)

// A Journal is a [linktrack.Journal] in a file. All its methods are safe for
// concurrent use, but only one drainer can make sense of its batches.
type Journal struct {
	file   file
	max    int64
	source linktrack.Source
	wake   chan struct{} // for the writer; one is enough
	ended  chan struct{} // closed when the writer has
	undo   *uint64       // the writer's: records from here on may be in the file and must not

	turns sync.Mutex // held by Next, Done, Quarantine and Restore
	given int64      // Seq of the batch that Next returned; 0: none

	mu      sync.Mutex
	forming *group // Appends for the next transaction
	turn    *turn  // what the drainer wants of the next transaction
	queued  int64  // bytes of clicks that are on their way into the file
	done    int64  // Seq of the batch that the store has; dropped with the next transaction
	state   state  // as it was last written; the writer alone changes it
	closed  bool
	closing error // what Close returns
}

var _ linktrack.Journal = (*Journal)(nil)

// Open opens the journal in a folder, which is made if there is none.
func Open(dir string, o Options) (*Journal, error) {
	if o.MaxBytes < 0 {
		return nil, fmt.Errorf("journal: MaxBytes is %d", o.MaxBytes)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	j := &Journal{
		file:  file{path: filepath.Join(dir, fileName), loose: o.OSBuffered, log: o.Logger},
		max:   o.MaxBytes,
		wake:  make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // see file.guard
	s, err := j.file.start(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", dir, err)
	}
	j.state, j.source = s, s.source
	go j.run()
	return j, nil
}

// Append implements [linktrack.Journal]. Appends that come while a transaction
// is being written share the next one.
func (j *Journal) Append(clicks []linktrack.Click) error {
	if len(clicks) == 0 {
		return nil
	}
	parts, size := split(clicks)
	j.mu.Lock()
	switch {
	case j.closed:
		j.mu.Unlock()
		return errClosed
	case j.used()+size > j.max:
		j.mu.Unlock()
		return linktrack.ErrJournalFull
	}
	j.queued += size
	if j.forming == nil {
		j.forming = &group{written: make(chan struct{})}
	}
	g := j.forming
	g.parts = append(g.parts, parts...)
	g.size += size
	j.mu.Unlock()
	j.rouse()
	<-g.written
	return g.err
}

// used is the bytes that count for the bound. j.mu is held.
func (j *Journal) used() int64 {
	n := j.state.waiting.bytes + j.state.aside.bytes + j.queued
	if !j.state.dropped(j.done) {
		n += j.state.flight.bytes
	}
	return n
}

// rouse tells the writer that there is something to do.
func (j *Journal) rouse() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Next implements [linktrack.Journal].
func (j *Journal) Next(most int) (linktrack.Batch, error) {
	j.turns.Lock()
	defer j.turns.Unlock()
	var s state
	var records [][]byte
	err := j.take(&turn{kind: next, most: int64(most), result: func(now *state, flight [][]byte) {
		s, records = *now, flight
	}})
	if err != nil || len(records) == 0 {
		return linktrack.Batch{}, err
	}
	b := linktrack.Batch{Source: j.source, Seq: s.seq, Clicks: make([]linktrack.Click, 0, s.flight.clicks)}
	for i, r := range records {
		p := place{j.source, clickBucket, s.flight.head + uint64(i)}
		if b.Clicks, err = p.open(b.Clicks, r); err != nil {
			return linktrack.Batch{}, fmt.Errorf("journal: %w", err)
		}
	}
	j.given = s.seq
	return b, nil
}

// Done implements [linktrack.Journal]. It waits for nothing.
func (j *Journal) Done() error {
	j.turns.Lock()
	defer j.turns.Unlock()
	if j.given == 0 {
		return errNoBatch
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return errClosed
	}
	j.done, j.given = j.given, 0
	return nil
}

// Quarantine implements [linktrack.Journal]. After an error it may be called
// again: it never sets aside another batch than the one Next returned.
func (j *Journal) Quarantine() error {
	j.turns.Lock()
	defer j.turns.Unlock()
	if j.given == 0 {
		return errNoBatch
	}
	if err := j.take(&turn{kind: setAside, seq: j.given}); err != nil {
		return err
	}
	j.given = 0
	return nil
}

// Restore implements [linktrack.Journal]. It works in steps: after an error or
// a crash some clicks may be restored, as many as it says, and the others are
// still aside.
func (j *Journal) Requeue() (clicks int, err error) {
	j.turns.Lock()
	defer j.turns.Unlock()
	for {
		var moved int64
		err := j.take(&turn{kind: restore, moved: &moved})
		if err != nil || moved == 0 {
			return clicks, err
		}
		clicks += int(moved)
	}
}

// take lets the writer do a turn. j.turns is held, so there is one at a time.
func (j *Journal) take(t *turn) error {
	t.done = make(chan error, 1)
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return errClosed
	}
	j.turn = t
	j.mu.Unlock()
	j.rouse()
	return <-t.done
}

// Size implements [linktrack.Journal].
func (j *Journal) Size() linktrack.JournalSize {
	j.mu.Lock()
	s := linktrack.JournalSize{Clicks: j.state.waiting.clicks, Quarantined: j.state.aside.clicks}
	if !j.state.dropped(j.done) {
		s.Clicks += j.state.flight.clicks
	}
	j.mu.Unlock()
	if info, err := os.Stat(j.file.path); err == nil {
		s.Bytes = info.Size()
	}
	return s
}

// Close writes what Appends under way have brought, and a Done, waits for the
// disk, and gives the folder back. Later calls fail, but Close, which then returns the same again.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.rouse()
	<-j.ended
	return j.closing
}
