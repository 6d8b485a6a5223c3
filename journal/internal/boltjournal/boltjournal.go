// Package boltjournal reads the file in which earlier versions of the journal kept
// their clicks, with bbolt.
package boltjournal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/linktrackhq/linktrack"
)

var (
	// ErrDamaged means that the file is not as the journal wrote it. Nothing in it
	// is used then: bbolt may have found an older state than the store has seen.
	ErrDamaged = errors.New("damaged")
	// ErrVersion means that a program wrote the file that is not known here.
	ErrVersion = errors.New("the file has an unknown version")
	// ErrInUse means that another process has the file open.
	ErrInUse = errors.New("another process uses the file")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// A Part says where clicks stood in the journal.
type Part int

const (
	InFlight Part = iota // in the batch Seq of the Source
	Waiting
	Quarantined
)

// A File is the file of an earlier version.
type File struct {
	Source     linktrack.Source
	Seq        int64 // of the batch in flight, or of the last one that was
	OSBuffered bool  // the file was written without fsync

	db     *bbolt.DB
	queues [3]queue // by Part
}

// A queue is the records from head to before tail.
type queue struct{ head, tail, clicks uint64 }

// The file has three buckets. One holds a single value, the state. The others hold
// records under numbers without gaps, each with its checksum.
const (
	stateBucket      = "about"
	quarantineBucket = "aside"
	clickBucket      = "clicks"

	stateVersion = 1
	stateSize    = 1 + 16 + 8 + 1 + 3*4*8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Open opens the file for reading, and locks it. The error wraps ErrDamaged,
// ErrVersion, ErrInUse, or os.ErrNotExist.
func Open(path string) (*File, error) {
	if err := checkMetas(path); err != nil {
		return nil, err
	}
	f := new(File)
	err := guard(func() (err error) {
		f.db, err = bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: 200 * time.Millisecond})
		switch {
		case errors.Is(err, bolterrors.ErrTimeout):
			return ErrInUse
		case err != nil:
			return damaged("%v", err)
		}
		return f.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(stateBucket))
			if b == nil {
				return damaged("it has no state")
			}
			return f.decodeState(b.Get([]byte("state")))
		})
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Visit calls visit with the records that the file holds, in the order in which
// their clicks come: those in flight, those that wait, those in quarantine. A
// record is the binary form of clicks.
func (f *File) Visit(visit func(part Part, record []byte, clicks int) error) error {
	return guard(func() error {
		return f.db.View(func(tx *bbolt.Tx) error {
			for part, q := range f.queues {
				name := clickBucket
				if Part(part) == Quarantined {
					name = quarantineBucket
				}
				b := tx.Bucket([]byte(name))
				if b == nil {
					return damaged("it has no bucket %q", name)
				}
				found := uint64(0)
				for n := q.head; n < q.tail; n++ {
					record, clicks, err := f.open(name, n, b.Get(key(n)))
					if err != nil {
						return err
					}
					found += uint64(clicks)
					if err := visit(Part(part), record, clicks); err != nil {
						return err
					}
				}
				if found != q.clicks {
					return damaged("it does not have the clicks it knows of")
				}
			}
			return nil
		})
	})
}

// Close releases the file.
func (f *File) Close() error {
	if f.db == nil {
		return nil
	}
	return f.db.Close()
}

// guard calls bbolt, which panics or faults on some damaged files.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged("%v", p)
		}
	}()
	return do()
}

func key(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// open checks a record and returns it without its checksum.
func (f *File) open(bucket string, number uint64, record []byte) (body []byte, clicks int, err error) {
	if len(record) < 4 {
		return nil, 0, damaged("a record is missing")
	}
	sum := crc32.Checksum(f.Source[:], castagnoli)
	sum = crc32.Update(sum, castagnoli, []byte(bucket))
	sum = crc32.Update(sum, castagnoli, key(number))
	if body = record[4:]; binary.BigEndian.Uint32(record) != crc32.Update(sum, castagnoli, body) {
		return nil, 0, damaged("a record has another checksum")
	}
	decoded, err := linktrack.DecodeClicks(string(body))
	switch {
	case errors.Is(err, linktrack.ErrClicksVersion):
		return nil, 0, fmt.Errorf("%w: %w", ErrVersion, err)
	case err != nil:
		return nil, 0, damaged("%v", err)
	case len(decoded) == 0:
		return nil, 0, damaged("a record has no clicks")
	}
	return body, len(decoded), nil
}

func (f *File) decodeState(b []byte) error {
	end := len(b) - 4
	if end < 1 || binary.BigEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return damaged("its state cannot be read")
	}
	if b[0] != stateVersion {
		return fmt.Errorf("%w: %d of its state", ErrVersion, b[0])
	}
	if len(b) != stateSize {
		return damaged("its state has %d bytes", len(b))
	}
	b = b[1:]
	b = b[copy(f.Source[:], b):]
	f.Seq = int64(binary.BigEndian.Uint64(b))
	f.OSBuffered = b[8] == 1
	b = b[9:]
	for i := range f.queues {
		f.queues[i] = queue{
			head:   binary.BigEndian.Uint64(b),
			tail:   binary.BigEndian.Uint64(b[8:]),
			clicks: binary.BigEndian.Uint64(b[16:]),
		}
		b = b[32:]
	}
	return nil
}

// checkMetas checks the two pages of which one says where the newest state stands.
// If one is damaged, bbolt goes on with the other, which may be older.
func checkMetas(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	const (
		pageSize = 4 << 10
		header   = 16
		magic    = 0xED0CDAED
		version  = 2
	)
	var tx [2]uint64
	var versions [2]uint32
	bad := false
	order := binary.NativeEndian
	for i := range tx {
		b := make([]byte, header+64)
		if _, err := f.ReadAt(b, int64(i*pageSize)); errors.Is(err, io.EOF) {
			return damaged("it ends before its first page")
		} else if err != nil {
			return err
		}
		b = b[header:]
		sum := fnv.New64a()
		sum.Write(b[:56])
		bad = bad || order.Uint32(b) != magic || order.Uint64(b[56:]) != sum.Sum64() || order.Uint32(b[8:]) != pageSize
		if order.Uint32(b) == magic {
			versions[i] = order.Uint32(b[4:])
		}
		tx[i] = order.Uint64(b[48:])
	}
	switch {
	case versions[0] == versions[1] && versions[0] != version && versions[0] != 0:
		return fmt.Errorf("%w: %d of bbolt's", ErrVersion, versions[0])
	case bad || max(tx[0], tx[1])-min(tx[0], tx[1]) != 1:
		return damaged("its first pages do not fit together")
	}
	return nil
}
