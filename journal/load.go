package journal

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// load reads the whole log. Clicks below head are drained. The log has its clicks
// up to before end, unless it is damaged.
//   - If exact, records behind end do not count: they were never acknowledged.
//   - Otherwise the log may have records behind end, and they count. Data behind the
//     last record comes from a write that a crash interrupted. It is removed.
//
// visit is called with each record that counts and is not drained, and the place
// where it stands. The error wraps errOtherVersion, or a file could not be read.
func (l *log) load(head, end uint64, exact bool, visit func(*record, place)) error {
	segments, err := l.find()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = head
	for i, s := range segments {
		last := i == len(segments)-1
		bound := maxUint64
		if exact {
			bound = end
		}
		if !last {
			bound = min(bound, segments[i+1].base)
		}
		if s.base >= bound || bound <= head && !last {
			l.discard(s)
			continue
		}
		l.segments = append(l.segments, s)
		if err := l.loadSegment(&l.segments[len(l.segments)-1], head, bound, visit); err != nil {
			return err
		}
		if !last && l.tail < bound {
			l.missing(l.tail, bound, s.id)
			l.tail = bound
		}
	}
	if l.tail < end {
		l.missing(l.tail, end, l.nextID-1)
		l.tail = end
	} else if n := len(l.segments); n > 0 && !exact {
		return l.truncate(l.segments[n-1])
	}
	return nil
}

// find returns the log's segments.
func (l *log) find() ([]segment, error) {
	names, err := filepath.Glob(filepath.Join(l.dir.Name(), l.name+"-*"+segmentSuffix))
	if err != nil {
		return nil, err
	}
	l.nextID = 1
	var segments []segment
	for _, name := range names {
		id, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), l.name+"-"), segmentSuffix), 10, 63)
		if err != nil || name != l.path(id) {
			continue // it is not the journal's
		}
		l.nextID = max(l.nextID, id+1)
		f, size, err := openRead(name)
		if err != nil {
			return nil, err
		}
		s, err := readSegment(f, name, l.source, id)
		f.Close()
		switch {
		case errors.Is(err, errDamaged) && size < segmentHead:
			// The process was killed after it had created the file.
			if err := os.Remove(name); err != nil {
				return nil, err
			}
			continue
		case errors.Is(err, errDamaged):
			kept, keepErr := keepDamaged(name)
			if keepErr != nil {
				return nil, keepErr
			}
			l.log.Error("journal: a file is damaged; it is kept under another name, and its clicks are lost", "kept", kept, "reason", err)
			continue
		case err != nil:
			return nil, err
		}
		s.size = size
		segments = append(segments, s)
	}
	slices.SortFunc(segments, func(a, b segment) int { return cmp.Compare(a.id, b.id) })
	return segments, nil
}

// loadSegment reads a segment, and sets its size to the bytes that are in use.
func (l *log) loadSegment(s *segment, head, bound uint64, visit func(*record, place)) error {
	path := l.path(s.id)
	f, size, err := openRead(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if !l.osBuffered {
		// A process that was killed may have left records that are not on the disk
		// yet.
		if err := l.disk.sync(f); err != nil {
			return err
		}
	}
	if l.tail < s.base {
		l.missing(l.tail, s.base, s.id)
		l.tail = s.base
	}
	scan := scanner{file: f, size: size, seed: seedOf(l.source, l.name, s.id), at: segmentHead}
	s.size = segmentHead
	for expected := s.base; ; {
		r, at, err := scan.next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if r.number < expected || r.end() > bound {
			continue
		}
		_, err = r.decode(path)
		if errors.Is(err, errOtherVersion) {
			return err
		} else if err != nil {
			continue
		}
		expected = r.end()
		s.size = scan.at
		if r.end() <= head {
			continue
		}
		if r.number > l.tail {
			l.missing(l.tail, r.number, s.id)
		}
		l.tail = r.end()
		visit(&r, place{s.id, at})
	}
}

// truncate removes the data behind the last record of the last segment.
func (l *log) truncate(s segment) error {
	path := l.path(s.id)
	info, err := os.Stat(path)
	if err != nil || info.Size() == s.size {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = errors.Join(f.Truncate(s.size), f.Sync(), f.Close())
	if err == nil {
		l.log.Warn("journal: a write was interrupted; the incomplete data, which was not acknowledged, is removed", "file", path, "bytes", info.Size()-s.size)
	}
	return err
}
