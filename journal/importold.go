package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linktrackhq/linktrack/journal/internal/boltjournal"
)

// oldName is the file in which earlier versions kept all clicks.
const oldName = "journal.bolt"

// importOld takes over the clicks of an earlier version's file, and deletes it. All
// of them come, once:
//   - The position says, before the first segment is made, that the import is under
//     way. If it is interrupted, it begins again.
//   - The batch that was in flight keeps its Source and Seq, since the store may
//     have it. So the journal takes over the file's Source.
//   - The file is deleted when the position says that the import is complete. A
//     file with the journal's own Source has been imported.
//
// A damaged file is kept under another name, and reported.
func (j *Journal) importOld(d disk) error {
	path := filepath.Join(j.dir.Name(), oldName)
	old, err := boltjournal.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		if j.position.importing {
			return errors.New("the file " + path + ", which was being imported, is missing")
		}
		return nil
	}
	if err == nil {
		if old.Source == j.position.source && !j.position.importing {
			return errors.Join(old.Close(), j.removeOld(path))
		}
		if j.position.head != j.clicks.next() || j.position.quarantineHead != j.position.quarantineEnd {
			return errors.Join(old.Close(), fmt.Errorf("there are clicks in %s and in the newer files beside it; let an earlier version move those in it to the store, or move it away", path))
		}
		err = errors.Join(j.importClicks(old, d), old.Close())
	}
	switch {
	case errors.Is(err, boltjournal.ErrInUse):
		return errInUse
	case errors.Is(err, boltjournal.ErrVersion):
		return fmt.Errorf("%w: %s: %w", errOtherVersion, path, err)
	case errors.Is(err, boltjournal.ErrDamaged):
		return j.keepOld(path, err, d)
	case err != nil:
		return err
	}
	return j.removeOld(path)
}

func (j *Journal) removeOld(path string) error {
	return errors.Join(os.Remove(path), syncDir(j.dir))
}

// keepOld keeps a damaged file. Nothing of it is in the journal.
func (j *Journal) keepOld(path string, reason error, d disk) error {
	kept, err := keepDamaged(path)
	if err != nil {
		return err
	}
	j.log.Error("journal: the file of an earlier version is damaged; it is kept, and its clicks are lost", "kept", kept, "reason", reason)
	if !j.position.importing {
		return nil
	}
	p := j.position
	if err := j.load(p, d); err != nil { // removes what was imported
		return err
	}
	p = j.position
	p.importing = false
	return j.save(p)
}

// importClicks makes an empty journal one with the clicks of the file.
func (j *Journal) importClicks(old *boltjournal.File, d disk) error {
	start := position{source: old.Source, importing: true, osBuffered: j.osBuffered}
	if err := j.file.save(start, true); err != nil {
		return err
	}
	if err := j.load(start, d); err != nil {
		return err
	}
	p := j.position
	var parts [2][]part // clicks, quarantine
	var size int
	flush := func() error {
		for i, l := range []*log{j.clicks, j.quarantine} {
			if len(parts[i]) > 0 {
				if err := l.append(parts[i]); err != nil {
					return err
				}
				parts[i] = nil
			}
		}
		size = 0
		return nil
	}
	err := old.Visit(func(where boltjournal.Part, clicks []byte, count int) error {
		i := 0
		switch where {
		case boltjournal.InFlight:
			p.flightEnd += uint64(count)
		case boltjournal.Quarantined:
			i = 1
		}
		record := append(make([]byte, recordHead, recordHead+len(clicks)), clicks...)
		parts[i] = append(parts[i], part{count: count, record: record})
		if size += len(record); size < 4<<20 {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	p.importing = false
	p.seq = old.Seq
	p.quarantineEnd = j.quarantine.next()
	p.osBuffered = old.OSBuffered || j.osBuffered
	j.leap = old.OSBuffered
	return j.save(p)
}
