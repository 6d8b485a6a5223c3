package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// A copyMerge makes a table of the target equal to that of the source. Both are read in the
// order of their primary keys, so a merge that was interrupted goes on where it was, and
// whatever the source changes, adds, or deletes comes with the next one.
type copyMerge struct {
	table    *copyTable
	from     func(ctx context.Context) rowCursor // a new cursor of the source
	to       *Store
	progress func(*CopiedTable)

	report       CopiedTable
	source, seen copySumOf // of the source's rows, and of the target's rows that are equal to them
	removed      []copyRow // they are to be deleted
	added        []copyRow // they are to be written
	bytes        int       // of both
}

// A rowCursor goes over rows in the order of their keys.
type rowCursor interface {
	peek() (r copyRow, ok bool, err error)
	next()
	close()
}

// run merges the table.
func (m *copyMerge) run(ctx context.Context) error {
	if m.table.unique {
		if err := m.pass(ctx, true, false); err != nil {
			return err
		}
		return m.pass(ctx, false, true)
	}
	return m.pass(ctx, true, true)
}

// pass goes over both tables once. It deletes rows of the target that the source does not
// have or has with other values, and writes those that the target does not have.
func (m *copyMerge) pass(ctx context.Context, remove, add bool) error {
	m.source, m.seen = copySumOf{}, copySumOf{}
	to := (&copyReader{db: m.to.readDB, d: m.to.d}).cursor(ctx, m.table)
	defer to.close()
	from := m.from(ctx)
	defer from.close()
	for {
		have, inTarget, err := to.peek()
		if err != nil {
			return m.to.failed("read "+m.table.name, err)
		}
		if !inTarget && !add {
			break // there is nothing more to delete
		}
		want, inSource, err := from.peek()
		if err != nil {
			return fmt.Errorf("read %s of the source: %w", m.table.name, err)
		}
		if !inTarget && !inSource {
			break
		}
		order := 0 // negative: only the source has the row; positive: only the target
		switch {
		case !inTarget:
			order = -1
		case !inSource:
			order = 1
		default:
			order = compareKeys(want, have, m.table.keys)
		}
		if order <= 0 {
			m.source.add(m.table, want)
			from.next()
		}
		if order >= 0 {
			to.next()
		}
		equal := order == 0 && bytes.Equal(want, have)
		if equal {
			m.seen.add(m.table, have)
			continue
		}
		if order >= 0 && remove && !m.table.fixed {
			m.removed = append(m.removed, have)
			m.bytes += len(have)
		}
		if order <= 0 && add {
			m.added = append(m.added, want)
			m.bytes += len(want)
		}
		if len(m.removed)+len(m.added) >= stepRows || m.bytes >= stepBytes {
			if err := m.write(ctx); err != nil {
				return err
			}
		}
	}
	return m.write(ctx)
}

// write makes the changes that were found, in one transaction.
func (m *copyMerge) write(ctx context.Context) error {
	if len(m.removed)+len(m.added) == 0 {
		return nil
	}
	err := m.to.transact(ctx, func(tx *transaction) error {
		if err := m.table.remove(ctx, tx, m.removed); err != nil {
			return err
		}
		if m.table.fixed {
			return m.table.change(ctx, tx, m.added)
		}
		return m.table.insert(ctx, tx, m.added)
	})
	if err != nil {
		return m.to.failed("copy to "+m.table.name, err)
	}
	m.report.Removed += int64(len(m.removed))
	m.report.Written += int64(len(m.added))
	m.removed, m.added, m.bytes = nil, nil, 0
	m.progress(&m.report)
	return nil
}

// removedAtOnce is the number of rows that one statement deletes.
const removedAtOnce = 200

// remove deletes rows by their keys.
func (t *copyTable) remove(ctx context.Context, tx *transaction, rows []copyRow) error {
	for len(rows) > 0 {
		some := rows[:min(len(rows), removedAtOnce)]
		rows = rows[len(some):]
		var p builder
		p.add(`DELETE FROM ` + t.name + ` WHERE `)
		for i := 0; i < len(some); {
			if i > 0 {
				p.add(` OR `)
			}
			group := some[i].values(nil, t.keys)
			for k := range t.keys - 1 {
				p.add(t.columns[k].name+` = ? AND `, group[k])
			}
			of := i + 1
			for of < len(some) && compareKeys(some[of], some[i], t.keys-1) == 0 {
				of++
			}
			p.add(t.columns[t.keys-1].name + ` IN (?` + strings.Repeat(", ?", of-i-1) + `)`)
			for ; i < of; i++ {
				p.args = append(p.args, some[i].values(nil, t.keys)[t.keys-1])
			}
		}
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// change sets the columns of rows that exist.
func (t *copyTable) change(ctx context.Context, tx *transaction, rows []copyRow) error {
	for _, r := range rows {
		values := r.values(nil, len(t.columns))
		var p builder
		p.add(`UPDATE ` + t.name + ` SET `)
		for i, c := range t.columns[t.keys:] {
			if i > 0 {
				p.add(`, `)
			}
			p.add(c.name+` = ?`, values[t.keys+i])
		}
		p.add(` WHERE 1 = 1`)
		for i, c := range t.columns[:t.keys] {
			p.add(` AND `+c.name+` = ?`, values[i])
		}
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// insert inserts rows, many with one statement. Statements are prepared: so servers accept
// values of up to their limit for a packet, whatever is in them.
func (t *copyTable) insert(ctx context.Context, tx *transaction, rows []copyRow) error {
	atOnce := min(len(rows), tx.InsertRows, 30_000/len(t.columns))
	if atOnce == 0 {
		return nil
	}
	many, err := tx.PrepareContext(ctx, t.insertion(atOnce))
	if err != nil {
		return err
	}
	defer many.Close()
	var args []any
	for len(rows) > 0 {
		n, size := 0, 0
		for args = args[:0]; n < min(atOnce, len(rows)) && size < partBytes; n++ {
			args = rows[n].values(args, len(t.columns))
			size += len(rows[n])
		}
		rows = rows[n:]
		if n == atOnce {
			_, err = many.ExecContext(ctx, args...)
		} else {
			err = execPrepared(ctx, tx, t.insertion(n), args)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertion returns a statement that inserts n rows.
func (t *copyTable) insertion(n int) string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	row := `(?` + strings.Repeat(", ?", len(names)-1) + `)`
	return `INSERT INTO ` + t.name + ` (` + strings.Join(names, ", ") + `) VALUES ` + row + strings.Repeat(", "+row, n-1)
}

func execPrepared(ctx context.Context, tx *transaction, statement string, args []any) error {
	stmt, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return err
	}
	defer stmt.Close()
	_, err = stmt.ExecContext(ctx, args...)
	return err
}
