package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
)

// The target of a copy has a mark in lt_setting: the state of the copy, and the id of the
// source. The id is in the source's lt_setting since its first copy.
//
//   - While the mark is there, a later copy may change the target so that it is equal to the
//     source again.
//   - The first change by a process of the target removes the mark: from then on, the target
//     has data of its own, and a copy would delete them.
const (
	copyID   = "copy_id"
	copyMark = "copy_mark"
)

// notOfCopy is the condition for the rows of lt_setting that are copied.
var notOfCopy = `name NOT IN (x'` + hex.EncodeToString([]byte(copyID)) + `', x'` + hex.EncodeToString([]byte(copyMark)) + `')`

// A mark is the value of copyMark. Its zero value stands for no mark.
type mark struct {
	unfinished bool
	source     string
}

const unfinishedMark, finishedMark = "unfinished ", "finished "

func (m mark) value() []byte {
	if m.unfinished {
		return []byte(unfinishedMark + m.source)
	}
	return []byte(finishedMark + m.source)
}

// storedSetting returns the value of a setting; nil if it is not there.
func (s *Store) storedSetting(ctx context.Context, name string) (value []byte, err error) {
	err = s.readDB.QueryRowContext(ctx, `SELECT value FROM lt_setting WHERE name = ?`, []byte(name)).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

func (s *Store) readMark(ctx context.Context) (mark, error) {
	value, err := s.storedSetting(ctx, copyMark)
	if source, ok := strings.CutPrefix(string(value), unfinishedMark); ok {
		return mark{true, source}, err
	}
	return mark{source: strings.TrimPrefix(string(value), finishedMark)}, err
}

func (s *Store) writeMark(ctx context.Context, m mark) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO lt_setting (name, value) VALUES (?, ?)`+s.d.upsert("lt_setting", "name", replace("value")),
		[]byte(copyMark), m.value())
	return err
}

// errUnfinished is the error of a process that is to use the target of a copy too early.
var errUnfinished = errors.New(`a copy to this database is not finished: run "linktrack copy" again until it says that both are equal`)

// refuseUnfinished returns an error while the database is the target of a copy that is not
// finished.
func (s *Store) refuseUnfinished(ctx context.Context) error {
	m, err := s.readMark(ctx)
	if err == nil && m.unfinished {
		err = errUnfinished
	}
	return err
}

// own is called before the data of users are changed. The first time, it removes the mark of
// a finished copy. It returns an error while a copy is not finished.
func (s *Store) own(ctx context.Context) error {
	if s.isOwn.Load() {
		return nil
	}
	m, err := s.readMark(ctx)
	switch {
	case err != nil && s.d.Is(err, Rejected):
		return nil // without tables, the change fails, too
	case err == nil && m.unfinished:
		return errUnfinished
	case err == nil && m.source != "":
		_, err = s.db.ExecContext(ctx, `DELETE FROM lt_setting WHERE name = ? AND value = ?`, []byte(copyMark), m.value())
	}
	if err == nil {
		s.isOwn.Store(true)
	}
	return err
}

// newCopyID returns the id of a source.
func newCopyID() []byte {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.AppendEncode(nil, b)
}
