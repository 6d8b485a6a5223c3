// Package journal keeps clicks safe on this machine, in the files of a folder,
// until the store has them:
//
//	j, err := journal.Open("/var/lib/links", journal.Options{})
//	...
//	defer j.Close()
//
// # What it promises
//
// When Append has returned nil, the clicks survive a crash of the process, of
// the machine and a loss of power, as far as the disk keeps its word about
// fsync. With [Options.OSBuffered] they survive a crash of the process, including
// kill -9, but not a crash of the machine. When Append has returned an error,
// none of its clicks is kept.
//
// Next returns clicks in the order in which they were appended. Which clicks
// form a batch, and the batch's number, are on the disk before Next returns it. So a
// batch that was sent to the store and is sent again after a crash is the same
// batch, and the store, which takes each number once, does not count it twice.
// Done survives a crash of the process; after a loss of power the last batch may
// come again, under its number.
//
// # What is damaged
//
// Open reads all files, and checks the checksum of each record of clicks.
//   - If a crash interrupted a write, the incomplete data is removed.
//   - Records that are damaged, by the disk or by anybody who can write the file, are
//     skipped, and all others are kept. The number of lost clicks is logged. When all
//     other clicks of the file are drained, it is renamed instead of deleted.
//   - If the position, which says how far the journal was drained, cannot be read, all
//     files are moved to another folder, and an empty journal with a new Source is
//     started. Otherwise clicks could be counted twice.
//   - If another version wrote a file, Open returns an error and leaves all files
//     as they are.
//
// After a failed write or fsync, the file gets no further records, and the next Append
// begins another file. While the disk is full, Append fails, but Next and Done work;
// Append works again when there is room.
//
// # Files
//
// The clicks are in files, called segments. The next one is begun when a segment has
// 1/256 of [Options.MaxBytes], at least 64 KiB. A file is deleted when all its clicks are drained. The file
// journal.position has 8 KiB. Files of versions that kept all clicks in
// journal.bolt are read once, by Open.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/groupcommit"
)

// Options of a journal. The zero value works.
type Options struct {
	// OSBuffered lets the operating system decide when clicks are written to the
	// disk, so that Append does not wait for it. If the process dies, nothing is
	// lost. If the machine crashes or loses power, the clicks of the last half
	// minute or so may be lost, or be sent to the store again under other numbers
	// and so be counted twice; and the position may be damaged, in which case all
	// files are moved to another folder. Default: each Append waits for an fsync,
	// which concurrent Appends share.
	OSBuffered bool

	// MaxBytes is the maximum number of bytes of clicks that are kept, including
	// quarantined ones.
	// Default: 1 GiB.
	MaxBytes int64

	// Logger gets a message when a file is damaged. Default: slog.Default().
	Logger *slog.Logger
}

const defaultMaxBytes = 1 << 30

var (
	errInUse   = errors.New("another process uses the journal in this folder")
	errClosed  = errors.New("journal: it is closed")
	errNoBatch = errors.New("journal: there is no batch that Next has returned")
)

// A Journal is a [linktrack.Journal] in files. All its methods are safe for concurrent
// use, but only one goroutine at a time may drain it with Next, Done, and Quarantine.
type Journal struct {
	dir        *os.File // locked
	log        *slog.Logger
	max        int64
	group      groupcommit.Group[*appending]
	clicks     *log
	quarantine *log
	file       *positionFile
	osBuffered bool

	// draining is held while a batch is returned, finished, quarantined, or requeued.
	// It guards the fields below, and file.
	draining sync.Mutex
	leap     bool   // the next seq is far above the last one, see the constant leap
	returned int64  // Seq of the batch that Next returned; 0: none
	flight   place  // the place of the record at which the batch in flight ends
	copied   int64  // Seq of the batch that was copied behind the end of the quarantine; 0: none
	copyEnd  uint64 // the number behind the last click of that copy

	mu       sync.Mutex
	position position // changed only while draining is held, too
	head     place    // the record of the first click that is not drained
	queued   int64    // bytes of clicks that are on their way into the file
	closed   bool

	closing  sync.Once
	closeErr error
}

var _ linktrack.Journal = (*Journal)(nil)

// An appending is a call of Append.
type appending struct {
	parts []part
	size  int64
	err   error
}

// Append implements [linktrack.Journal]. Appends that come while others are being
// written are written together.
func (j *Journal) Append(clicks []linktrack.Click) error {
	if len(clicks) == 0 {
		return nil
	}
	var a appending
	a.parts, a.size = split(clicks)
	j.mu.Lock()
	switch {
	case j.closed:
		j.mu.Unlock()
		return errClosed
	case j.used()+a.size > j.max:
		j.mu.Unlock()
		return linktrack.ErrJournalFull
	}
	j.queued += a.size
	j.mu.Unlock()
	j.group.Do(&a, math.MaxInt64)
	return a.err
}

// commit writes the clicks of all calls of Append in a group.
func (j *Journal) commit(all []*appending) {
	parts := all[0].parts
	size := all[0].size
	for _, a := range all[1:] {
		parts = append(parts, a.parts...)
		size += a.size
	}
	err := j.clicks.append(parts)
	for _, a := range all {
		a.err = err
	}
	j.mu.Lock()
	j.queued -= size
	j.mu.Unlock()
}

// used returns the number of bytes that count toward MaxBytes. j.mu must be held.
func (j *Journal) used() int64 {
	all, drained := j.clicks.bytes(j.head)
	quarantined, _ := j.quarantine.bytes(place{})
	return all - drained + quarantined + j.queued
}

// Next implements [linktrack.Journal].
func (j *Journal) Next(limit int) (linktrack.Batch, error) {
	j.draining.Lock()
	defer j.draining.Unlock()
	for {
		p, head, err := j.state()
		if err != nil {
			return linktrack.Batch{}, err
		}
		if j.file.doubtful {
			// The position on the disk may say that the batch is in the quarantine.
			// Next returns the batch only after a newer position is on the disk.
			if err := j.save(p); err != nil {
				return linktrack.Batch{}, err
			}
		}
		tail := j.clicks.next()
		compose := p.head == p.flightEnd
		to := p.flightEnd
		if compose {
			to = tail
		}
		if p.head == to {
			return linktrack.Batch{}, nil
		}
		c := collector{log: j.clicks, from: p.head, to: to, limit: maxUint64}
		if compose {
			c.limit = uint64(max(limit, 1))
			c.bytes = maxBatch
		}
		c.clicks = make([]linktrack.Click, 0, min(c.limit, to-p.head, 10_000))
		if err := j.clicks.walk(head, p.head, to, c.visit); err != nil {
			return linktrack.Batch{}, fmt.Errorf("journal: %w", err)
		}
		if len(c.clicks) == 0 { // all of them are lost
			p.head, p.flightEnd = to, to
			j.returned = 0
			j.set(p, head)
			continue
		}
		if compose {
			p.flightEnd = c.end
			p.seq++
			if j.leap {
				p.seq += leap
			}
			p.osBuffered = j.osBuffered
			if err := j.save(p); err != nil {
				return linktrack.Batch{}, err
			}
			j.leap = false
		}
		j.flight, j.returned = c.at, p.seq
		return linktrack.Batch{Source: p.source, Seq: p.seq, Clicks: c.clicks}, nil
	}
}

// maxBatch is the size in bytes at which Next ends a batch, even below its limit of clicks.
const maxBatch = 4 << 20

// leap is added to seq after files were written without fsync. If the machine crashed,
// the position may be older than the numbers that the store has seen. Without the leap,
// the store would ignore all batches until their numbers are above those.
const leap = 1 << 32

// A collector collects the clicks of a batch from records.
type collector struct {
	log      *log
	from, to uint64
	limit    uint64 // of clicks
	bytes    int64  // of records; 0: no limit

	clicks []linktrack.Click
	end    uint64 // of the batch
	at     place  // of the record with the click end, or before it
}

func (c *collector) visit(r *record, at place) (more bool, err error) {
	if len(c.clicks) > 0 && c.bytes > 0 {
		if c.bytes -= r.length; c.bytes < 0 {
			return false, nil
		}
	}
	clicks, err := r.decode(c.log.path(at.segment))
	if err != nil {
		return false, err
	}
	from, to := max(c.from, r.number), min(c.to, r.end())
	if left := c.limit - uint64(len(c.clicks)); to-from > left {
		to = from + left
	}
	c.clicks = append(c.clicks, clicks[from-r.number:to-r.number]...)
	c.end, c.at = to, at
	return to == r.end() && uint64(len(c.clicks)) < c.limit, nil
}

// state returns how far the journal is drained. j.draining must be held.
func (j *Journal) state() (position, place, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return position{}, place{}, errClosed
	}
	return j.position, j.head, nil
}

func (j *Journal) set(p position, head place) {
	j.mu.Lock()
	j.position, j.head = p, head
	j.mu.Unlock()
}

// save writes a position to the disk, and deletes files that are drained. j.draining must
// be held.
func (j *Journal) save(p position) error {
	p.end = j.clicks.next()
	if err := j.file.save(p, true); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	j.position = p
	j.mu.Unlock()
	j.clicks.drop(p.head)
	j.quarantine.drop(p.quarantineHead)
	return nil
}

// Done implements [linktrack.Journal]. It waits for the disk only after an error.
func (j *Journal) Done() error {
	j.draining.Lock()
	defer j.draining.Unlock()
	p, _, err := j.state()
	if err != nil {
		return err
	}
	if j.returned == 0 {
		return errNoBatch
	}
	p.head = p.flightEnd
	doubtful := j.file.doubtful
	if err := j.file.save(p, false); err != nil && doubtful {
		return fmt.Errorf("journal: %w", err)
	}
	// A first error is ignored: the next position that is saved says the same.
	j.returned = 0
	j.set(p, j.flight)
	return nil
}

// Size implements [linktrack.Journal].
func (j *Journal) Size() linktrack.JournalSize {
	j.mu.Lock()
	defer j.mu.Unlock()
	return linktrack.JournalSize{
		Clicks:      j.clicks.clicks(j.position.head),
		Quarantined: j.quarantine.clicks(j.position.quarantineHead),
		Bytes:       j.clicks.fileBytes() + j.quarantine.fileBytes() + 2*slotSize,
	}
}

// Close waits for running calls of Append and for the disk, and releases the folder. After
// it, all other methods that return an error fail, and Close returns the same error again.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.closing.Do(func() {
		j.group.Wait(context.Background())
		j.draining.Lock()
		defer j.draining.Unlock()
		err := errors.Join(j.clicks.close(), j.quarantine.close())
		j.closeErr = errors.Join(err, j.save(j.position), j.file.close(), j.dir.Close())
	})
	return j.closeErr
}
