package sqlstore

import (
	"context"
	"database/sql"
	"iter"
	"slices"
	"sync"
)

// A step of ApplyClicks runs the same statements for many rows. An engine that runs in the
// process can spend more time on parsing them than on running them, so they have one of
// few numbers of rows, see [Dialect.PartSizes], and each text is prepared once.

// parts splits rows into the parts that one statement each is to read or write.
func parts[T any](d *Dialect, rows []T) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for len(rows) > 0 {
			n := d.partSize(len(rows))
			if !yield(rows[:n:n]) {
				return
			}
			rows = rows[n:]
		}
	}
}

// partSize returns how many of n rows the next statement is to have.
func (d *Dialect) partSize(n int) int {
	for _, size := range d.PartSizes {
		if size <= n {
			return size
		}
	}
	return min(n, rowsAtOnce)
}

// rowsAtOnce is the maximum number of rows that one statement reads or writes.
const rowsAtOnce = 1000

// preparedStatements are prepared statements by their text. There are as many as there are texts in
// this package, times the number of PartSizes.
type preparedStatements struct {
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
	wanted   []string
}

// prepare prepares what an earlier transaction would have used. It must be called when none
// is under way, because the pool may have one connection only. It ignores errors: the
// statement then runs without being prepared, and returns them.
func (st *preparedStatements) prepare(ctx context.Context, db *database) {
	st.mu.Lock()
	wanted := st.wanted
	st.wanted = nil
	st.mu.Unlock() // transactions that hold the connection call get
	for _, text := range wanted {
		s, err := db.DB.PrepareContext(ctx, text)
		if err != nil {
			continue
		}
		st.mu.Lock()
		if st.prepared[text] != nil {
			s.Close() // another call was faster
		} else {
			st.prepared[text] = s
		}
		st.mu.Unlock()
	}
}

// get returns a statement, or nil if it is not prepared yet. The next prepare does that.
func (st *preparedStatements) get(text string) *sql.Stmt {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.prepared[text]
	if s == nil && !slices.Contains(st.wanted, text) {
		st.wanted = append(st.wanted, text)
	}
	return s
}

// run executes the statement of a part.
func (p *builder) run(ctx context.Context, tx *transaction) error {
	if tx.prepared != nil {
		if s := tx.prepared.get(p.sql.String()); s != nil {
			_, err := tx.StmtContext(ctx, s).ExecContext(ctx, p.args...)
			return err
		}
	}
	return p.exec(ctx, tx)
}

// query runs the query of a part.
func (p *builder) query(ctx context.Context, tx *transaction) (*sql.Rows, error) {
	if tx.prepared != nil {
		if s := tx.prepared.get(p.sql.String()); s != nil {
			return tx.StmtContext(ctx, s).QueryContext(ctx, p.args...)
		}
	}
	return tx.QueryContext(ctx, p.sql.String(), p.args...)
}
