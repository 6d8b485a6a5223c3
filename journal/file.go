package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileName = "journal.bolt"
	newName  = "journal.new" // until it is whole

	lockTimeout = 200 * time.Millisecond
)

// file is the journal's file, open or to be opened again, and the lock on its
// folder, which is held all the while.
type file struct {
	path   string
	loose  bool // without fsync
	log    *slog.Logger
	dir    *os.File
	db     *bbolt.DB // nil: to be opened
	handle *os.File  // of db
	broken error     // for good
	size   int64     // as far as the file is in use
	later  int       // see renew

	// commit is (*bbolt.Tx).Commit but in tests.
	commit func(*bbolt.Tx) error
}

// start locks the folder and opens its journal, an empty one if there is none
// or it is damaged.
func (f *file) start(dir string) (s state, err error) {
	f.commit = (*bbolt.Tx).Commit
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	if f.dir, err = os.Open(dir); err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if err := lock(f.dir); err != nil {
		return s, err
	}
	err = examine(f.path)
	if err == nil {
		s, _, err = f.ready()
	}
	if errors.Is(err, errDamaged) {
		f.broken = nil
		if err = f.keepDamaged(err); err == nil {
			err = fs.ErrNotExist
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.create(); err == nil {
			s, _, err = f.ready()
		}
	}
	return s, err
}

// keepDamaged gives the file another name.
func (f *file) keepDamaged(reason error) error {
	name := filepath.Join(filepath.Dir(f.path), "journal.damaged-"+time.Now().UTC().Format("20060102T150405Z"))
	to := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		to = fmt.Sprintf("%s-%d", name, n)
	}
	if err := os.Rename(f.path, to); err != nil {
		return err
	}
	f.log.Error("journal: the file is damaged; it is kept, and an empty journal takes its place", "kept", to, "reason", reason)
	return nil
}

// ready opens the file if it is not open, and then returns its state.
func (f *file) ready() (s state, opened bool, err error) {
	if f.broken != nil || f.db != nil {
		return s, false, f.broken
	}
	err = f.guard(func() (err error) {
		f.db, err = bbolt.Open(f.path, 0o600, &bbolt.Options{
			Timeout:      lockTimeout,
			PageSize:     pageSize,
			FreelistType: bbolt.FreelistMapType,
			NoSync:       f.loose,
			NoGrowSync:   f.loose,
			OpenFile: func(path string, flag int, mode os.FileMode) (_ *os.File, err error) {
				// No O_CREATE: a journal that was removed is not an empty one.
				f.handle, err = os.OpenFile(path, flag&^os.O_CREATE, mode)
				return f.handle, err
			},
		})
		return err
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = errInUse
	}
	if err != nil {
		f.db = nil
		return s, false, err
	}
	err = f.transact(false, func(tx *bbolt.Tx) (err error) {
		s, err = decodeState(tx.Bucket([]byte(stateBucket)).Get(stateKey))
		return err
	})
	s.leap = s.loose
	s.loose = f.loose
	return s, err == nil, err
}

// guard calls bbolt. If it panics the journal is broken, for good: bbolt may
// hold its locks for ever, so it is called no more.
func (f *file) guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f.broken = damaged("it broke in use: %v", p)
			f.db = nil
			f.handle.Close() // and with it bbolt's lock
			err = f.broken
		}
	}()
	return do()
}

// transact runs do in a transaction. After an error of the transaction itself
// the file is closed, to be opened again before the next.
func (f *file) transact(write bool, do func(*bbolt.Tx) error) error {
	return f.guard(func() error {
		tx, err := f.db.Begin(write)
		if err == nil {
			f.size = tx.Size()
			if err = do(tx); err == nil && write {
				err = f.commit(tx)
			} else {
				err = errors.Join(err, tx.Rollback())
			}
		}
		if err != nil {
			err = errors.Join(err, f.shut())
		}
		return err
	})
}

func (f *file) shut() error {
	db := f.db
	f.db = nil
	if db == nil {
		return nil
	}
	return db.Close()
}

// close closes the file and gives the folder back.
func (f *file) close() error {
	var err error
	if f.db != nil && f.loose {
		err = f.db.Sync()
	}
	return errors.Join(err, f.shut(), f.dir.Close())
}
