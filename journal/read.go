package journal

import (
	"errors"
	"io"
	"os"
)

// walk reads records from a place on. The first one has the click with number from, and
// the last one begins below to. walk calls visit with each record and its place until visit
// returns false. It logs and skips lost clicks.
func (l *log) walk(at place, from, to uint64, visit func(*record, place) (more bool, err error)) error {
	for from < to {
		s, bound, ok := l.segmentFrom(at.segment, from)
		if !ok {
			return nil
		}
		if s.id != at.segment {
			at = place{s.id, segmentHead}
		}
		next, more, err := l.walkSegment(s, at.offset, from, min(to, bound), visit)
		if err != nil || !more {
			return err
		}
		if next < min(to, bound) {
			l.mu.Lock()
			l.missing(next, min(to, bound), s.id)
			l.mu.Unlock()
		}
		from = min(to, bound)
		at = place{s.id + 1, segmentHead}
	}
	return nil
}

// segmentFrom returns the first segment from an id on that has the click with a
// number or a later one, and the number before which its clicks end.
func (l *log) segmentFrom(id, number uint64) (s segment, bound uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range l.segments {
		bound := l.tail
		if i < len(l.segments)-1 {
			bound = l.segments[i+1].base
		}
		if s.id >= id && bound > number {
			return s, bound, true
		}
	}
	return segment{}, 0, false
}

func (l *log) walkSegment(s segment, offset int64, from, to uint64, visit func(*record, place) (bool, error)) (next uint64, more bool, err error) {
	f, _, err := openRead(l.path(s.id))
	if errors.Is(err, os.ErrNotExist) {
		return from, true, nil // its clicks are lost
	} else if err != nil {
		return from, false, err
	}
	defer f.Close()
	scan := scanner{file: f, size: s.size, seed: seedOf(l.source, l.name, s.id), at: max(offset, segmentHead)}
	for from < to {
		r, at, err := scan.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return from, false, err
		}
		if r.end() <= from {
			continue
		}
		if r.number >= to {
			break
		}
		if r.number > from {
			l.mu.Lock()
			l.missing(from, r.number, s.id)
			l.mu.Unlock()
		}
		more, err := visit(&r, place{s.id, at})
		if err != nil || !more {
			return from, false, err
		}
		from = r.end()
	}
	return from, true, nil
}
