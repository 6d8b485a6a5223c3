package mysqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// The roll-ups are written apart from the batches: a batch leaves its facts in
// lt_pending, and RollUp works in those of many batches at a time, so a link
// that was clicked often in the meantime has its rows written once. Whoever
// reads roll-ups has the rest worked in first, as far as that is soon done.

// RollUp implements [linktrack.ClickStore]. Pending facts that can not be worked
// in are set aside, so that those behind them go on; the next RollUp of this
// process says so, once. [Store.Migrate] puts them back to be tried again.
func (s *Store) RollUp(ctx context.Context, daySince time.Time) error {
	const doing = "roll up"
	if _, err := s.rolledUp(ctx, hourOf(daySince)); err != nil {
		return failed(doing, err)
	}
	if a := s.aside.Swap(nil); a != nil {
		return failed(doing, a)
	}
	return nil
}

// Rollups implements [linktrack.ClickStore]. It reads a range of the primary
// key.
func (s *Store) Rollups(ctx context.Context, link int64, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	const doing = "read roll-ups"
	done, err := s.beginReading(ctx)
	if err != nil {
		return nil, failed(doing, err)
	}
	defer done()
	if _, err := s.nearlyRolledUp(ctx, 0); err != nil {
		return nil, failed(doing, err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT day, data FROM lt_day WHERE link_id = ? AND day BETWEEN ? AND ? ORDER BY day`, link, int64(first), int64(last))
	if err != nil {
		return nil, failed(doing, err)
	}
	defer rows.Close()
	all := []linktrack.Rollup{}
	for rows.Next() {
		var day linktrack.Day
		var data []byte
		if err := rows.Scan(&day, &data); err != nil {
			return nil, failed(doing, err)
		}
		r := linktrack.Rollup{Day: day}
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, failed(doing, err)
		}
		if r.Trim() {
			all = append(all, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failed(doing, err)
	}
	return all, nil
}

// readerPatience is how long who reads roll-ups waits for what is pending.
const readerPatience = 3 * time.Second

// nearlyRolledUp is rolledUp for readers: who wants to see a link, or to switch
// it off, must not fail because of a backlog, or because it can not be worked in
// at all. What is said about that is RollUp's to say.
func (s *Store) nearlyRolledUp(ctx context.Context, hour int64) (from int64, err error) {
	from, pending, err := s.pending(ctx)
	if err != nil || !pending && from >= hour {
		return from, err
	}
	soon, cancel := context.WithTimeout(ctx, readerPatience)
	defer cancel()
	from, err = s.turns.do(soon, hour, func(_ context.Context, hour int64) (int64, error) {
		soon, cancel := context.WithTimeout(ctx, readerPatience) // anew, since others wait for it, too
		defer cancel()
		return s.rolledUp(soon, hour)
	})
	if err != nil {
		from, _, err = s.pending(ctx)
	}
	return from, err
}

// pending returns where lt_rank.recent begins, and whether facts are pending.
func (s *Store) pending(ctx context.Context) (from int64, pending bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT from_hour, EXISTS (SELECT 1 FROM lt_pending WHERE id > 0) FROM lt_roll WHERE id = 1`).Scan(&from, &pending)
	return from, pending, err
}

// rolledUp sees to it that no facts are pending and that recent begins at
// hour or later, and returns where it begins.
func (s *Store) rolledUp(ctx context.Context, hour int64) (from int64, err error) {
	for most := pendingRows; ; {
		from, pending, err := s.pending(ctx)
		if err != nil {
			return 0, err
		}
		if !pending && from >= hour {
			return from, nil
		}
		more := false
		err = s.transact(ctx, func(tx *sqlx.Tx) (err error) {
			more, err = s.rollUp(ctx, tx, hour, most)
			return err
		})
		bad := new(badRows)
		switch {
		case errors.As(err, &bad): // find out which
			if err = nil; len(bad.ids) == 1 {
				err = s.setAside(ctx, bad)
			}
			most, more = max(len(bad.ids)/2, 1), true
		default:
			most = min(2*most, pendingRows)
		}
		if err != nil {
			return 0, err
		}
		if !more {
			return max(from, hour), nil
		}
	}
}

// How much of lt_pending is worked in by one transaction: rows, and bytes.
const (
	pendingRows  = 5000
	pendingBytes = 2 << 20
)

// A pace finds how many rows a transaction can work in within about rollTime:
// one that takes so long that it is given up would never get anywhere. Many at
// a time are better, since they change the same rows.
type pace struct{ size atomic.Int64 } // 0: nothing is known yet

const (
	rollTime  = time.Second
	firstRows = 100
)

func (p *pace) rows() int { return cmp.Or(int(p.size.Load()), firstRows) }

// took notes how long a transaction worked on so many rows, and how that ended.
func (p *pace) took(rows int, worked time.Duration, err error) {
	switch {
	case rows == 0:
	case worked > rollTime:
		p.size.Store(int64(max(min(rows, p.rows())/2, 1)))
	case err == nil && worked < rollTime/2 && rows >= p.rows():
		p.size.Store(int64(min(2*p.rows(), pendingRows)))
	}
}

// rollUp works pending facts in, of so many rows at most, and moves recent on
// to hour. More says that there may be further facts. One does it at a time,
// over all processes. The error is a *badRows if it is because of what is in
// the rows.
func (s *Store) rollUp(ctx context.Context, tx *sqlx.Tx, hour int64, most int) (more bool, err error) {
	var from int64
	if err := tx.QueryRowContext(ctx, `SELECT from_hour FROM lt_roll WHERE id = 1 FOR UPDATE`).Scan(&from); err != nil {
		return false, err
	}
	w := newWork()
	if more, err = w.choose(ctx, tx, min(most, s.pace.rows())); err != nil {
		return false, err
	}
	if hour > from {
		if err := forgetHours(ctx, tx, from, hour); err != nil {
			return false, err
		}
		from = hour
	}
	begun := time.Now()
	if err = w.read(ctx, tx); err == nil {
		err = w.write(ctx, tx, from)
	}
	s.pace.took(len(w.done), time.Since(begun), err)
	if isBad(err) {
		err = &badRows{w.done, err}
	}
	return more, err
}

// forgetHours takes the hours before hour out of lt_rank.recent.
func forgetHours(ctx context.Context, tx *sqlx.Tx, from, hour int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE (SELECT link_id, SUM(clicks) AS clicks FROM lt_hour FORCE INDEX (lt_hour_hour) WHERE hour >= ? AND hour < ? GROUP BY link_id) d
		STRAIGHT_JOIN lt_rank r ON r.link_id = d.link_id
		SET r.recent = r.recent - d.clicks`, from, hour)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE lt_roll SET from_hour = ? WHERE id = 1`, hour)
	return err
}

// A work is facts summed up by the rows they change.
type work struct {
	done  []int64 // lt_pending.id
	hours map[linkHour]*linktrack.Counters
	days  map[linkDay]*linktrack.Rollup
	ranks map[int64]*rank // by link
}

// A rank is what is added to a row of lt_rank.
type rank struct{ recent, total, last int64 }

// choose takes the oldest pending rows, and says whether there are more.
func (w *work) choose(ctx context.Context, tx *sqlx.Tx, most int) (more bool, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, LENGTH(facts) FROM lt_pending WHERE id > 0 ORDER BY id LIMIT ?`, most)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for bytes := int64(0); rows.Next(); {
		var id, length int64
		if err := rows.Scan(&id, &length); err != nil {
			return false, err
		}
		if bytes += length; bytes > pendingBytes && len(w.done) > 0 {
			more = true
			break
		}
		w.done = append(w.done, id)
	}
	return more || len(w.done) == most, errors.Join(rows.Err(), rows.Close())
}

// read takes the facts of the rows that were chosen.
func (w *work) read(ctx context.Context, tx *sqlx.Tx) error {
	if len(w.done) == 0 {
		return nil
	}
	var p builder
	p.add(`SELECT facts FROM lt_pending WHERE id IN `)
	p.inNumbers(w.done)
	rows, err := tx.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var facts []byte
		if err := rows.Scan(&facts); err != nil {
			return err
		}
		if err := readFacts(facts, w.take); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

type linkHour struct{ link, hour int64 }

type linkDay struct {
	link int64
	day  linktrack.Day
}

func newWork() *work {
	return &work{hours: make(map[linkHour]*linktrack.Counters), days: make(map[linkDay]*linktrack.Rollup), ranks: make(map[int64]*rank)}
}

func (w *work) take(f *fact) {
	day := w.days[linkDay{f.link, f.day}]
	if day == nil {
		day = &linktrack.Rollup{Day: f.day}
		w.days[linkDay{f.link, f.day}] = day
	}
	switch {
	case f.isTakenBack:
		day.RemoveConversion(&f.conversion, f.of)
		return
	case f.isConversion:
		day.AddConversion(&f.conversion, f.of)
		return
	}
	day.AddClick(&f.click, f.of)

	hour := w.hours[linkHour{f.link, hourOf(fromMicros(f.at))}]
	if hour == nil {
		hour = &linktrack.Counters{}
		w.hours[linkHour{f.link, hourOf(fromMicros(f.at))}] = hour
	}
	ranked := w.ranks[f.link]
	if ranked == nil {
		ranked = &rank{}
		w.ranks[f.link] = ranked
	}
	ranked.last = max(ranked.last, f.at)
	if !f.click.Bot {
		ranked.total++
	}
	switch {
	case f.click.Bot:
		hour.Bots++
	case f.click.Unique:
		hour.Unique++
		fallthrough
	default:
		hour.People++
	}
}

// write writes the sums of those links that exist.
func (w *work) write(ctx context.Context, tx *sqlx.Tx, from int64) error {
	if len(w.done) == 0 {
		return nil
	}
	if err := w.forgetUnknown(ctx, tx); err != nil {
		return err
	}
	hours := slices.SortedFunc(maps.Keys(w.hours), func(x, y linkHour) int {
		return cmp.Or(cmp.Compare(x.link, y.link), cmp.Compare(x.hour, y.hour))
	})
	for part := range slices.Chunk(hours, rowsAtOnce) {
		var p builder
		p.add(`INSERT INTO lt_hour (link_id, hour, clicks, uniques, bots) VALUES `)
		for i, k := range part {
			n := w.hours[k]
			p.row(i, k.link, k.hour, n.People, n.Unique, n.Bots)
			if k.hour >= from {
				w.ranks[k.link].recent += n.People
			}
		}
		p.add(` ON DUPLICATE KEY UPDATE clicks = lt_hour.clicks + VALUES(clicks), uniques = lt_hour.uniques + VALUES(uniques), bots = lt_hour.bots + VALUES(bots)`)
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(w.ranks)), rowsAtOnce) {
		var p builder
		p.add(`INSERT INTO lt_rank (link_id, account_id, recent, total, last_click) VALUES `)
		for i, link := range part {
			r := w.ranks[link]
			p.row(i, link, 0, r.recent, r.total, r.last)
		}
		p.add(` ON DUPLICATE KEY UPDATE recent = lt_rank.recent + VALUES(recent), total = lt_rank.total + VALUES(total),` +
			` last_click = GREATEST(lt_rank.last_click, VALUES(last_click))`)
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
	}
	if err := w.writeDays(ctx, tx); err != nil {
		return err
	}
	var p builder
	p.add(`DELETE FROM lt_pending WHERE id IN `)
	p.inNumbers(w.done)
	return p.exec(ctx, tx)
}

// rowsAtOnce is how many rows one statement reads or writes.
const rowsAtOnce = 1000

// forgetUnknown drops the sums of links that do not exist.
func (w *work) forgetUnknown(ctx context.Context, tx *sqlx.Tx) error {
	links := make(map[int64]bool)
	for k := range w.days {
		links[k.link] = false
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(links)), rowsAtOnce) {
		var p builder
		p.add(`SELECT link_id FROM lt_rank WHERE link_id IN `)
		p.inNumbers(part)
		var known []int64
		if err := tx.SelectContext(ctx, &known, p.sql.String(), p.args...); err != nil {
			return err
		}
		for _, link := range known {
			links[link] = true
		}
	}
	maps.DeleteFunc(w.hours, func(k linkHour, _ *linktrack.Counters) bool { return !links[k.link] })
	maps.DeleteFunc(w.ranks, func(link int64, _ *rank) bool { return !links[link] })
	maps.DeleteFunc(w.days, func(k linkDay, _ *linktrack.Rollup) bool { return !links[k.link] })
	return nil
}

// writeDays merges the sums of days with what is kept of them.
func (w *work) writeDays(ctx context.Context, tx *sqlx.Tx) error {
	days := slices.SortedFunc(maps.Keys(w.days), func(x, y linkDay) int {
		return cmp.Or(cmp.Compare(x.day, y.day), cmp.Compare(x.link, y.link))
	})
	for len(days) > 0 {
		n := 1
		for n < min(len(days), rowsAtOnce) && days[n].day == days[0].day {
			n++
		}
		if err := w.writeDay(ctx, tx, days[:n]); err != nil {
			return err
		}
		days = days[n:]
	}
	return nil
}

// writeDay does it for links on one day.
func (w *work) writeDay(ctx context.Context, tx *sqlx.Tx, keys []linkDay) error {
	links := make([]int64, len(keys))
	for i, k := range keys {
		links[i] = k.link
	}
	var p builder
	p.add(`SELECT link_id, data FROM lt_day WHERE day = ? AND link_id IN `, int64(keys[0].day))
	p.inNumbers(links)
	rows, err := tx.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		kept := linktrack.Rollup{Day: keys[0].day}
		var link int64
		var data []byte
		if err := rows.Scan(&link, &data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, &kept); err != nil {
			return errDay // without the text, which may show what is in it
		}
		w.days[linkDay{link, keys[0].day}].Merge(kept)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for len(keys) > 0 {
		var p builder
		p.add(`INSERT INTO lt_day (link_id, day, data) VALUES `)
		n, size := 0, 0
		for ; n < len(keys) && size < packetSize; n++ {
			data, err := json.Marshal(w.days[keys[n]])
			if err != nil {
				return err
			}
			p.row(n, keys[n].link, int64(keys[n].day), data)
			size += len(data)
		}
		p.add(` ON DUPLICATE KEY UPDATE data = VALUES(data)`)
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// row adds the values of the i-th row of an INSERT.
func (p *builder) row(i int, values ...any) {
	if i > 0 {
		p.add(", ")
	}
	p.add("(?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

// inNumbers adds a list of numbers.
func (p *builder) inNumbers(numbers []int64) {
	p.add("(?" + strings.Repeat(", ?", len(numbers)-1) + ")")
	for _, n := range numbers {
		p.args = append(p.args, n)
	}
}

func (p *builder) exec(ctx context.Context, tx *sqlx.Tx) error {
	_, err := tx.ExecContext(ctx, p.sql.String(), p.args...)
	return err
}
