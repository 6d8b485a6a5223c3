package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
)

// rowsOf are rows of a table that are to be deleted or changed, of a link or an account.
type rowsOf struct {
	table  string
	where  string // a condition with placeholders
	key    string // a column; the columns of where and then this one begin an index
	change string // the statement without its condition; deleted: they are deleted
}

const deleted = ""

// changeInSteps changes the rows in transactions of about a thousand, in the order of their
// key, which is a K. No step reads the rows of the steps before it: those may still be there
// for some time after they were deleted. A row that others add behind a step, with a lower key,
// stays.
func changeInSteps[K int64 | []byte](ctx context.Context, s *Store, rows rowsOf, of ...any) error {
	change := rows.change
	if change == deleted {
		change = `DELETE FROM ` + rows.table
	}
	where, args := ` WHERE `+rows.where, of
	for {
		var last K // the highest key of this step, unless it is the last one
		err := s.readDB.QueryRowContext(ctx, `SELECT `+rows.key+` FROM `+rows.table+where+` ORDER BY `+rows.key+` LIMIT 1 OFFSET ?`,
			append(slices.Clone(args), rowsAtOnce-1)...).Scan(&last)
		isLast := errors.Is(err, sql.ErrNoRows)
		if err != nil && !isLast {
			return err
		}
		var p builder
		p.add(change+where, args...)
		if !isLast {
			p.add(` AND `+rows.key+` <= ?`, last)
		}
		err = s.transact(ctx, func(tx *transaction) error { return p.exec(ctx, tx) })
		if err != nil || isLast {
			return err
		}
		where, args = ` WHERE `+rows.where+` AND `+rows.key+` > ?`, append(slices.Clone(of), last)
	}
}
