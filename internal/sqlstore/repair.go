package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Repair recomputes sums where [Store.Check] finds that they differ, and calls repaired,
// unless that is nil, with a sentence for each link that it has changed. It is for databases
// in which an older version counted clicks twice.
//
// Each is computed from what it is the sum of, in this order:
//
//  1. The hours (UTC) and the days of the link, from its history. Only a day whose number of
//     clicks differs is changed, because the history may know less than the day: clicks
//     whose visitor was erased count there without referrer, browser,
//     platform, and country.
//  2. The conversions of the days, from the stored conversions.
//  3. The sums of these days for the link's account, group, and tags change by as much as the
//     day does. They stay if they have less than the day had: the link did not count for
//     that group or tag then. If they have more from other links, this cannot be noticed.
//  4. The counts and the columns by which links are sorted, from the hours; the number of
//     conversions from the stored conversions.
//
// It does not change:
//
//   - Hours and days before the first day (UTC) of which PruneClicks has left the history,
//     because nothing shows what was right. The counts become the sum of all hours, so they
//     have what is wrong there.
//   - A day that began before then, because its zone is not UTC. Its hours since then are
//     repaired.
//   - A link without a row in lt_count, which had its limit, and links that are being purged.
//
// Check still reports such hours and days if they differ from each other, and a link without
// a row in lt_count.
//
// Nobody is alerted twice: an alert that was sent stays sent if the count falls below its
// number. If a count rises to the number of an alert that was never sent, it is due. A link
// has as many clicks left as its limit allows beyond the higher one of its count and the
// clicks that were let through.
//
//   - It may run while processes of this version serve, and may be called twice at the same
//     time. It changes a day in one transaction, and ApplyClicks waits for that: some seconds
//     for a day of a million clicks. A click that is not applied yet is counted once, later.
//   - No process of a version without a click log may run. If one has left sums that are
//     still to be added, Repair stops with an error at the first day that this may concern.
//     Call ApplyClicks first.
//   - If it ends with an error, or because ctx ends, all that it has changed is right, and
//     another call does the rest. A call that finds nothing to repair changes nothing.
//   - Errors are: a damaged file, a zone of the days that is unknown on this machine, a row
//     of lt_sum that cannot be read, and conversions in the click log that cannot be decoded.
//   - It needs the memory of one day's roll-up, however many clicks there are.
func (s *Store) Repair(ctx context.Context, repaired func(sentence string)) error {
	if err := s.repair(ctx, repaired); err != nil {
		return s.failed("repair the sums", err)
	}
	return nil
}

func (s *Store) repair(ctx context.Context, repaired func(sentence string)) error {
	if err := s.own(ctx); err != nil {
		return err
	}
	if s.d.CheckFile != nil {
		damage, err := s.d.CheckFile(ctx, s.readDB.DB)
		if err == nil && len(damage) > 0 {
			err = errors.New("the file is damaged, so it must be restored from a backup")
		}
		if err != nil {
			return err
		}
	}
	name, err := s.setting(ctx, "zone", nil)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(string(name)) // "": UTC
	if err != nil || zone == time.Local {
		return fmt.Errorf("the zone of the days, %q, is unknown on this machine", name)
	}
	return s.eachCompared(ctx, func(id int64, l *compared) error {
		if len(l.findings()) == 0 {
			return nil
		}
		r := &repair{store: s, zone: zone, id: id, link: l}
		sentence, err := r.run(ctx)
		if err == nil && sentence != "" && repaired != nil {
			repaired(sentence)
		}
		return err
	})
}

// A repair is that of one link.
type repair struct {
	store *Store
	zone  *time.Location
	id    int64
	link  *compared
}

// clicksAtOnce is the number of clicks of the history that are in memory.
const clicksAtOnce = 5000

func (r *repair) run(ctx context.Context) (sentence string, err error) {
	var days []linktrack.Day
	if r.link.daysDiffer() {
		if days, err = r.days(ctx); err != nil {
			return "", err
		}
	}
	repaired := 0
	for _, day := range days {
		// Most days agree. Only the others are read again while nothing is counted.
		if differs, err := r.differs(ctx, day); err != nil {
			return "", err
		} else if !differs {
			continue
		}
		changed := false
		err := r.store.withLeaseFor(ctx, repairSeconds, func(tx *transaction) (err error) {
			from, err := r.store.lockLease(ctx, tx)
			if err != nil {
				return err
			}
			if changed, err = r.day(ctx, tx, day); err != nil {
				return err
			}
			return r.store.keepLease(ctx, tx, from, true)
		})
		if err != nil {
			return "", err
		}
		if changed {
			repaired++
		}
	}
	var was, is linktrack.Counters
	sorted := false
	err = r.store.withLease(ctx, func(tx *transaction) (err error) {
		was, is, sorted, err = r.totals(ctx, tx)
		return err
	})
	if err != nil {
		return "", err
	}
	return r.sentence(repaired, was, is, sorted), nil
}

func (r *repair) sentence(days int, was, is linktrack.Counters, sorted bool) string {
	list := func(n linktrack.Counters) string {
		return fmt.Sprintf("%d clicks of people, %d of new visitors, %d of bots, and %d conversions", n.People, n.Unique, n.Bots, n.Conversions)
	}
	text := ""
	if days > 0 {
		text = fmt.Sprintf(" The sums of %d of its days were recomputed.", days)
	}
	switch {
	case was != is:
		return fmt.Sprintf("%s had %s in its counts, and now has %s.%s", r.link.name, list(was), list(is), text)
	case days > 0:
		return fmt.Sprintf("%s still has %s in its counts.%s", r.link.name, list(is), text)
	case sorted:
		return r.link.name + " has other numbers in lt_rank now."
	}
	return ""
}

// days returns the days that have anything of the link, in order.
func (r *repair) days(ctx context.Context) ([]linktrack.Day, error) {
	found := make(map[linktrack.Day]bool)
	at := func(t time.Time) {
		day, _ := linktrack.DayAndHour(t, r.zone)
		found[day] = true
	}
	each := func(query string, take func(n int64)) error {
		var p builder
		p.add(query, r.id)
		return p.each(ctx, r.store.readDB, func(row *sql.Rows) error {
			var n int64
			err := row.Scan(&n)
			take(n)
			return err
		})
	}
	isDay := func(day int64) { found[linktrack.Day(day)] = true }
	err := errors.Join(
		each(`SELECT day FROM lt_day WHERE link_id = ?`, isDay),
		each(`SELECT DISTINCT day FROM lt_conversion WHERE link_id = ? AND day IS NOT NULL`, isDay),
		each(`SELECT created_at FROM lt_conversion WHERE link_id = ? AND day IS NULL`, func(n int64) { at(fromMicros(n)) }),
		each(`SELECT hour FROM lt_hour WHERE link_id = ?`, func(hour int64) {
			at(time.Unix(hour*3600, 0))
			at(time.Unix(hour*3600+3599, 0)) // where days begin within an hour
		}))
	for _, table := range []string{"lt_hit", "lt_click"} {
		if table == "lt_click" && !r.store.d.OldTables {
			break
		}
		for next := (linktrack.ClickID{}); err == nil; {
			var id []byte
			err = r.store.readDB.QueryRowContext(ctx, `SELECT id FROM `+table+` WHERE link_id = ? AND id >= ? ORDER BY id LIMIT 1`, r.id, next[:]).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				err = nil
				break
			}
			if err == nil {
				day, _ := linktrack.DayAndHour(linktrack.ClickID(id).Time(), r.zone)
				found[day] = true
				next = linktrack.FirstClickID((day + 1).Start(r.zone))
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), err
}

// differs reports whether a day is to be repaired.
func (r *repair) differs(ctx context.Context, day linktrack.Day) (bool, error) {
	for a := (attempt{d: r.store.d, twice: true}); ; {
		differs, err := r.differsNow(ctx, day)
		if !a.again(ctx, err) {
			return differs, err
		}
	}
}

func (r *repair) differsNow(ctx context.Context, day linktrack.Day) (bool, error) {
	tx, err := r.store.readDB.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // it has changed nothing
	w, err := r.plan(ctx, &transaction{tx, r.store.d, nil}, day)
	return w != nil, err
}

// day repairs a day, with all hours that overlap it.
func (r *repair) day(ctx context.Context, tx *transaction, day linktrack.Day) (changed bool, err error) {
	w, err := r.plan(ctx, tx, day)
	if err != nil || w == nil {
		return false, err
	}
	return w.replace(ctx, tx, r.id)
}

// plan returns what is to be stored in place of what a day and its hours have, or nil if
// nothing is.
func (r *repair) plan(ctx context.Context, tx *transaction, day linktrack.Day) (*work, error) {
	start, end := day.Start(r.zone), (day + 1).Start(r.zone)
	first, until := max(linktrack.HourOf(start), r.link.keptFrom), linktrack.HourOf(end.Add(time.Hour-1))
	isWhole := linktrack.HourOf(start) >= r.link.keptFrom // the history has all of the day
	history := newWork()
	if first < until {
		if err := r.read(ctx, tx, history, time.Unix(first*3600, 0), time.Unix(until*3600, 0)); err != nil {
			return nil, err
		}
		// PruneClicks notes a day before it removes its clicks, perhaps since the days were compared.
		if pruned, err := prunedBefore(ctx, tx); err != nil || linktrack.HourOf(pruned) > first {
			return nil, err
		}
	}
	w := newWork()
	k := linkDay{r.id, day}
	old, err := r.stored(ctx, tx, day)
	if err != nil && !errors.Is(err, errDay) {
		return nil, err
	}
	isUnreadable := err != nil
	was := old
	if is := history.day(r.id, day); isWhole && (isUnreadable || clicksOf(is.Counters) != clicksOf(old.Counters)) {
		was = *is
	}
	converted, err := r.conversions(ctx, tx, day)
	if err != nil {
		return nil, err
	}
	now := withoutConversions(was)
	now.Merge(converted)
	now.Trim()
	if isWhole || !isUnreadable {
		if isUnreadable || now.Counters != old.Counters || !maps.Equal(now.Values, old.Values) {
			w.days[k] = &now
		}
		if !isUnreadable {
			w.replaced = map[linkDay]*linktrack.Rollup{k: &old}
		}
	}
	if err := r.hours(ctx, tx, w, history, first, until); err != nil {
		return nil, err
	}
	if len(w.days) == 0 && len(w.hours) == 0 {
		return nil, nil
	}
	return w, nil
}

// read adds the history from one time until another one to the sums.
func (r *repair) read(ctx context.Context, tx *transaction, w *work, from, to time.Time) error {
	q := linktrack.ClickFilter{Link: r.id, From: from, To: to, Ascending: true, Limit: clicksAtOnce}
	for {
		rows, err := r.store.readHistory(ctx, tx, &q)
		if err == nil {
			err = r.store.addTexts(ctx, tx, rows)
		}
		if err != nil {
			return err
		}
		clicks := make([]linktrack.Click, len(rows))
		for i := range rows {
			clicks[i] = rows[i].Click
		}
		w.takeDeltas(linktrack.Deltas(clicks, r.zone))
		if len(rows) < q.Limit {
			return nil
		}
		q.After = clicks[len(clicks)-1].ID
	}
}

// stored returns the roll-up of a day as it is stored, and errDay if it cannot be read.
func (r *repair) stored(ctx context.Context, tx *transaction, day linktrack.Day) (linktrack.Rollup, error) {
	stored := linktrack.Rollup{Day: day}
	var data []byte
	err := tx.QueryRowContext(ctx, `SELECT data FROM lt_day WHERE link_id = ? AND day = ?`, r.id, int64(day)).Scan(&data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return stored, nil
	case err != nil:
		return stored, err
	case json.Unmarshal(data, &stored) != nil:
		return linktrack.Rollup{Day: day}, errDay
	}
	stored.Trim()
	return stored, nil
}

// conversions returns the conversions that the roll-up of a day is to have: those that are
// stored, except what the click log has for the roll-up. One statement reads both, because
// conversions are recorded meanwhile.
func (r *repair) conversions(ctx context.Context, tx *transaction, day linktrack.Day) (linktrack.Rollup, error) {
	sum := linktrack.Rollup{Day: day}
	var p builder
	p.add(`SELECT day, hour, created_at, value, currency, x'' FROM lt_conversion WHERE link_id = ? AND (day = ? OR day IS NULL)
		UNION ALL SELECT NULL, NULL, 0, 0, x'', data FROM (`+selectFacts+`) f`, r.id, int64(day))
	err := p.each(ctx, tx, func(row *sql.Rows) error {
		var on, hour sql.NullInt64
		var at int64
		var facts []byte
		var c linktrack.Conversion
		if err := row.Scan(&on, &hour, &at, &c.Value, &c.Currency, &facts); err != nil {
			return err
		}
		if len(facts) > 0 {
			return r.takeFacts(&sum, facts)
		}
		k := conversion{c, linktrack.Day(on.Int64), int(hour.Int64)}
		if !on.Valid {
			k.day, k.hour = linktrack.DayAndHour(fromMicros(at), r.zone)
		}
		if k.day == day {
			sum.AddConversion(&c, k.hour)
		}
		return nil
	})
	if err != nil || !tx.OldTables {
		return sum, err
	}
	var isLeft bool
	if err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM lt_pending)`).Scan(&isLeft); err == nil && isLeft {
		err = errLeft
	}
	return sum, err
}

// errLeft stops a repair: the history has clicks that are still to be added to the sums.
var errLeft = errors.New("a process of a version without a click log has left clicks that are not in the sums yet: stop it, and start one of this version")

// takeFacts removes from the sum what ApplyClicks will add to it.
func (r *repair) takeFacts(sum *linktrack.Rollup, facts []byte) (err error) {
	bad := readFacts(facts, func(f *fact) {
		switch {
		case !f.isConversion:
			err = errLeft
		case f.link != r.id || f.day != sum.Day:
		case f.isTakenBack:
			sum.AddConversion(&f.conversion, f.of)
		default:
			sum.RemoveConversion(&f.conversion, f.of)
		}
	})
	if bad != nil {
		return bad
	}
	return err
}

// hours adds the hours that differ from the history to the work.
func (r *repair) hours(ctx context.Context, tx *transaction, w, history *work, first, until int64) error {
	var p builder
	p.add(`SELECT hour, clicks, uniques, bots FROM lt_hour WHERE link_id = ? AND hour >= ? AND hour < ?`, r.id, first, until)
	stored := make(map[int64]linktrack.Counters)
	err := p.each(ctx, tx, func(row *sql.Rows) error {
		var hour int64
		var n linktrack.Counters
		err := row.Scan(&hour, &n.People, &n.Unique, &n.Bots)
		stored[hour] = n
		return err
	})
	for hour := first; hour < until; hour++ {
		if n := history.hour(r.id, hour); *n != stored[hour] {
			*w.hour(r.id, hour) = *n
		}
	}
	return err
}

// clicksOf returns the counters without conversions.
func clicksOf(n linktrack.Counters) linktrack.Counters {
	n.Conversions = 0
	return n
}

func withoutConversions(r linktrack.Rollup) linktrack.Rollup {
	r.Counters, r.Values = clicksOf(r.Counters), nil
	hours := make(map[int]linktrack.Counters, len(r.Hours))
	for hour, n := range r.Hours {
		if n = clicksOf(n); n != (linktrack.Counters{}) {
			hours[hour] = n
		}
	}
	r.Hours = hours
	return r
}

// replace stores the hours and days of a link instead of those that are stored, and changes
// what else has counted the days. It reports false if the link is being purged.
func (w *work) replace(ctx context.Context, tx *transaction, link int64) (bool, error) {
	w.rank(link)
	if err := w.forgetUnknown(ctx, tx); err != nil || len(w.ranks) == 0 {
		return false, err
	}
	if len(w.hours) > 0 {
		var p builder
		p.add(`INSERT INTO lt_hour (link_id, hour, clicks, uniques, bots) VALUES `)
		for i, k := range slices.SortedFunc(maps.Keys(w.hours), func(x, y linkHour) int { return int(x.hour - y.hour) }) {
			n := w.hours[k]
			p.row(i, link, k.hour, n.People, n.Unique, n.Bots)
		}
		p.add(tx.upsert("lt_hour", "link_id, hour", replace("clicks"), replace("uniques"), replace("bots")))
		if err := p.exec(ctx, tx); err != nil {
			return false, err
		}
	}
	if w.replaced != nil {
		if err := w.writePlaces(ctx, tx); err != nil {
			return false, err
		}
	}
	for k, day := range w.days {
		data, err := json.Marshal(day)
		if err != nil {
			return false, err
		}
		var p builder
		p.add(`INSERT INTO lt_day (link_id, day, data) VALUES `)
		p.row(0, link, int64(k.day), data)
		p.add(tx.upsert("lt_day", "link_id, day", replace("data")))
		if err := p.exec(ctx, tx); err != nil {
			return false, err
		}
	}
	return true, nil
}

// totals repairs the row of lt_rank and the counts, which it locks last, and ends the lease.
func (r *repair) totals(ctx context.Context, tx *transaction) (was, is linktrack.Counters, sorted bool, err error) {
	fail := func(err error) (linktrack.Counters, linktrack.Counters, bool, error) {
		return linktrack.Counters{}, linktrack.Counters{}, false, err
	}
	from, err := r.store.lockLease(ctx, tx)
	if err != nil {
		return fail(err)
	}
	links := newWork()
	links.rank(r.id)
	if err := links.forgetUnknown(ctx, tx); err != nil {
		return fail(err)
	}
	if len(links.ranks) == 0 { // it is being purged
		return was, is, false, r.store.keepLease(ctx, tx, from, true)
	}
	var recent int64
	err = tx.QueryRowContext(ctx, `
		SELECT COALESCE(SUM(clicks), 0), COALESCE(SUM(uniques), 0), COALESCE(SUM(bots), 0), COALESCE(SUM(CASE WHEN hour >= ? THEN clicks ELSE 0 END), 0)
		FROM lt_hour WHERE link_id = ?`, from, r.id).Scan(&is.People, &is.Unique, &is.Bots, &recent)
	if err != nil {
		return fail(err)
	}
	if sorted, err = r.rank(ctx, tx, is.People, recent); err != nil {
		return fail(err)
	}
	if err := r.store.keepLease(ctx, tx, from, true); err != nil {
		return fail(err)
	}
	var last int64
	err = tx.QueryRowContext(ctx, `SELECT total, uniques, bots, conversions, last_click FROM lt_count WHERE link_id = ?`+tx.ForUpdate, r.id).
		Scan(&was.People, &was.Unique, &was.Bots, &was.Conversions, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.Counters{}, linktrack.Counters{}, sorted, nil
	}
	if err != nil {
		return fail(err)
	}
	// RecordConversion writes a conversion before it waits for the row that is locked now.
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM lt_conversion WHERE link_id = ?`, r.id).Scan(&is.Conversions); err != nil {
		return fail(err)
	}
	if clicksOf(was) != clicksOf(is) {
		w := newWork()
		w.deltas = []linktrack.Delta{{Link: r.id, LastPerson: fromMicros(last), Counts: linktrack.Counts{
			People: is.People - was.People, Unique: is.Unique - was.Unique, Bots: is.Bots - was.Bots,
		}}}
		if err := w.writeCounts(ctx, tx); err != nil {
			return fail(err)
		}
	}
	if was.Conversions != is.Conversions {
		var p builder
		p.add(`UPDATE lt_count SET conversions = ? WHERE link_id = ?`, is.Conversions, r.id)
		if err := p.affectAll(ctx, tx, 1); err != nil {
			return fail(err)
		}
	}
	return was, is, sorted, nil
}

// rank stores the numbers by which the link is sorted. It makes the row if that is missing.
func (r *repair) rank(ctx context.Context, tx *transaction, total, recent int64) (changed bool, err error) {
	var p builder
	var oldTotal, oldRecent int64
	switch err = tx.QueryRowContext(ctx, `SELECT total, recent FROM lt_rank WHERE link_id = ?`, r.id).Scan(&oldTotal, &oldRecent); {
	case err == nil && oldTotal == total && oldRecent == recent:
		return false, nil
	case err == nil:
		p.add(`UPDATE lt_rank SET total = ?, recent = ? WHERE link_id = ?`, total, recent, r.id)
	case !errors.Is(err, sql.ErrNoRows):
		return false, err
	default:
		p.add(`INSERT INTO lt_rank (link_id, account_id, list_kind, total, recent, last_click)
			SELECT l.id, l.account_id, l.list_kind, ?, ?, COALESCE(c.last_click, 0)
			FROM lt_link l LEFT JOIN lt_count c ON c.link_id = l.id WHERE l.id = ?`, total, recent, r.id)
	}
	return true, p.affectAll(ctx, tx, 1)
}
