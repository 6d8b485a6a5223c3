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
// fsync. With [Options.OSBuffered] they survive a crash of the process, kill -9
// among them, and not one of the machine. When Append has returned an error,
// none of its clicks is kept.
//
// Next returns clicks in the order in which they were appended. Which clicks
// form a batch, and the batch's number, are safe before Next returns it. So a
// batch that was sent to the store and is sent again after a crash is the same
// batch, and the store, which takes each number once, does not count it twice.
// Done survives a crash of the process; after a loss of power the last batch may
// come again, under its number.
//
// # What is damaged
//
// Open reads all files, and checks the checksum of each record of clicks.
//   - What a crash left of a write that was under way is cut off.
//   - Records that are damaged, by the disk or by a stranger, are left out, and all
//     others go on. The number of the clicks that are lost is logged. The file is
//     kept under another name when it is drained.
//   - If it cannot be read how far the journal was drained, all files are kept in
//     another folder, and an empty journal with a new Source takes their place.
//     Otherwise clicks could be counted twice.
//   - If another version wrote a file, Open returns an error and leaves all files
//     as they are.
//
// After a write or an fsync that failed, the file gets no further records, and the
// next Append begins another one. The disk may become full: Append fails, Next and
// Done go on, and Append works again when there is room.
//
// # Files
//
// The clicks are in files of 1/256 of [Options.MaxBytes], at least 64 KiB, and one
// Append more. A file is deleted when all its clicks are drained. The file
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
	// OSBuffered leaves it to the operating system when clicks reach the
	// disk, so that Append waits for no disk. Nothing is lost when the
	// process dies. When the machine does, by a crash or a loss of power, the
	// last half minute or so may be lost, or sent to the store again under
	// other numbers and so counted twice, and the journal may be damaged and be
	// set aside as a whole. Default: each Append waits for an fsync, which
	// Appends that come together share.
	OSBuffered bool

	// MaxBytes bounds the clicks that are kept, those in quarantine among them.
	// Default: 1 GiB.
	MaxBytes int64

	// Logger hears of damage. Default: slog.Default().
	Logger *slog.Logger
}

const defaultMaxBytes = 1 << 30

var (
	errInUse   = errors.New("another process uses the journal in this folder")
	errClosed  = errors.New("journal: it is closed")
	errNoBatch = errors.New("journal: there is no batch that Next has returned")
)

// A Journal is a [linktrack.Journal] in files. All its methods are safe for
// concurrent use, but only one drainer can make sense of its batches.
type Journal struct {
	dir      *os.File // locked
	log      *slog.Logger
	max      int64
	group    groupcommit.Group[*appending]
	clicks   *log
	aside    *log // the quarantine
	file     *positionFile
	loose    bool
	leap     bool // the next seq is far above the last one
	draining sync.Mutex
	given    int64  // Seq of the batch that Next returned; 0: none
	flight   place  // where the first record behind the batch in flight stands
	copied   int64  // Seq of the batch that stands behind the end of the quarantine; 0: none
	copyEnd  uint64 // where that ends

	mu       sync.Mutex
	position position // changed while draining is held, too
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

// commit is the group's.
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

// used returns the bytes that count for the bound. j.mu is held.
func (j *Journal) used() int64 {
	all, drained := j.clicks.bytes(j.head)
	aside, _ := j.aside.bytes(place{})
	return all - drained + aside + j.queued
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
			// The disk may say that the batch is in quarantine. Nobody gets it
			// until it surely does not.
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
		if len(c.clicks) == 0 { // all are missing
			p.head, p.flightEnd = to, to
			j.given = 0
			j.set(p, head)
			continue
		}
		if compose {
			p.flightEnd = c.end
			p.seq++
			if j.leap {
				p.seq += leap
			}
			p.loose = j.loose
			if err := j.save(p); err != nil {
				return linktrack.Batch{}, err
			}
			j.leap = false
		}
		j.flight, j.given = c.at, p.seq
		return linktrack.Batch{Source: p.source, Seq: p.seq, Clicks: c.clicks}, nil
	}
}

// maxBatch ends a batch whose clicks are long, in bytes.
const maxBatch = 4 << 20

// leap is for files that were written without fsync. If the machine crashed, the
// position may be older than the numbers that the store has seen, and the store
// would ignore all clicks until the numbers have caught up.
const leap = 1 << 32

// A collector takes the clicks of a batch out of records.
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

// state returns where the drain stands. j.draining is held.
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

// save makes a position safe, and deletes files that are drained. j.draining is
// held.
func (j *Journal) save(p position) error {
	p.end = j.clicks.next()
	if err := j.file.save(p, true); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	j.position = p
	j.mu.Unlock()
	j.clicks.drop(p.head)
	j.aside.drop(p.asideHead)
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
	if j.given == 0 {
		return errNoBatch
	}
	p.head = p.flightEnd
	doubtful := j.file.doubtful
	if err := j.file.save(p, false); err != nil && doubtful {
		return fmt.Errorf("journal: %w", err)
	}
	// After a first error, the next position says it, too.
	j.given = 0
	j.set(p, j.flight)
	return nil
}

// Size implements [linktrack.Journal].
func (j *Journal) Size() linktrack.JournalSize {
	j.mu.Lock()
	defer j.mu.Unlock()
	return linktrack.JournalSize{
		Clicks:      j.clicks.clicks(j.position.head),
		Quarantined: j.aside.clicks(j.position.asideHead),
		Bytes:       j.clicks.fileBytes() + j.aside.fileBytes() + 2*slotSize,
	}
}

// Close waits for Appends under way and for the disk, and releases the folder.
// Later calls fail, but Close, which then returns the same again.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.closing.Do(func() {
		j.group.Wait(context.Background())
		j.draining.Lock()
		defer j.draining.Unlock()
		err := errors.Join(j.clicks.close(), j.aside.close())
		j.closeErr = errors.Join(err, j.save(j.position), j.file.close(), j.dir.Close())
	})
	return j.closeErr
}
