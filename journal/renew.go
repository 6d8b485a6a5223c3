package journal

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// With each transaction bbolt writes a list of all free pages. After a long
// outage of the store the file is large and nearly all of it free, and writing
// that list takes longer than all else. bbolt never makes a file smaller, so a
// large one with little in it is replaced by a copy.
const (
	renewAbove = 32 << 20 // bytes of file
	renewBelow = 4 << 20  // bytes of records; copying them holds up Appends for some 20 ms
	renewLater = 10_000   // transactions until it is tried again after it failed
)

// renew replaces a file that is large and holds little.
func (f *file) renew(held int64) {
	if f.db == nil || f.size < renewAbove || held > renewBelow {
		return
	}
	if f.later > 0 {
		f.later--
		return
	}
	err := f.guard(func() error {
		return f.replace(func(db *bbolt.DB) error { return bbolt.Compact(db, f.db, 0) })
	})
	if err != nil {
		f.later = renewLater
		return
	}
	_ = f.shut() // it has another name by now, or none
}

// create makes an empty journal.
func (f *file) create() error {
	var s state
	rand.Read(s.source[:])
	return f.replace(func(db *bbolt.DB) error {
		return db.Update(func(tx *bbolt.Tx) error {
			for _, name := range bucketNames {
				if _, err := tx.CreateBucket([]byte(name)); err != nil {
					return err
				}
			}
			return bucketsOf(tx).save(&s)
		})
	})
}

// replace puts a new file in the place of the journal's, whole or not at all.
func (f *file) replace(fill func(*bbolt.DB) error) error {
	path := filepath.Join(filepath.Dir(f.path), newName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, PageSize: pageSize})
	if err != nil {
		return err
	}
	err = errors.Join(fill(db), db.Close())
	if err == nil {
		err = os.Rename(path, f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if err := syncDir(f.dir); err != nil {
		// After a loss of power the old file may be back, with clicks that
		// are done and numbers that were used since.
		f.broken = errors.Join(err, f.shut())
		return err
	}
	return nil
}
