package journal

import (
	"bytes"
	"encoding/binary"

	"go.etcd.io/bbolt"
)

// buckets is the file within a transaction. Each method changes the state it is
// given as it changes the file; save makes the two one.
type buckets struct {
	about, aside, clicks *bbolt.Bucket
}

func bucketsOf(tx *bbolt.Tx) buckets {
	b := buckets{tx.Bucket([]byte(stateBucket)), tx.Bucket([]byte(asideBucket)), tx.Bucket([]byte(clickBucket))}
	// Keys only ever rise, so pages can be filled to the brim.
	b.clicks.FillPercent = 1
	b.aside.FillPercent = 1
	return b
}

func (b buckets) save(s *state) error { return b.about.Put(stateKey, s.encode()) }

// get returns a record and how many clicks it has.
func get(from *bbolt.Bucket, number uint64) (record []byte, clicks int64, err error) {
	record = from.Get(key(number))
	clicks, err = count(record)
	return record, clicks, err
}

// put appends records, as few as the parts can be made into.
func (b buckets) put(s *state, parts []part) error {
	for len(parts) > 0 {
		clicks, size, n := parts[0].clicks, len(parts[0].bytes), 1
		for n < len(parts) && size+len(parts[n].bytes) <= fullRecord && clicks+parts[n].clicks <= mostClicks {
			clicks += parts[n].clicks
			size += len(parts[n].bytes)
			n++
		}
		record := make([]byte, sealed, size+perRecord)
		record = append(record, version)
		record = binary.AppendUvarint(record, uint64(clicks))
		for _, p := range parts[:n] {
			record = append(record, p.bytes...)
		}
		if err := b.push(s, clicks, record); err != nil {
			return err
		}
		parts = parts[n:]
	}
	return nil
}

// push seals a record and puts it behind all that wait.
func (b buckets) push(s *state, clicks int64, record []byte) error {
	number := s.waiting.tail
	place{s.source, clickBucket, number}.seal(record)
	s.waiting.push(clicks, record)
	return b.clicks.Put(key(number), record)
}

// drop deletes the batch in flight.
func (b buckets) drop(s *state) error {
	for n := s.flight.head; n < s.flight.tail; n++ {
		if err := b.clicks.Delete(key(n)); err != nil {
			return err
		}
	}
	s.flight = queue{head: s.flight.tail, tail: s.flight.tail}
	return nil
}

// next returns copies of the records in flight. If there are none, it makes
// those that wait a batch: as many as hold most clicks, but one at least.
func (b buckets) next(s *state, most int64) ([][]byte, error) {
	var records [][]byte
	if !s.flight.empty() {
		for n := s.flight.head; n < s.flight.tail; n++ {
			record, _, err := get(b.clicks, n)
			if err != nil {
				return nil, err
			}
			records = append(records, bytes.Clone(record))
		}
		return records, nil
	}
	for !s.waiting.empty() {
		record, clicks, err := get(b.clicks, s.waiting.head)
		if err != nil {
			return nil, err
		}
		if !s.flight.empty() && (s.flight.clicks+clicks > most || s.flight.bytes+int64(len(record)) > mostBatch) {
			break
		}
		records = append(records, bytes.Clone(record))
		s.waiting.shift(clicks, record)
		s.flight.push(clicks, record)
	}
	if !s.flight.empty() {
		s.seq++
		if s.leap {
			s.seq += leap
			s.leap = false
		}
	}
	return records, nil
}

// mostBatch ends a batch whose clicks are long, in bytes.
const mostBatch = 4 << 20

// leap is for a file that was written without fsync. If the machine crashed it
// may be an older one than the store has seen the numbers of, and the store
// would ignore all clicks until the numbers have caught up.
const leap = 1 << 32

// quarantine moves the batch with that number to those aside. If it is no longer
// in flight, that has been done.
func (b buckets) setAside(s *state, seq int64) error {
	if s.seq != seq {
		return nil
	}
	for n := s.flight.head; n < s.flight.tail; n++ {
		record, clicks, err := get(b.clicks, n)
		if err != nil {
			return err
		}
		moved := bytes.Clone(record)
		to := place{s.source, asideBucket, s.aside.tail}
		if _, err := (place{s.source, clickBucket, n}).open(nil, moved); err != nil {
			return err
		}
		to.seal(moved)
		s.aside.push(clicks, moved)
		if err := b.aside.Put(key(to.number), moved); err != nil {
			return err
		}
	}
	return b.drop(s)
}

// restore moves some of the records aside behind all others.
func (b buckets) restore(s *state) (moved int64, err error) {
	for range restoreStep {
		if s.aside.empty() {
			break
		}
		number := s.aside.head
		record, clicks, err := get(b.aside, number)
		if err != nil {
			return 0, err
		}
		again := bytes.Clone(record)
		if _, err := (place{s.source, asideBucket, number}).open(nil, again); err != nil {
			return 0, err
		}
		s.aside.shift(clicks, record)
		if err := b.aside.Delete(key(number)); err != nil {
			return 0, err
		}
		if err := b.push(s, clicks, again); err != nil {
			return 0, err
		}
		moved += clicks
	}
	return moved, nil
}

const restoreStep = 256 // records

// undo removes the records from tail on. Some may be in flight; that batch was
// not given to anybody then.
func (b buckets) undo(s *state, tail uint64) error {
	for s.waiting.tail > tail {
		q := &s.waiting
		if q.empty() {
			q = &s.flight
		}
		number := s.waiting.tail - 1
		record, clicks, err := get(b.clicks, number)
		if err != nil {
			return err
		}
		q.pop(clicks, record)
		if q == &s.flight {
			s.waiting.head--
			s.waiting.tail--
		}
		if err := b.clicks.Delete(key(number)); err != nil {
			return err
		}
	}
	return nil
}
