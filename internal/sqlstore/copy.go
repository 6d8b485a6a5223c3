package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A CopyStore is a store of this project that is a [Store] with more methods.
type CopyStore interface {
	Migrate(ctx context.Context) error
	based
}

// A Store is based on itself, and so is a type that embeds it.
type based interface{ base() *Store }

var _ based = (*Store)(nil)

func (s *Store) base() *Store { return s }

// OnCopy sets what a copy calls before it writes the history: days makes what the database
// needs for the days (UTC) since first. It must be called before s is used.
func OnCopy(s *Store, days func(ctx context.Context, first time.Time) error) { s.makeDays = days }

// A CopiedTable is a table of a copy, with the numbers of its rows.
type CopiedTable struct {
	What             string // what the rows are, in English
	Written, Removed int64  // rows of the target
	Source, Target   int64  // the rows at the end, only in the result of Copy
	Sums             []CopiedSum
}

// A CopiedSum is the sum of a column over all rows.
type CopiedSum struct {
	What           string
	Source, Target int64
}

// The errors by which Copy refuses a source or a target. It has written nothing then.
var (
	ErrCopySource = errors.New("the source has no data of linktrack")
	ErrCopyOwn    = errors.New("the target has data of its own, which a copy would delete: name an empty database")
	ErrCopyOther  = errors.New("the target is a copy of another database: name an empty one")
	ErrCopySame   = errors.New("the source and the target are the same database")
	// ErrCopyDiffers: both were written, but are not equal.
	ErrCopyDiffers = errors.New("the target differs from the source: run the copy again while nobody else writes to the target")
)

// applyTime bounds how long a copy waits for the source to apply its click log. What is not
// applied then is copied as it is.
const applyTime = time.Minute

// Copy makes the target equal to the source. See package storecopy for what it promises.
func Copy(ctx context.Context, from, to CopyStore, progress func(CopiedTable)) ([]CopiedTable, error) {
	c := &copying{from: from.base(), to: to.base(), progress: progress}
	if err := c.prepare(ctx, from, to); err != nil {
		return nil, err
	}
	return c.run(ctx)
}

type copying struct {
	from, to *Store
	source   string // its copyID
	progress func(CopiedTable)
}

// prepare refuses what cannot be copied, and brings both databases up to date.
func (c *copying) prepare(ctx context.Context, from, to CopyStore) error {
	known, err := c.from.hasTables(ctx)
	if err == nil && !known {
		err = ErrCopySource
	}
	if err != nil {
		return err
	}
	if err := from.Migrate(ctx); err != nil {
		return err
	}
	if err := c.from.refuseUnfinished(ctx); err != nil {
		return c.from.failed("copy", err)
	}
	if err := c.checkTarget(ctx); err != nil {
		return err
	}
	id, err := c.from.setting(ctx, copyID, newCopyID())
	if err != nil {
		return err
	}
	c.source = string(id)
	if err := to.Migrate(ctx); err != nil {
		return err
	}
	if same, err := c.to.storedSetting(ctx, copyID); err != nil {
		return c.to.failed("copy", err)
	} else if string(same) == c.source {
		return ErrCopySame
	}
	return nil
}

// checkTarget returns an error unless the target is empty or a copy of the source. Tables
// that the target does not have yet are empty.
func (c *copying) checkTarget(ctx context.Context) error {
	known, err := c.to.hasTables(ctx)
	if err != nil || !known {
		return err
	}
	m, err := c.to.readMark(ctx)
	if err != nil {
		return c.to.failed("copy", err)
	}
	if m.source != "" {
		id, err := c.from.storedSetting(ctx, copyID)
		if err != nil {
			return c.from.failed("copy", err)
		}
		if string(id) != m.source {
			return ErrCopyOther
		}
		return nil
	}
	tables := []string{"lt_setting"}
	for _, t := range copiedTables {
		if !t.fixed {
			tables = append(tables, t.name)
		}
	}
	if c.to.d.OldTables {
		tables = append(tables, "lt_click", "lt_pending")
	}
	for _, name := range tables {
		var one int
		err := c.to.readDB.QueryRowContext(ctx, `SELECT 1 FROM `+name+` LIMIT 1`).Scan(&one)
		switch {
		case err == nil:
			return c.ownOrSame(ctx)
		case errors.Is(err, sql.ErrNoRows), c.to.d.Is(err, Rejected):
		default:
			return c.to.failed("copy", err)
		}
	}
	return nil
}

// ownOrSame returns why the target, which has data, is refused.
func (c *copying) ownOrSame(ctx context.Context) error {
	there, err := c.to.storedSetting(ctx, copyID)
	if err != nil || there == nil {
		return ErrCopyOwn
	}
	here, err := c.from.storedSetting(ctx, copyID)
	if err == nil && string(here) == string(there) {
		return ErrCopySame
	}
	return ErrCopyOwn
}

// hasTables reports whether Migrate has run on the database.
func (s *Store) hasTables(ctx context.Context) (bool, error) {
	var version int
	err := s.readDB.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM lt_migration`).Scan(&version)
	if err != nil && s.d.Is(err, Rejected) {
		return false, nil
	}
	if err != nil {
		return false, s.failed("copy", err)
	}
	return version > 0, nil
}

// run copies the tables, one after the other, as they were at one moment.
func (c *copying) run(ctx context.Context) ([]CopiedTable, error) {
	if err := c.applyFirst(ctx); err != nil {
		return nil, err
	}
	if err := c.to.writeMark(ctx, mark{true, c.source}); err != nil {
		return nil, c.to.failed("copy", err)
	}
	conn, err := c.from.readDB.Conn(ctx)
	if err != nil {
		return nil, c.from.failed("copy", err)
	}
	defer conn.Close()
	defer conn.Raw(func(any) error { return driver.ErrBadConn }) // it is closed, which ends the transaction
	for _, stmt := range c.from.d.Snapshot {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			return nil, c.from.failed("copy", err)
		}
	}
	reader := &copyReader{db: conn, d: c.from.d}
	old, err := c.checkOld(ctx, reader)
	if err != nil {
		return nil, err
	}
	if err := c.makeDays(ctx, reader, old); err != nil {
		return nil, err
	}
	all := make([]CopiedTable, 0, len(copiedTables))
	equal := true
	for _, t := range copiedTables {
		report, same, err := c.copyTable(ctx, t, reader, old && t.name == "lt_hit")
		if err != nil {
			return nil, err
		}
		all, equal = append(all, report), equal && same
	}
	for _, table := range countedTables {
		last, err := c.from.d.LastID(ctx, c.from.db.DB, table)
		if err != nil {
			return nil, c.from.failed("copy", err)
		}
		if err := c.to.d.RaiseLastID(ctx, c.to.db.DB, table, last); err != nil {
			return nil, c.to.failed("copy", err)
		}
	}
	if !equal {
		return all, ErrCopyDiffers
	}
	if err := c.to.writeMark(ctx, mark{source: c.source}); err != nil {
		return nil, c.to.failed("copy", err)
	}
	return all, nil
}

// applyFirst applies the click log of the source as far as that is possible in applyTime.
func (c *copying) applyFirst(ctx context.Context) error {
	name, err := c.from.setting(ctx, "zone", nil)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(string(name))
	if err != nil || len(name) == 0 {
		return nil // nobody has applied clicks yet, or not in this version's zones
	}
	applying, cancel := context.WithTimeout(ctx, applyTime)
	defer cancel()
	_, _ = c.from.ApplyClicks(applying, zone, time.Time{}) // what it could not apply is copied
	return ctx.Err()
}

// checkOld reports whether lt_click of the source has rows. lt_pending must have none.
func (c *copying) checkOld(ctx context.Context, r *copyReader) (hits bool, err error) {
	if !c.from.d.OldTables {
		return false, nil
	}
	pending, err := r.has(ctx, `SELECT 1 FROM lt_pending LIMIT 1`)
	if err == nil && pending {
		err = errors.New("a process of an older version still writes to it: stop that process, and run the copy again")
	}
	if err == nil {
		hits, err = r.has(ctx, `SELECT 1 FROM lt_click LIMIT 1`)
	}
	if err != nil {
		err = c.from.failed("copy", err)
	}
	return hits, err
}

// has reports whether a statement has a row.
func (r *copyReader) has(ctx context.Context, statement string, args ...any) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows, err := r.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	found := rows.Next()
	return found, errors.Join(rows.Err(), rows.Close())
}

// makeDays prepares the target for the days of the source's history.
func (c *copying) makeDays(ctx context.Context, r *copyReader, old bool) error {
	if c.to.makeDays == nil {
		return nil
	}
	low, high := int64(0), time.Now().Unix()/86400 // no click is before low; there may be some before the end of high
	for low < high {
		day := (low + high) / 2
		id := linktrack.FirstClickID(time.Unix((day+1)*86400, 0))
		found, err := r.has(ctx, `SELECT 1 FROM lt_hit WHERE id < ? LIMIT 1`, id[:])
		if err == nil && !found && old {
			found, err = r.has(ctx, `SELECT 1 FROM lt_click WHERE id < ? LIMIT 1`, id[:])
		}
		if err == nil && !found {
			found, err = r.has(ctx, `SELECT 1 FROM lt_text WHERE day <= ? LIMIT 1`, day)
		}
		if err != nil {
			return c.from.failed("copy", err)
		}
		if found {
			high = day
		} else {
			low = day + 1
		}
	}
	return c.to.makeDays(ctx, time.Unix(low*86400, 0).UTC())
}

// copyTable copies a table, and compares the sums of both sides afterwards.
func (c *copying) copyTable(ctx context.Context, t *copyTable, source *copyReader, withOld bool) (CopiedTable, bool, error) {
	m := &copyMerge{table: t, to: c.to, report: CopiedTable{What: t.what}}
	m.from = func(ctx context.Context) rowCursor {
		if withOld {
			return &bothCursor{source.cursor(ctx, t), source.cursor(ctx, oldHits), t.keys}
		}
		return source.cursor(ctx, t)
	}
	m.progress = func(now *CopiedTable) {
		if c.progress != nil {
			c.progress(*now)
		}
	}
	if err := m.run(ctx); err != nil {
		return CopiedTable{}, false, err
	}
	target := m.seen
	if m.report.Written+m.report.Removed > 0 {
		// What was written is read again.
		var err error
		if target, err = (&copyReader{db: c.to.readDB, d: c.to.d}).sum(ctx, t); err != nil {
			return CopiedTable{}, false, c.to.failed("copy", err)
		}
	}
	m.report.Source, m.report.Target = m.source.rows, target.rows
	for i, a := range t.added {
		sum := CopiedSum{What: a.what}
		if m.source.totals != nil {
			sum.Source = m.source.totals[i]
		}
		if target.totals != nil {
			sum.Target = target.totals[i]
		}
		m.report.Sums = append(m.report.Sums, sum)
	}
	return m.report, m.source.rows == target.rows && m.source.hash == target.hash, nil
}

// sum reads a table.
func (r *copyReader) sum(ctx context.Context, t *copyTable) (s copySumOf, err error) {
	c := r.cursor(ctx, t)
	defer c.close()
	for ; ; c.next() {
		row, ok, err := c.peek()
		if err != nil || !ok {
			return s, err
		}
		s.add(t, row)
	}
}

// A bothCursor goes over the rows of two tables. If both have a row, the first one's is
// used.
type bothCursor struct {
	first, second *copyCursor
	keys          int
}

func (b *bothCursor) peek() (copyRow, bool, error) {
	x, inFirst, err := b.first.peek()
	if err != nil {
		return nil, false, err
	}
	y, inSecond, err := b.second.peek()
	if err != nil {
		return nil, false, err
	}
	if inFirst && (!inSecond || compareKeys(x, y, b.keys) <= 0) {
		return x, true, nil
	}
	return y, inSecond, nil
}

func (b *bothCursor) next() {
	x, y := b.first.part, b.second.part
	order := -1
	switch {
	case len(x) == 0:
		order = 1
	case len(y) > 0:
		order = compareKeys(x[0], y[0], b.keys)
	}
	if order <= 0 {
		b.first.next()
	}
	if order >= 0 {
		b.second.next()
	}
}

func (b *bothCursor) close() {
	b.first.close()
	b.second.close()
}
