package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/linktrackhq/linktrack"
)

// A position says how far the journal is drained, and which batch is in flight. Next
// returns a batch only after a position with it is on the disk. A file is deleted only
// after a position behind its clicks is on the disk.
type position struct {
	source    linktrack.Source
	seq       int64  // of the batch in flight, or of the last one that was
	head      uint64 // clicks below are drained
	flightEnd uint64 // clicks from head to before this are in flight; equal to head: none
	end       uint64 // clicks below were appended, at least

	quarantineHead uint64 // clicks in the quarantine below this were requeued
	quarantineEnd  uint64 // there are clicks in the quarantine up to before this

	osBuffered bool // files are written without fsync, or were, and no seq was used since
	importing  bool // segments are being made of a journal of an older version
}

// The position's file has two slots of 4 KiB each. They are written alternately, so that
// the last position that is known to be on the disk is never overwritten. The file never
// grows, so it can be written when the disk is full. A slot has the position twice, so
// that one damaged sector does no harm:
//
//	prelude     16 bytes, as in segments
//	generation  8 bytes; the highest is the newest
//	position    57 bytes
//	checksum    4 bytes
const (
	positionName = "journal.position"
	slotSize     = 4096
	slotCopy     = slotSize / 2
	positionSize = preludeSize + 8 + 16 + 6*8 + 1 + 4
)

func (p *position) encode(generation uint64) []byte {
	b := appendPrelude(make([]byte, 0, slotSize), positionKind, formVersion)
	b = binary.BigEndian.AppendUint64(b, generation)
	b = append(b, p.source[:]...)
	for _, n := range [...]uint64{uint64(p.seq), p.head, p.flightEnd, p.end, p.quarantineHead, p.quarantineEnd} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	var flags byte
	if p.osBuffered {
		flags |= 1
	}
	if p.importing {
		flags |= 2
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	slot := b[:slotSize]
	copy(slot[slotCopy:], b)
	return slot
}

func decodePosition(b []byte) (p position, generation uint64, err error) {
	if err := checkPrelude(b, positionKind, positionName); err != nil {
		return p, 0, err
	}
	if binary.BigEndian.Uint32(b[positionSize-4:]) != crc32.Checksum(b[:positionSize-4], castagnoli) {
		return p, 0, damaged("the position cannot be read")
	}
	b = b[preludeSize:]
	generation = binary.BigEndian.Uint64(b)
	copy(p.source[:], b[8:])
	b = b[24:]
	at := func(i int) uint64 { return binary.BigEndian.Uint64(b[i*8:]) }
	p.seq, p.head, p.flightEnd, p.end, p.quarantineHead, p.quarantineEnd = int64(at(0)), at(1), at(2), at(3), at(4), at(5)
	p.osBuffered, p.importing = b[48]&1 != 0, b[48]&2 != 0
	return p, generation, nil
}

// A positionFile keeps the position. Its methods are not safe for concurrent use.
type positionFile struct {
	file       *os.File
	disk       disk
	osBuffered bool
	generation uint64
	slot       int64 // to be written next
	doubtful   bool  // the last save failed, and may be on the disk nevertheless
}

// openPosition returns the newest position of the file. The error wraps
// errDamaged, errOtherVersion, or os.ErrNotExist.
//
// If a slot cannot be read, the other may be older. Then it is not known which clicks
// the store has, so the position counts as damaged.
func openPosition(path string, d disk, osBuffered bool) (*positionFile, position, error) {
	var newest position
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, newest, err
	}
	f := &positionFile{file: file, disk: d, osBuffered: osBuffered}
	if err = lock(file); err == nil {
		newest, err = f.read()
	}
	if err != nil {
		file.Close()
		return nil, newest, err
	}
	return f, newest, nil
}

func (f *positionFile) read() (newest position, err error) {
	// A process that was killed may have left a position that is not on the disk yet.
	if err := f.disk.sync(f.file); err != nil {
		return newest, err
	}
	b := make([]byte, 2*slotSize)
	if n, err := f.file.ReadAt(b, 0); errors.Is(err, io.EOF) {
		clear(b[n:])
	} else if err != nil {
		return newest, err
	}
	for slot := range int64(2) {
		readable := false
		for at := slot * slotSize; at < (slot+1)*slotSize; at += slotCopy {
			p, generation, decodeErr := decodePosition(b[at : at+positionSize])
			switch {
			case errors.Is(decodeErr, errOtherVersion):
				return newest, decodeErr
			case decodeErr != nil:
				err = decodeErr
				continue
			}
			readable = true
			if generation > f.generation {
				newest, f.generation, f.slot = p, generation, 1-slot
			}
		}
		if !readable {
			return newest, err
		}
	}
	return newest, nil
}

// createPosition creates the file completely or not at all.
func createPosition(dir *os.File, path string, p position) error {
	b := append(p.encode(1), p.encode(2)...)
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncDir(dir)
}

// save writes a position. If safe, the position is on the disk when save returns.
// Otherwise a loss of power may undo it. After a failed save, the next one always
// waits for the disk, so that a loss of power cannot bring back the failed position.
func (f *positionFile) save(p position, safe bool) error {
	f.generation++
	err := f.disk.write(f.file, p.encode(f.generation), f.slot*slotSize)
	synced := false
	if err == nil && (safe || f.doubtful) && !f.osBuffered {
		err = f.disk.sync(f.file)
		synced = true
	}
	f.doubtful = err != nil
	if err == nil && synced {
		f.slot = 1 - f.slot
	}
	return err
}

func (f *positionFile) close() error { return errors.Join(f.disk.sync(f.file), f.file.Close()) }
