package sqlstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A step applies some thousand clicks in one transaction. It changes the counts last,
// because it then holds locks for which visitors to links with a limit have to wait.
type step struct {
	store   *Store
	zone    *time.Location
	hour    int64    // lt_rank.recent is to count clicks from this hour on
	left    []logKey // the newest batches of the sources that are not applied yet; run removes the applied ones
	maxRows int
}

// run runs the step's transaction. If the transaction has to be repeated, it reads all rows
// again. The error is a *badRows if the content of the rows is the cause.
func (st *step) run(ctx context.Context) error {
	s := st.store
	var left []logKey
	err := s.transact(ctx, func(tx *transaction) (err error) {
		from, err := s.lockLease(ctx, tx)
		if err != nil {
			return err
		}
		var rows logRows
		if left, err = rows.choose(ctx, tx, st.left, st.maxRows, s.pace.clicks()); err != nil {
			return err
		}
		begun := time.Now()
		err = st.apply(ctx, tx, from, &rows, len(left) == 0)
		if rows.isBad(tx, err) {
			err = &badRows{rows.all, rows.at, err}
		}
		s.pace.took(rows.clicks, time.Since(begun), err)
		return err
	})
	if err == nil {
		st.left = left
	}
	return err
}

func (st *step) apply(ctx context.Context, tx *transaction, from int64, rows *logRows, last bool) error {
	if st.hour > from {
		if err := forgetHours(ctx, tx, from, st.hour); err != nil {
			return err
		}
		from = st.hour
	}
	if err := rows.read(ctx, tx); err != nil {
		return err
	}
	marks, err := readMarks(ctx, tx, rows.all)
	if err != nil {
		return err
	}
	w := newWork()
	if err := rows.decode(w, marks); err != nil {
		return err
	}
	if err := w.forgetUnknown(ctx, tx); err != nil {
		return err
	}
	w.sum(st.zone)
	w.sortClicks()
	if err := w.shareTexts(ctx, tx, st.store.textUsage, st.store.textSecret); err != nil {
		return err
	}
	if err := w.write(ctx, tx, from); err != nil {
		return err
	}
	if err := raiseMarks(ctx, tx, rows.all); err != nil {
		return err
	}
	if err := st.store.keepLease(ctx, tx, from, last); err != nil {
		return err
	}
	if err := w.writeCounts(ctx, tx); err != nil {
		return err
	}
	return rows.remove(ctx, tx)
}

// A logRow is a row of lt_log.
type logRow struct {
	logKey
	kind int
	data string
}

// logRows are the rows of a step, in the order of their keys.
type logRows struct {
	ranges []logRange
	clicks int // a row without clicks counts as one
	all    []logRow
	at     int // the index of the row that cannot be decoded; -1: none
}

// A logRange is a range of batches of a source.
type logRange struct {
	source      linktrack.Source
	first, last int64
}

// choose selects the rows for the step, beginning at the source of the first key. It returns
// the keys that remain: without those at the beginning whose batches are selected or no
// longer in the log.
func (r *logRows) choose(ctx context.Context, tx *transaction, keys []logKey, maxRows, maxClicks int) (left []logKey, err error) {
	r.at = -1
	if len(keys) == 0 {
		return nil, nil
	}
	limit := min(maxRows, maxClicks)
	rows, err := tx.QueryContext(ctx, `
		SELECT source, seq, clicks, bytes FROM lt_log`+tx.Index(primary)+`
		WHERE is_quarantined = 0 AND source >= ? ORDER BY source, seq LIMIT ?`, keys[0].source[:], limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	n, bytes := 0, 0
	var end logKey // the last row that is selected
	full := false
	for ; rows.Next(); n++ {
		var k logKey
		var source []byte
		var clicks, length int
		if err := rows.Scan(&source, &k.seq, &clicks, &length); err != nil {
			return nil, err
		}
		copy(k.source[:], source)
		if full = n > 0 && (r.clicks >= maxClicks || bytes+length > maxBytes); full {
			break
		}
		r.clicks += max(clicks, 1)
		bytes += length
		if last := len(r.ranges) - 1; last >= 0 && r.ranges[last].source == k.source {
			r.ranges[last].last = k.seq
		} else {
			r.ranges = append(r.ranges, logRange{k.source, k.seq, k.seq})
		}
		end = k
	}
	full = full || n == limit
	first := keys[0].source
	for left = keys; len(left) > 0; left = left[1:] {
		source := slices.Compare(left[0].source[:], end.source[:])
		switch {
		case slices.Compare(left[0].source[:], first[:]) < 0: // it is before those that were read
			return left, errors.Join(rows.Err(), rows.Close())
		case !full, source < 0, source == 0 && left[0].seq <= end.seq:
		default:
			return left, errors.Join(rows.Err(), rows.Close())
		}
	}
	return nil, errors.Join(rows.Err(), rows.Close())
}

// rangesAtOnce is the maximum number of ranges in one statement.
const rangesAtOnce = 100

// inRanges adds the condition that a row of lt_log is in one of the ranges and not
// quarantined.
func (p *builder) inRanges(ranges []logRange) {
	p.add(` WHERE is_quarantined = 0 AND (`)
	p.anyOf(len(ranges), func(i int) {
		p.add(`source = ? AND seq BETWEEN ? AND ?`, ranges[i].source[:], ranges[i].first, ranges[i].last)
	})
	p.add(`)`)
}

// read reads the selected rows.
func (r *logRows) read(ctx context.Context, tx *transaction) error {
	for part := range slices.Chunk(r.ranges, rangesAtOnce) {
		var p builder
		p.add(`SELECT source, seq, kind, data FROM lt_log` + tx.Index(primary))
		p.inRanges(part)
		p.add(` ORDER BY source, seq`)
		rows, err := tx.QueryContext(ctx, p.sql.String(), p.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var row logRow
			var source []byte
			if err := rows.Scan(&source, &row.seq, &row.kind, &row.data); err != nil {
				return err
			}
			copy(row.source[:], source)
			r.all = append(r.all, row)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// decode decodes the rows and adds their content to w. It skips batches whose Seq is not
// above the mark of their source: they were applied before.
func (r *logRows) decode(w *work, marks map[linktrack.Source]int64) error {
	for i := range r.all {
		row := &r.all[i]
		var err error
		switch row.kind {
		case kindClicks:
			if row.seq > marks[row.source] {
				err = w.takeClicks(row.data)
			}
		case kindFacts:
			err = readFacts([]byte(row.data), w.takeFact)
		default:
			err = errFacts
		}
		if err != nil {
			r.at = i
			return err
		}
	}
	return nil
}

// errRowsChanged makes a transaction run again because another one has changed or removed
// some of the rows that it chose.
var errRowsChanged = errors.New("another process has changed the rows")

// remove deletes the rows.
func (r *logRows) remove(ctx context.Context, tx *transaction) error {
	var removed int64
	for part := range slices.Chunk(r.ranges, rangesAtOnce) {
		var p builder
		p.add(`DELETE FROM lt_log`)
		p.inRanges(part)
		n, err := p.affect(ctx, tx)
		if err != nil {
			return err
		}
		removed += n
	}
	if removed != int64(len(r.all)) {
		return errRowsChanged
	}
	return nil
}

// readMarks returns the mark of each source of the rows: the highest Seq that was applied.
// Sources of which no batch was applied are missing in the result.
func readMarks(ctx context.Context, tx *transaction, rows []logRow) (map[linktrack.Source]int64, error) {
	marks := make(map[linktrack.Source]int64)
	for part := range slices.Chunk(slices.Collect(maps.Keys(highest(rows))), rowsAtOnce) {
		var p builder
		p.add(`SELECT source, seq FROM lt_source WHERE source IN `)
		texts := make([]string, len(part))
		for i := range part {
			texts[i] = string(part[i][:])
		}
		p.in(texts)
		found, err := tx.QueryContext(ctx, p.sql.String(), p.args...)
		if err != nil {
			return nil, err
		}
		defer found.Close()
		for found.Next() {
			var source []byte
			var seq int64
			if err := found.Scan(&source, &seq); err != nil {
				return nil, err
			}
			marks[linktrack.Source(source)] = seq
		}
		if err := errors.Join(found.Err(), found.Close()); err != nil {
			return nil, err
		}
	}
	return marks, nil
}

// raiseMarks raises the marks of the sources to their batches among the rows, and notes
// when these were applied.
func raiseMarks(ctx context.Context, tx *transaction, rows []logRow) error {
	seqs := highest(rows)
	sources := slices.SortedFunc(maps.Keys(seqs), func(x, y linktrack.Source) int { return slices.Compare(x[:], y[:]) })
	for part := range slices.Chunk(sources, rowsAtOnce) {
		var p builder
		p.add(`INSERT INTO lt_source (source, seq, applied_at) VALUES `)
		for i, source := range part {
			if i > 0 {
				p.add(`, `)
			}
			p.add(`(?, ?, `+tx.Now+` * 1000000)`, slices.Clone(source[:]), seqs[source])
		}
		p.add(tx.upsert("lt_source", "source", raise("seq"), replace("applied_at")))
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// highest returns the highest Seq of each source among the batches of clicks.
func highest(rows []logRow) map[linktrack.Source]int64 {
	seqs := make(map[linktrack.Source]int64)
	for i := range rows {
		if r := &rows[i]; r.kind == kindClicks {
			seqs[r.source] = max(seqs[r.source], r.seq)
		}
	}
	return seqs
}

// PruneSources deletes the marks of sources of which no batch was applied for 400 days, and
// the reservations of sources that have made none for three days.
// Processes of the previous version do not set applied_at, so where it is 0, the 400 days
// begin now.
func PruneSources(ctx context.Context, s *Store) error {
	return s.transact(ctx, func(tx *transaction) error {
		for _, stmt := range []string{
			`UPDATE lt_source SET applied_at = ` + tx.Now + ` * 1000000 WHERE applied_at = 0`,
			`DELETE FROM lt_source WHERE applied_at < (` + tx.Now + ` - 400 * 86400) * 1000000`,
			`DELETE FROM lt_reservation WHERE day < ` + tx.Now + ` - 3 * 86400`,
		} {
			if _, err := tx.ExecContext(ctx, stmt); err != nil {
				return err
			}
		}
		return nil
	})
}
