package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
)

// A copyRow is a row of a copyTable: its values one after the other, each with its kind in
// the first byte. The same values make the same row on every engine.
type copyRow []byte

const (
	rowNull = iota
	rowNumber
	rowText
)

func appendNumber(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, rowNumber), uint64(n))
}

func appendBytes(b, text []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(b, rowText), uint32(len(text))), text...)
}

// first splits a row behind its first value, which is nil, an int64, or a []byte.
func (r copyRow) first() (value any, rest copyRow) {
	switch r[0] {
	case rowNumber:
		return int64(binary.BigEndian.Uint64(r[1:])), r[9:]
	case rowText:
		end := 5 + int(binary.BigEndian.Uint32(r[1:]))
		return []byte(r[5:end]), r[end:]
	}
	return nil, r[1:]
}

// values appends the first n values to args.
func (r copyRow) values(args []any, n int) []any {
	for range n {
		var v any
		v, r = r.first()
		args = append(args, v)
	}
	return args
}

// compareKeys compares the first n values of two rows, in the order of the database.
func compareKeys(x, y copyRow, n int) int {
	for range n {
		if x[0] == rowNumber {
			if c := cmp.Compare(int64(binary.BigEndian.Uint64(x[1:])), int64(binary.BigEndian.Uint64(y[1:]))); c != 0 {
				return c
			}
			x, y = x[9:], y[9:]
			continue
		}
		endX, endY := 5+int(binary.BigEndian.Uint32(x[1:])), 5+int(binary.BigEndian.Uint32(y[1:]))
		if c := bytes.Compare(x[5:endX], y[5:endY]); c != 0 {
			return c
		}
		x, y = x[endX:], y[endY:]
	}
	return 0
}

// A copySumOf describes the rows of a table: two tables with the same sum have the same rows.
type copySumOf struct {
	rows   int64
	hash   uint64  // of all values; it does not depend on the order of the rows
	totals []int64 // of copyTable.added
}

var copySeed = maphash.MakeSeed()

func (s *copySumOf) add(t *copyTable, r copyRow) {
	s.rows++
	s.hash += maphash.Bytes(copySeed, r)
	if len(t.added) == 0 {
		return
	}
	if s.totals == nil {
		s.totals = make([]int64, len(t.added))
	}
	rest := r
	for _, c := range t.columns {
		var v any
		v, rest = rest.first()
		for i, a := range t.added {
			if n, ok := v.(int64); ok && a.column == c.name {
				s.totals[i] += n
			}
		}
	}
}

// A copyReader reads rows of one database. Its connection answers one statement at a time.
type copyReader struct {
	mu sync.Mutex
	db interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	d *Dialect
}

// The rows that are read, and written, at once. They bound the memory of a copy: one row
// more than these bytes may be in a part. A transaction has some parts.
const (
	partRows  = 4000
	partBytes = 4 << 20
	stepRows  = 20_000
	stepBytes = 16 << 20
)

// A copyCursor reads a table in the order of its primary key, some rows ahead.
type copyCursor struct {
	parts chan copyPart
	stop  chan struct{} // closed by close
	part  []copyRow
	err   error
	ended bool
}

type copyPart struct {
	rows []copyRow
	err  error
}

// cursor returns a cursor, which the caller must close.
func (r *copyReader) cursor(ctx context.Context, t *copyTable) *copyCursor {
	c := &copyCursor{parts: make(chan copyPart), stop: make(chan struct{})}
	go func() {
		defer close(c.parts)
		var last copyRow
		limit := partRows
		for {
			rows, more, err := r.read(ctx, t, last, limit)
			select {
			case c.parts <- copyPart{rows, err}:
			case <-c.stop:
				return
			}
			if err != nil || !more {
				return
			}
			last = rows[len(rows)-1]
			// With large rows, fewer are asked for: MySQL sends all of them.
			if limit = partRows; len(rows) < partRows {
				limit = min(partRows, 2*len(rows))
			}
		}
	}()
	return c
}

// peek returns the row at the cursor. ok is false behind the last one.
func (c *copyCursor) peek() (r copyRow, ok bool, err error) {
	for len(c.part) == 0 && !c.ended && c.err == nil {
		p, more := <-c.parts
		c.part, c.err, c.ended = p.rows, p.err, !more
	}
	if c.err != nil || len(c.part) == 0 {
		return nil, false, c.err
	}
	return c.part[0], true, nil
}

func (c *copyCursor) next() { c.part = c.part[1:] }

// close returns after the last statement of the cursor. To end that by its context would
// close the connection, and with it the transaction of the source.
func (c *copyCursor) close() {
	close(c.stop)
	for range c.parts {
	}
}

// read returns the rows behind the last one, up to a limit or partBytes, and whether there
// may be more.
func (r *copyReader) read(ctx context.Context, t *copyTable, last copyRow, limit int) (rows []copyRow, more bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := t.selectBehind(r.d, last, limit)
	found, err := r.db.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, false, err
	}
	defer found.Close()
	numbers := make([]sql.NullInt64, len(t.columns))
	texts := make([]rowBytes, len(t.columns))
	to := make([]any, len(t.columns))
	for i, c := range t.columns {
		if to[i] = &numbers[i]; c.text {
			to[i] = &texts[i]
		}
	}
	var all []byte
	var ends []int
	for found.Next() {
		if err := found.Scan(to...); err != nil {
			return nil, false, err
		}
		for i, c := range t.columns {
			switch {
			case c.text && !texts[i].null:
				all = appendBytes(all, texts[i].b)
			case !c.text && numbers[i].Valid:
				all = appendNumber(all, numbers[i].Int64)
			default:
				all = append(all, rowNull)
			}
		}
		if ends = append(ends, len(all)); len(all) >= partBytes {
			break
		}
	}
	more = len(ends) == limit || len(all) >= partBytes
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return nil, false, err
	}
	rows = make([]copyRow, len(ends))
	begin := 0
	for i, end := range ends {
		rows[i], begin = copyRow(all[begin:end:end]), end
	}
	return rows, more, nil
}

// rowBytes takes a value of a row that is valid until the next one. An sql.RawBytes cannot
// tell an empty value from NULL on every engine.
type rowBytes struct {
	b    []byte
	null bool
}

// Scan implements [sql.Scanner].
func (r *rowBytes) Scan(src any) error {
	r.b, r.null = nil, src == nil
	switch src := src.(type) {
	case nil:
	case []byte:
		r.b = src
	case string:
		r.b = []byte(src)
	default:
		return fmt.Errorf("a value that is to have bytes has a %T", src)
	}
	return nil
}

// selectBehind reads the rows behind one in the order of the primary key; nil: from the
// first one.
func (t *copyTable) selectBehind(d *Dialect, last copyRow, limit int) *builder {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	keys := names[:t.keys]
	var p builder
	p.add(`SELECT ` + strings.Join(names, ", ") + ` FROM ` + t.name + d.Index(primary) + ` WHERE 1 = 1`)
	if t.where != "" {
		p.add(` AND ` + t.where)
	}
	if last != nil {
		values := last.values(nil, t.keys)
		p.add(` AND `)
		if d.RowValues {
			p.add(`(`+strings.Join(keys, ", ")+`) > (?`+strings.Repeat(", ?", t.keys-1)+`)`, values...)
		} else {
			// Where rows are not compared by an index, a condition for each column is.
			for i, k := range keys[:t.keys-1] {
				p.add(`(`+k+` > ? OR `+k+` = ? AND `, values[i], values[i])
			}
			p.add(keys[t.keys-1]+` > ?`+strings.Repeat(")", t.keys-1), values[t.keys-1])
		}
	}
	p.add(` ORDER BY `+strings.Join(keys, ", ")+` LIMIT ?`, limit)
	return &p
}
