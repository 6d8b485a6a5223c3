package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// LinkByClick implements [linktrack.ConversionStore].
func (s *Store) LinkByClick(ctx context.Context, click linktrack.ClickRef) (linktrack.Link, error) {
	var p builder
	p.add(`SELECT `+linkColumns+` FROM lt_link l JOIN lt_count c ON c.link_id = l.id
		WHERE l.id = ? AND (EXISTS (SELECT 1 FROM lt_hit WHERE link_id = ? AND id = ?)`, click.Link, click.Link, click.ID[:])
	if s.d.OldTables {
		p.add(` OR EXISTS (SELECT 1 FROM lt_click WHERE link_id = ? AND id = ?)`, click.Link, click.ID[:])
	}
	p.add(`)`)
	l, err := scanLink(s.readDB.QueryRowContext(ctx, p.sql.String(), p.args...))
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	if err != nil {
		return linktrack.Link{}, s.failed("look up the link of a click", err)
	}
	return l, nil
}

var (
	// errCounted ends the transaction because a trusted conversion of the same click
	// or order was counted before.
	errCounted = errors.New("a conversion of this click or order was counted before")
	// errOvertaken ends the transaction because the table has a conversion of the same
	// click or order.
	errOvertaken = errors.New("another conversion of this click or order was counted first")
)

// A conversion is a [linktrack.Conversion] with the day and the hour in which it counts.
type conversion struct {
	linktrack.Conversion
	day  linktrack.Day
	hour int
}

// RecordConversion implements [linktrack.ConversionStore]. Calls for the same click or
// order wait at the unique keys until the first one's transaction ends. To avoid
// deadlocks, it locks conversions before counts, and counts in the order in which
// ApplyClicks locks them.
func (s *Store) RecordConversion(ctx context.Context, c linktrack.Conversion, zone *time.Location) (counted bool, err error) {
	const op = "record a conversion"
	if err := s.own(ctx); err != nil {
		return false, s.failed(op, err)
	}
	if err := fit("order_id", c.OrderID, 1020); err != nil {
		return false, s.failed(op, err)
	}
	k := conversion{Conversion: c}
	k.day, k.hour = linktrack.DayAndHour(c.Time, zone)
	err = s.transact(ctx, func(tx *transaction) error { return k.count(ctx, tx, nil, zone) })
	for try := 0; c.Trusted && (errors.Is(err, errOvertaken) || s.mayRepeat(err)) && try < 10; try++ {
		err = s.transact(ctx, func(tx *transaction) error {
			replaced, err := k.replace(ctx, tx, zone)
			if err != nil {
				return err
			}
			return k.count(ctx, tx, replaced, zone)
		})
	}
	switch {
	case errors.Is(err, errCounted), errors.Is(err, errOvertaken) && !c.Trusted:
		return false, nil
	case errors.Is(err, linktrack.ErrNotFound):
		return false, err
	case err != nil:
		return false, s.failed(op, err)
	}
	return true, nil
}

// replace deletes the conversions that have the same click or order, and returns them. If
// one of them is trusted, it deletes none and returns errCounted. It first reads the rows
// without locks, because most conversions that are reported twice are trusted ones of the
// owner. Then it locks the rows in the order of their primary keys.
func (k *conversion) replace(ctx context.Context, tx *transaction, zone *time.Location) (replaced []conversion, err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT link_id, click_id FROM lt_conversion WHERE link_id = ? AND click_id = ?
		UNION SELECT link_id, click_id FROM lt_conversion
			WHERE account_id = (SELECT account_id FROM lt_count WHERE link_id = ?) AND order_id = ?
		ORDER BY link_id, click_id`, k.Click.Link, k.Click.ID[:], k.Click.Link, []byte(k.OrderID))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []linktrack.ClickRef
	for rows.Next() {
		var click linktrack.ClickRef
		var id []byte
		if err := rows.Scan(&click.Link, &id); err != nil {
			return nil, err
		}
		copy(click.ID[:], id)
		found = append(found, click)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for _, lock := range []string{``, tx.ForUpdate} {
		replaced = replaced[:0]
		for _, click := range found {
			old := conversion{Conversion: linktrack.Conversion{Click: click}}
			var at int64
			var day, hour sql.NullInt64
			err := tx.QueryRowContext(ctx, `
				SELECT value, currency, created_at, is_trusted, day, hour FROM lt_conversion
				WHERE link_id = ? AND click_id = ? AND (order_id = ? OR link_id = ? AND click_id = ?)`+lock,
				click.Link, click.ID[:], []byte(k.OrderID), k.Click.Link, k.Click.ID[:]).
				Scan(&old.Value, &old.Currency, &at, &old.Trusted, &day, &hour)
			switch {
			case errors.Is(err, sql.ErrNoRows): // it was replaced meanwhile
				continue
			case err != nil:
				return nil, err
			case old.Trusted:
				return nil, errCounted
			}
			old.Time = fromMicros(at)
			if old.day, old.hour = linktrack.Day(day.Int64), int(hour.Int64); !day.Valid {
				old.day, old.hour = linktrack.DayAndHour(old.Time, zone)
			}
			replaced = append(replaced, old)
		}
	}
	for _, old := range replaced {
		var p builder
		p.add(`DELETE FROM lt_conversion WHERE link_id = ? AND click_id = ?`, old.Click.Link, old.Click.ID[:])
		if err := p.affectAll(ctx, tx, 1); err != nil {
			return nil, err
		}
	}
	return replaced, nil
}

// count inserts the conversion, and changes the counts by it and by those that it
// replaces. It returns errOvertaken if the table has a conversion of the same click or
// order.
func (k *conversion) count(ctx context.Context, tx *transaction, replaced []conversion, zone *time.Location) error {
	var order any
	if k.OrderID != "" {
		order = []byte(k.OrderID)
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO lt_conversion (link_id, click_id, account_id, order_id, value, currency, created_at, is_trusted, day, hour)
		SELECT link_id, ?, account_id, ?, ?, ?, ?, ?, ?, ? FROM lt_count WHERE link_id = ?`,
		k.Click.ID[:], order, int64(k.Value), []byte(k.Currency), micros(k.Time), k.Trusted, int64(k.day), k.hour, k.Click.Link)
	if tx.Is(err, Duplicate) {
		return errOvertaken
	}
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return linktrack.ErrNotFound
	}
	if err := leaveFacts(ctx, tx, k.Time, appendConversion([]byte{plainVersion}, &k.Conversion, zone)); err != nil {
		return err
	}
	changes := []conversionsOf{{k.Click.Link, 1}}
	for i := range replaced {
		changes = append(changes, conversionsOf{replaced[i].Click.Link, -1})
		if err := leaveFacts(ctx, tx, replaced[i].Time, appendTakenBack([]byte{factsVersion}, &replaced[i])); err != nil {
			return err
		}
	}
	// A link whose number stays the same is written, too: so its purge cannot end meanwhile.
	slices.SortFunc(changes, func(a, b conversionsOf) int { return cmp.Compare(a.link, b.link) })
	for _, c := range changes {
		var p builder
		p.add(`UPDATE lt_count SET conversions = conversions + ? WHERE link_id = ?`, c.number, c.link)
		n, err := p.affect(ctx, tx)
		if err != nil {
			return err
		}
		if n == 0 && c.link == k.Click.Link {
			return linktrack.ErrNotFound // it was purged meanwhile
		}
	}
	return nil
}

// conversionsOf is a number to add to the conversions of a link.
type conversionsOf struct{ link, number int64 }

// leaveFacts appends a conversion to the click log, in the transaction that counts it or
// takes it back. ApplyClicks then changes the roll-up of its day. The row has a source of
// its own.
func leaveFacts(ctx context.Context, tx *transaction, at time.Time, facts []byte) error {
	source := newSource()
	_, err := tx.ExecContext(ctx, insertLog, source[:], 1, kindFacts, micros(at), 0, len(facts), facts)
	return err
}
