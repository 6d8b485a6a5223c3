package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/linktrackhq/linktrack"
)

// The kinds of lt_log.data.
const (
	kindClicks = 1 // linktrack.AppendClicks
	kindFacts  = 2 // facts, see readFacts
)

// maxAppend is the maximum length of lt_log.data in bytes. By default, servers accept
// statements of up to 16 MB (MariaDB) or 64 MB (MySQL).
const maxAppend = 15 << 20

const insertLog = `INSERT INTO lt_log (source, seq, kind, at, clicks, bytes, data) VALUES (?, ?, ?, ?, ?, ?, ?)`

// AppendClicks implements [linktrack.ClickStore]. It runs one statement, which inserts a
// row that no other batch shares.
//
//   - If the batch is in the log already, the row's key is taken, and nothing changes.
//   - If the batch was applied, the row is inserted again; ApplyClicks removes it without
//     counting its clicks.
func (s *Store) AppendClicks(ctx context.Context, b linktrack.Batch) error {
	const op = "append clicks"
	if err := s.own(ctx); err != nil {
		return s.failed(op, err)
	}
	buffer := appendBuffers.Get().(*[]byte)
	defer appendBuffers.Put(buffer)
	data := linktrack.AppendClicks((*buffer)[:0], b.Clicks)
	if cap(data) <= maxKeptBuffer {
		*buffer = data
	}
	if len(data) > maxAppend {
		return fmt.Errorf("%w: %w", linktrack.ErrRejected, s.failed(op, fmt.Errorf("the batch has %d bytes, but the limit is %d", len(data), maxAppend)))
	}
	var oldest int64
	for i := range b.Clicks {
		if at := micros(b.Clicks[i].ID.Time()); oldest == 0 || at < oldest {
			oldest = at
		}
	}
	var err error
	for a := (attempt{d: s.d, twice: true}); ; {
		var insert *sql.Stmt
		if insert, err = s.insertLog.get(ctx, s.db); err == nil {
			_, err = insert.ExecContext(ctx, b.Source[:], b.Seq, kindClicks, oldest, len(b.Clicks), len(data), data)
		}
		if err == nil || s.d.Is(err, Duplicate) {
			return nil
		}
		if !a.again(ctx, err) {
			break
		}
	}
	if s.d.Is(err, Rejected) {
		return fmt.Errorf("%w: %w", linktrack.ErrRejected, s.failed(op, err))
	}
	return s.failed(op, err)
}

// appendBuffers holds values of type *[]byte, in which the data of a row is encoded.
var appendBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptBuffer is the maximum capacity in bytes of a buffer that is used again.
const maxKeptBuffer = 1 << 20

// A statement is prepared when it is first used.
type statement struct {
	sql      string
	prepared atomic.Pointer[sql.Stmt]
}

func (st *statement) get(ctx context.Context, db *database) (*sql.Stmt, error) {
	if prepared := st.prepared.Load(); prepared != nil {
		return prepared, nil
	}
	prepared, err := db.DB.PrepareContext(ctx, st.sql)
	if err == nil && !st.prepared.CompareAndSwap(nil, prepared) {
		prepared.Close() // another call was faster
		prepared = st.prepared.Load()
	}
	return prepared, err
}
