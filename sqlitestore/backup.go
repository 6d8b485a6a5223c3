package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database to a new file, which is a database that [Open]
// opens. All else goes on meanwhile.
//
//   - The copy has all commits until Backup began, and none that came later.
//   - The error is [fs.ErrExist] if there is a file with that name: Backup never changes a
//     file. The folder must exist.
//   - A file with that name is always whole, and flushed to the disk. Until then, the copy
//     is in a file beside it whose name ends with .partial. Backup removes it after an
//     error; if the process is killed, it stays.
//   - The copy takes about the size of the database on the disk. While Backup runs, the
//     file -wal grows by what is written.
//
// To restore a backup, stop all processes, remove the database with its files -wal and
// -shm, and copy the backup to its place.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.backup(ctx, path); err != nil {
		return failed("back up to "+path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) error {
	if path == "" {
		return errors.New("the path of the backup is empty")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return errExists
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial")
	if err != nil {
		return err
	}
	partial := f.Name()
	defer os.Remove(partial)
	if err := f.Close(); err != nil {
		return err
	}
	if err := s.vacuumInto(ctx, partial); err != nil {
		return err
	}
	if err := flush(partial); err != nil {
		return err
	}
	if err := publish(partial, path); err != nil {
		return err
	}
	return flush(filepath.Dir(path))
}

// vacuumInto copies the database to an empty file, which SQLite does not flush.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	var main string
	if err := s.read.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&main); err != nil {
		return err
	}
	// The connection is one of its own, so that nothing else waits for it.
	db := sql.OpenDB(connector(dsn(main)))
	defer db.Close()
	_, err := db.ExecContext(ctx, `VACUUM main INTO ?`, path)
	return err
}

var errExists = fmt.Errorf("%w: Backup does not replace a file", fs.ErrExist)

// publish gives a file another name, which must be free. A link fails if it is not, and a
// renaming would replace the other file; but not every file system has links.
func publish(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return errExists
	}
	if err == nil {
		return os.Remove(from)
	}
	if _, err := os.Lstat(to); err == nil {
		return errExists
	}
	return os.Rename(from, to)
}

// flush flushes a file or a folder to the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}
