package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// A log is a sequence of segments with records. Records are appended to the last segment,
// and the first segment is deleted when it is drained. The journal has two logs: one for
// the clicks, and one for quarantined clicks.
type log struct {
	dir        *os.File
	name       string // begins the names of its files
	source     linktrack.Source
	osBuffered bool  // without fsync
	rotate     int64 // bytes after which a segment is followed by the next
	log        *slog.Logger
	disk       disk
	writing    sync.Mutex // held while a group is written
	active     *os.File   // the last segment; nil: the next group begins one
	buffer     []byte     // used again for each group
	nextID     uint64

	mu       sync.Mutex
	segments []segment // in order; the last is also written to
	tail     uint64    // the number of the next click
	gaps     []span    // of clicks that are missing, in order
	closed   bool
}

// A span is a range of clicks: their numbers are at least from, and below to.
type span struct{ from, to uint64 }

// A place is the position of a record.
type place struct {
	segment uint64
	offset  int64
}

// disk has the calls that write to the disk. Tests replace them.
type disk struct {
	write func(f *os.File, b []byte, at int64) error
	sync  func(f *os.File) error
}

var realDisk = disk{
	write: func(f *os.File, b []byte, at int64) error { _, err := f.WriteAt(b, at); return err },
	sync:  syncData,
}

func (l *log) path(id uint64) string {
	return filepath.Join(l.dir.Name(), fmt.Sprintf("%s-%08d%s", l.name, id, segmentSuffix))
}

// append writes parts as one group, with one write and one fsync. After an error, none of
// them is kept, and the segment gets no further records: the system reports a failed
// fsync only once, and it is not known what reached the disk.
func (l *log) append(parts []part) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	closed := l.closed
	var s segment
	if n := len(l.segments); n > 0 {
		s = l.segments[n-1]
	}
	tail := l.tail
	l.mu.Unlock()
	if closed {
		return errClosed
	}
	begun := false
	if l.active == nil || s.size >= l.rotate {
		var err error
		if s, err = l.begin(tail); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		begun = true
	}
	b := l.buffer[:0]
	from := s.size
	if begun {
		b = s.appendHead(b, l.source)
	}
	seed := seedOf(l.source, l.name, s.id)
	for i := range parts {
		parts[i].seal(seed, from+int64(len(b)), tail)
		b = append(b, parts[i].record...)
		tail += uint64(parts[i].count)
	}
	err := l.disk.write(l.active, b, from)
	if err == nil && !l.osBuffered {
		err = l.disk.sync(l.active)
		if err == nil && begun {
			err = syncDir(l.dir)
		}
	}
	s.size += int64(len(b))
	if l.buffer = b; cap(b) > 4<<20 {
		l.buffer = nil
	}
	if err != nil {
		l.takeBack(from, begun)
		return fmt.Errorf("journal: %w", err)
	}
	l.mu.Lock()
	if begun {
		s.unsynced = l.osBuffered
		l.segments = append(l.segments, s)
	} else {
		l.segments[len(l.segments)-1].size = s.size
	}
	l.tail = tail
	l.mu.Unlock()
	return nil
}

// begin makes the file of a new segment. Its head is written with the first group.
func (l *log) begin(base uint64) (segment, error) {
	if err := l.end(); err != nil {
		return segment{}, err
	}
	s := segment{id: l.nextID, base: base}
	l.nextID++ // also if this fails: a name is never used twice
	f, err := os.OpenFile(l.path(s.id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return s, err
	}
	l.active = f
	return s, nil
}

// end closes the last segment.
func (l *log) end() error {
	f := l.active
	l.active = nil
	if f == nil {
		return nil
	}
	return f.Close()
}

// takeBack removes a group from the file after its write or fsync failed. If that fails,
// too, the base of the next segment makes these records invalid.
func (l *log) takeBack(from int64, begun bool) {
	if begun {
		from = 0
	}
	if err := l.active.Truncate(from); err == nil && !l.osBuffered {
		_ = l.disk.sync(l.active)
	}
	name := l.active.Name()
	_ = l.end()
	if begun {
		_ = os.Remove(name)
	}
}

// drop deletes the segments whose clicks all have numbers below below. If clicks of a
// segment were lost, its file is renamed instead.
func (l *log) drop(below uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.segments) > 1 && l.segments[1].base <= below {
		s := l.segments[0]
		l.segments = l.segments[1:]
		l.discard(s)
	}
	for len(l.gaps) > 0 && l.gaps[0].to <= below {
		l.gaps = l.gaps[1:]
	}
}

func (l *log) discard(s segment) {
	path := l.path(s.id)
	if s.damaged {
		if _, err := keepDamaged(path); err == nil {
			return
		}
	}
	// A file that cannot be removed is removed by a later Open.
	_ = os.Remove(path)
}

// missing notes that clicks of a segment are lost, and logs that once. l.mu must be held.
func (l *log) missing(from, to uint64, in uint64) {
	for _, g := range l.gaps {
		if from < g.to && g.from < to {
			// What is known already is not reported again.
			if g.from <= from && to <= g.to {
				return
			}
			if from < g.from {
				l.missing(from, g.from, in)
			}
			if to > g.to {
				l.missing(g.to, to, in)
			}
			return
		}
	}
	at := 0
	for at < len(l.gaps) && l.gaps[at].from < from {
		at++
	}
	l.gaps = append(l.gaps[:at], append([]span{{from, to}}, l.gaps[at:]...)...)
	for i := range l.segments {
		if l.segments[i].id == in {
			l.segments[i].damaged = true
		}
	}
	l.log.Error("journal: a file is damaged; some of its clicks are lost, and the others are kept", "file", l.path(in), "lost", to-from)
}

// clicks returns how many clicks there are from a number on.
func (l *log) clicks(from uint64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := int64(l.tail) - int64(from)
	for _, g := range l.gaps {
		if g.to > from {
			n -= int64(g.to - max(g.from, from))
		}
	}
	return max(n, 0)
}

// bytes returns how many bytes the records take, and how many of them stand before
// a place.
func (l *log) bytes(before place) (all, drained int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		all += s.size - segmentHead
		switch {
		case s.id < before.segment:
			drained += s.size - segmentHead
		case s.id == before.segment:
			drained += before.offset - segmentHead
		}
	}
	return all, drained
}

// fileBytes returns the size of the files.
func (l *log) fileBytes() (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		n += s.size
	}
	return n
}

// next returns the number that the next click gets.
func (l *log) next() (tail uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail
}

// close writes all records to the disk, and makes later calls of append fail.
func (l *log) close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	err := l.end()
	for _, s := range l.segments {
		if !s.unsynced {
			continue
		}
		f, openErr := os.OpenFile(l.path(s.id), os.O_RDWR, 0)
		if openErr == nil {
			openErr = errors.Join(l.disk.sync(f), f.Close())
		}
		err = errors.Join(err, openErr)
	}
	if l.osBuffered {
		err = errors.Join(err, syncDir(l.dir))
	}
	return err
}
