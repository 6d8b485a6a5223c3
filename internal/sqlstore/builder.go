package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
)

// A builder builds a statement, or a part of one, and its arguments.
type builder struct {
	sql  strings.Builder
	args []any
}

func (p *builder) add(sql string, args ...any) {
	p.sql.WriteString(sql)
	p.args = append(p.args, args...)
}

func (p *builder) append(other *builder) { p.add(other.sql.String(), other.args...) }

// in adds a list of texts in parentheses. The list must not be empty.
func (p *builder) in(texts []string) {
	p.add("(?" + strings.Repeat(", ?", len(texts)-1) + ")")
	for _, t := range texts {
		p.args = append(p.args, []byte(t))
	}
}

// inNumbers adds a list of numbers in parentheses. The list must not be empty.
func (p *builder) inNumbers(numbers []int64) {
	p.add("(?" + strings.Repeat(", ?", len(numbers)-1) + ")")
	for _, n := range numbers {
		p.args = append(p.args, n)
	}
}

// row adds the values of row i of an INSERT, beginning at 0.
func (p *builder) row(i int, values ...any) {
	if i > 0 {
		p.add(", ")
	}
	p.add("(?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

// anyOf adds n conditions, at least one of which must be met: term adds condition i. SQLite
// accepts a chain of about a thousand of them, so a longer one is split, and the halves are
// in parentheses.
func (p *builder) anyOf(n int, term func(i int)) { p.anyBetween(0, n, term) }

func (p *builder) anyBetween(first, end int, term func(i int)) {
	if end-first > maxChain {
		middle := (first + end) / 2
		p.add(`(`)
		p.anyBetween(first, middle, term)
		p.add(`) OR (`)
		p.anyBetween(middle, end, term)
		p.add(`)`)
		return
	}
	for i := first; i < end; i++ {
		if i > first {
			p.add(` OR `)
		}
		term(i)
	}
}

const maxChain = 100 // conditions without parentheses

// exec executes the statement.
func (p *builder) exec(ctx context.Context, db execer) error {
	_, err := db.ExecContext(ctx, p.sql.String(), p.args...)
	return err
}

// affect executes the statement and returns the number of affected rows.
func (p *builder) affect(ctx context.Context, db execer) (int64, error) {
	res, err := db.ExecContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// affectAll executes the statement, which must affect as many rows as were chosen before. If
// it does not, another transaction has changed them, and the error makes transact run this
// one again: a lock that is only read does not always keep the other nodes of a cluster away.
func (p *builder) affectAll(ctx context.Context, tx *transaction, rows int) error {
	n, err := p.affect(ctx, tx)
	if err == nil && n != int64(rows) {
		err = errRowsChanged
	}
	return err
}

// each runs the query, and calls read for each row.
func (p *builder) each(ctx context.Context, db sqlx.QueryerContext, read func(row *sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// An execer is a transaction, a connection, or a pool.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}
