package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

const (
	checkedAtOnce = 500 // links in one transaction
	maxFindings   = 100
)

// Check compares what the database has of each link: its counts, the sums by hour and by
// day, the columns by which it is sorted, its history since the last day that PruneClicks
// removed, and its conversions. It returns a sentence for each difference, at most 100 of
// them and one that says so; none means that all agree.
//
//   - It changes nothing. Other calls go on meanwhile: links are compared some hundred at a
//     time, each time as of one moment.
//   - It reads the whole history, so it takes minutes for millions of clicks.
//   - On SQLite, it first checks the file (PRAGMA quick_check). If that finds damage, the
//     rest is left out.
//   - Clicks and conversions that ApplyClicks has not counted yet are no differences.
//   - Links that are being purged are left out. While a process of a version without a click
//     log runs, there may be differences that its next step removes.
//   - The sentences have the hosts and paths of links, and no data of visitors.
func (s *Store) Check(ctx context.Context) (findings []string, err error) {
	const op = "check the database"
	if s.d.CheckFile != nil {
		if findings, err = s.d.CheckFile(ctx, s.readDB.DB); err != nil {
			return nil, s.failed(op, err)
		}
		if len(findings) > 0 {
			return append(findings, "The links were not compared, because the file is damaged."), nil
		}
	}
	err = s.eachCompared(ctx, func(_ int64, l *compared) error {
		if findings = append(findings, l.findings()...); len(findings) > maxFindings {
			return errMore
		}
		return nil
	})
	if errors.Is(err, errMore) {
		return append(findings[:maxFindings], "There are more differences."), nil
	}
	if err != nil {
		return nil, s.failed(op, err)
	}
	return findings, nil
}

var errMore = errors.New("there are more differences")

// eachCompared calls do for each link in the order of their ids.
func (s *Store) eachCompared(ctx context.Context, do func(id int64, l *compared) error) error {
	for after := int64(0); ; {
		some, err := s.compare(ctx, after)
		for a := (attempt{d: s.d, twice: true}); a.again(ctx, err); {
			some, err = s.compare(ctx, after)
		}
		if err != nil || some.last == 0 {
			return err
		}
		after = some.last
		for _, id := range slices.Sorted(maps.Keys(some.links)) {
			if err := do(id, some.links[id]); err != nil {
				return err
			}
		}
	}
}

// A comparison has what the tables have of some links.
type comparison struct {
	tx    *transaction
	links map[int64]*compared // without those that are being purged
	first int64               // the lowest and the highest id of the links
	last  int64               // 0: there is no link
	kept  linktrack.ClickID   // the history is complete from here on; zero: from the beginning
}

// compared is what the tables have of a link.
type compared struct {
	name                            string
	counts, hours, days, history    linktrack.Counters
	keptFrom                        int64 // the hour from which on the history is complete
	keptHours                       linktrack.Counters
	rankTotal, rankRecent           sql.NullInt64 // not valid: there is no row
	hasCounts                       bool
	recentFrom, recent, conversions int64
	dayConversions                  int64 // in the days, as if the click log were applied
	unreadable                      []linktrack.Day
}

// compare reads the next links in one transaction, as of one moment.
func (s *Store) compare(ctx context.Context, after int64) (*comparison, error) {
	tx, err := s.readDB.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // it has changed nothing
	c := &comparison{tx: &transaction{tx, s.d, nil}, links: make(map[int64]*compared)}
	for _, read := range []func(context.Context, int64) error{c.readLinks, c.readKept, c.readHistory, c.readHours, c.readDays, c.readConversions, c.readFacts} {
		if err := read(ctx, after); err != nil || c.last == 0 {
			return c, err
		}
	}
	return c, nil
}

func (c *comparison) readLinks(ctx context.Context, after int64) error {
	var p builder
	p.add(`SELECT l.id, l.host, l.path, l.is_purging, c.total, c.uniques, c.bots, c.conversions, r.total, r.recent, o.from_hour
		FROM lt_link l LEFT JOIN lt_count c ON c.link_id = l.id LEFT JOIN lt_rank r ON r.link_id = l.id LEFT JOIN lt_roll o ON o.id = 1
		WHERE l.id > ? ORDER BY l.id LIMIT ?`, after, checkedAtOnce)
	return p.each(ctx, c.tx, func(row *sql.Rows) error {
		var id int64
		var host, path string
		var isPurging bool
		var people, unique, bots, conversions, from sql.NullInt64
		l := &compared{}
		if err := row.Scan(&id, &host, &path, &isPurging, &people, &unique, &bots, &conversions, &l.rankTotal, &l.rankRecent, &from); err != nil {
			return err
		}
		if c.first == 0 {
			c.first = id
		}
		if c.last = id; isPurging {
			return nil
		}
		l.name, l.hasCounts, l.recentFrom = fmt.Sprintf("Link %d (%s/%s)", id, host, path), people.Valid, from.Int64
		l.counts = linktrack.Counters{People: people.Int64, Unique: unique.Int64, Bots: bots.Int64, Conversions: conversions.Int64}
		c.links[id] = l
		return nil
	})
}

// readKept reads from when on the history is complete. If PruneClicks has not noted that,
// there is no day that it removed; or an older version did, and then the history of a link
// is taken to be complete from the day of its oldest click on.
func (c *comparison) readKept(ctx context.Context, _ int64) error {
	day, err := prunedBefore(ctx, c.tx)
	switch {
	case err != nil:
		return err
	case !day.IsZero():
		c.kept = linktrack.FirstClickID(day)
		for _, l := range c.links {
			l.keptFrom = linktrack.HourOf(day)
		}
		return nil
	case !c.tx.OldTables:
		return nil
	}
	for _, l := range c.links {
		l.keptFrom = math.MaxInt64
	}
	for _, table := range []string{`lt_hit`, `lt_click`} {
		err := c.each(ctx, `SELECT link_id, MIN(id) FROM `+table, ` GROUP BY link_id`, func(row *sql.Rows) error {
			var id int64
			var oldest []byte
			if err := row.Scan(&id, &oldest); err != nil {
				return err
			}
			if l := c.links[id]; l != nil {
				var click linktrack.ClickID
				copy(click[:], oldest)
				l.keptFrom = min(l.keptFrom, linktrack.HourOf(click.Time().Truncate(24*time.Hour)))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each runs a query about the rows of the links, whose column is link_id.
func (c *comparison) each(ctx context.Context, query, tail string, read func(row *sql.Rows) error) error {
	var p builder
	p.add(query+` WHERE link_id BETWEEN ? AND ?`+tail, c.first, c.last)
	return p.each(ctx, c.tx, read)
}

func (c *comparison) readHistory(ctx context.Context, _ int64) error {
	read := func(row *sql.Rows) error {
		var id, n int64
		var isUnique, isBot bool
		if err := row.Scan(&id, &isUnique, &isBot, &n); err != nil {
			return err
		}
		l := c.links[id]
		switch {
		case l == nil:
		case isBot:
			l.history.Bots += n
		default:
			l.history.People += n
			if isUnique {
				l.history.Unique += n
			}
		}
		return nil
	}
	const columns = `SELECT link_id, is_unique, is_bot, COUNT(*) FROM `
	kept := ` AND id >= ` + string(c.tx.Literal(nil, string(c.kept[:])))
	const group = ` GROUP BY link_id, is_unique, is_bot`
	if err := c.each(ctx, columns+`lt_hit`, kept+group, read); err != nil || !c.tx.OldTables {
		return err
	}
	return c.each(ctx, columns+`lt_click`, kept+` AND NOT EXISTS (SELECT 1 FROM lt_hit h WHERE h.link_id = lt_click.link_id AND h.id = lt_click.id)`+group, read)
}

func (c *comparison) readHours(ctx context.Context, _ int64) error {
	return c.each(ctx, `SELECT link_id, hour, clicks, uniques, bots FROM lt_hour`, ``, func(row *sql.Rows) error {
		var id, hour int64
		var n linktrack.Counters
		if err := row.Scan(&id, &hour, &n.People, &n.Unique, &n.Bots); err != nil {
			return err
		}
		l := c.links[id]
		if l == nil {
			return nil
		}
		addCounters(&l.hours, n)
		if hour >= l.keptFrom {
			addCounters(&l.keptHours, n)
		}
		if hour >= l.recentFrom {
			l.recent += n.People
		}
		return nil
	})
}

func addCounters(sum *linktrack.Counters, n linktrack.Counters) {
	sum.People += n.People
	sum.Unique += n.Unique
	sum.Bots += n.Bots
}

func (c *comparison) readDays(ctx context.Context, _ int64) error {
	return c.each(ctx, `SELECT link_id, day, data FROM lt_day`, ``, func(row *sql.Rows) error {
		var id int64
		var day linktrack.Day
		var data sql.RawBytes
		if err := row.Scan(&id, &day, &data); err != nil {
			return err
		}
		l := c.links[id]
		if l == nil {
			return nil
		}
		var n linktrack.Counters // the sums of the day are at the top of a roll-up
		if json.Unmarshal(data, &n) != nil {
			l.unreadable = append(l.unreadable, day)
		}
		addCounters(&l.days, n)
		l.dayConversions += n.Conversions
		return nil
	})
}

func (c *comparison) readConversions(ctx context.Context, _ int64) error {
	return c.each(ctx, `SELECT link_id, COUNT(*) FROM lt_conversion`, ` GROUP BY link_id`, func(row *sql.Rows) error {
		var id, n int64
		if err := row.Scan(&id, &n); err != nil {
			return err
		}
		if l := c.links[id]; l != nil {
			l.conversions = n
		}
		return nil
	})
}

// readFacts reads the conversions that ApplyClicks is still to add to days.
func (c *comparison) readFacts(ctx context.Context, _ int64) error {
	var p builder
	p.add(selectFacts)
	return p.each(ctx, c.tx, func(row *sql.Rows) error {
		var facts []byte
		if err := row.Scan(&facts); err != nil {
			return err
		}
		// The conversions of a row that cannot be decoded are in no day, so they are missing.
		_ = readFacts(facts, func(f *fact) {
			switch l := c.links[f.link]; {
			case l == nil || !f.isConversion:
			case f.isTakenBack:
				l.dayConversions--
			default:
				l.dayConversions++
			}
		})
		return nil
	})
}

// findings returns a sentence for each difference.
func (l *compared) findings() (all []string) {
	differ := func(what, one string, x int64, other string, y int64) {
		if x != y {
			all = append(all, fmt.Sprintf("%s has %d %s in %s, but %d in %s.", l.name, x, what, one, y, other))
		}
	}
	each := func(one string, x linktrack.Counters, other string, y linktrack.Counters) {
		differ("clicks of people", one, x.People, other, y.People)
		differ("clicks of new visitors", one, x.Unique, other, y.Unique)
		differ("clicks of bots", one, x.Bots, other, y.Bots)
	}
	for _, day := range l.unreadable {
		all = append(all, fmt.Sprintf("%s has a row of %s in lt_day that cannot be read.", l.name, day))
	}
	if l.hasCounts {
		each("its counts", l.counts, "its hours", l.hours)
		differ("conversions", "its counts", l.counts.Conversions, "lt_conversion", l.conversions)
	} else {
		all = append(all, l.name+" has no row in lt_count.")
	}
	if len(l.unreadable) == 0 {
		each("its hours", l.hours, "its days", l.days)
		differ("conversions", "its days", l.dayConversions, "lt_conversion", l.conversions)
	}
	if l.keptFrom < math.MaxInt64 {
		since := "its hours"
		if l.keptFrom > 0 {
			since += " since " + time.Unix(l.keptFrom*3600, 0).UTC().Format(time.DateOnly) + " (UTC)"
		}
		each(since, l.keptHours, "its history", l.history)
	}
	if l.rankTotal.Valid {
		differ("clicks of people", "its hours", l.hours.People, "lt_rank.total", l.rankTotal.Int64)
		differ("recent clicks of people", "its hours", l.recent, "lt_rank.recent", l.rankRecent.Int64)
	} else {
		all = append(all, l.name+" has no row in lt_rank.")
	}
	return all
}

// daysDiffer reports whether hours or days may differ from what they are the sums of.
func (l *compared) daysDiffer() bool {
	return len(l.unreadable) > 0 || l.hours != l.days || l.dayConversions != l.conversions || l.keptFrom < math.MaxInt64 && l.keptHours != l.history
}

// prunedSetting is the name in lt_setting of the first day (UTC) of which PruneClicks has
// left the history. It has no row if no day was removed.
const prunedSetting = "pruned_before"

// prunedBefore returns the day that NotePruned has noted; zero if there is none.
func prunedBefore(ctx context.Context, tx *transaction) (time.Time, error) {
	var date string
	err := tx.QueryRowContext(ctx, `SELECT value FROM lt_setting WHERE name = ?`, []byte(prunedSetting)).Scan(&date)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, fmt.Errorf("lt_setting has no date under %s", prunedSetting)
	}
	return day, nil
}

// NotePruned notes that the history of all days (UTC) before one is about to be removed. db
// is the connection that will remove it, or its pool: a caller that holds a connection must
// not wait for another one.
func NotePruned(ctx context.Context, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, s *Store, first time.Time) error {
	_, err := db.ExecContext(ctx, `INSERT INTO lt_setting (name, value) VALUES (?, ?)`+s.d.upsert("lt_setting", "name", raise("value")),
		[]byte(prunedSetting), []byte(first.UTC().Format(time.DateOnly)))
	return err
}
