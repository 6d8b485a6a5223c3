package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// LinkByClick implements [linktrack.ConversionStore].
func (s *Store) LinkByClick(ctx context.Context, click linktrack.ClickRef) (linktrack.Link, error) {
	l, err := scanLink(s.db.QueryRowContext(ctx, `
		SELECT `+linkColumns+`
		FROM lt_click k JOIN lt_link l ON l.id = k.link_id JOIN lt_count c ON c.link_id = k.link_id
		WHERE k.link_id = ? AND k.id = ?`,
		click.Link, click.ID[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	if err != nil {
		return linktrack.Link{}, failed("look up the link of a click", err)
	}
	return l, nil
}

// errCounted ends the transaction of a conversion that was counted before.
var errCounted = errors.New("it was counted before")

// RecordConversion implements [linktrack.ConversionStore]. Others who report
// the same click or order wait at the unique keys until this transaction ends.
// It locks the conversion before the counts, and of these one row only, so it
// waits in no circle with the batches of clicks.
func (s *Store) RecordConversion(ctx context.Context, c linktrack.Conversion, zone *time.Location) (counted bool, err error) {
	const doing = "record a conversion"
	if err := fit("order_id", c.OrderID, 1020); err != nil {
		return false, failed(doing, err)
	}
	if zone == nil {
		zone = time.UTC
	}
	var order any
	if c.OrderID != "" {
		order = []byte(c.OrderID)
	}
	err = s.transact(ctx, func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, `
			INSERT INTO lt_conversion (link_id, click_id, account_id, order_id, value, currency, created_at)
			SELECT link_id, ?, account_id, ?, ?, ?, ? FROM lt_count WHERE link_id = ?`,
			c.Click.ID[:], order, int64(c.Value), []byte(c.Currency), micros(c.Time), c.Click.Link)
		if number(err) == errDuplicate {
			return errCounted
		}
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return linktrack.ErrNotFound
		}
		if err := s.pendingConversion(ctx, tx, c, zone); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE lt_count SET conversions = conversions + 1 WHERE link_id = ?`, c.Click.Link)
		return err
	})
	switch {
	case errors.Is(err, errCounted):
		return false, nil
	case errors.Is(err, linktrack.ErrNotFound):
		return false, err
	case err != nil:
		return false, failed(doing, err)
	}
	return true, nil
}

// pendingConversion leaves a conversion to the roll-up of its day, in the
// transaction that counts it. The day is that of c.Time in zone.
func (s *Store) pendingConversion(ctx context.Context, tx *sqlx.Tx, c linktrack.Conversion, zone *time.Location) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO lt_pending (last_link, facts) VALUES (?, ?)`,
		c.Click.Link, appendConversion([]byte{factsVersion}, &c, zone))
	return err
}
