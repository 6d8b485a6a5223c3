package mysqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// RecordClicks implements [linktrack.ClickStore].
//
// Round trips are what small batches pay for. On a pool made by [Open] the
// whole transaction is one packet, and one more for each 256 kB; on a host's
// pool, whose sessions may not take that, it is one statement after the other.
// The statements are complete text, so nothing is prepared for them. What the
// two ways take is in BenchmarkRecordClicks.
//
// A click on a link that does not exist is kept in the history and counted
// nowhere. A text that is too long for its column is cut.
func (s *Store) RecordClicks(ctx context.Context, b linktrack.Batch) error {
	const doing = "record clicks"
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return failed(doing, err)
	}
	defer conn.Close()
	stmts := batch(b)
	if s.own == nil {
		stmts = append([]string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED"}, stmts...)
	} else {
		stmts = packets(stmts)
	}
	for _, stmt := range stmts {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			rollBack(ctx, conn)
			if number(err) == errOutOfRange {
				// So says the claim if the batch has been applied before.
				var seq int64
				again := conn.QueryRowContext(ctx, `SELECT seq FROM lt_source WHERE source = `+string(literal(nil, string(b.Source[:])))).Scan(&seq)
				if again != nil {
					return failed(doing, again)
				}
				if seq >= b.Seq {
					return nil
				}
			}
			if rejected(err) {
				return fmt.Errorf("%w: %w", linktrack.ErrRejected, failed(doing, err))
			}
			return failed(doing, err)
		}
	}
	return nil
}

// rollBack ends a transaction that failed. A connection that cannot even do
// that must not go back to the pool with the transaction open.
func rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// packetSize is where a statement or a packet ends and the next begins, in
// bytes. Servers take packets of 16 MB (MariaDB) or 64 MB (MySQL) if nobody has
// made that less; packets of a megabyte were a fifth slower than these.
const packetSize = 256 << 10

// packets joins statements.
func packets(stmts []string) []string {
	var all []string
	var p strings.Builder
	for _, stmt := range stmts {
		if p.Len() > 0 && p.Len()+len(stmt) > packetSize {
			all = append(all, p.String())
			p.Reset()
		}
		if p.Len() > 0 {
			p.WriteString(";\n")
		}
		p.WriteString(stmt)
	}
	return append(all, p.String())
}

// batch writes a batch as the statements of one transaction. The rows that
// other batches may want too, the counts, come last and in the order of their
// keys: no two batches ever wait for each other in a circle, and nobody waits
// while the history is written.
func batch(b linktrack.Batch) []string {
	claim := string(appendClaim(nil, b))
	if len(b.Clicks) == 0 {
		return []string{claim}
	}
	clicks := make([]*linktrack.Click, len(b.Clicks))
	for i := range b.Clicks {
		clicks[i] = &b.Clicks[i]
	}
	slices.SortFunc(clicks, func(x, y *linktrack.Click) int {
		return cmp.Or(cmp.Compare(x.Link, y.Link), slices.Compare(x.ID[:], y.ID[:]))
	})
	stmts := []string{"START TRANSACTION", claim}
	stmts = appendHistory(stmts, clicks)
	stmts = appendPending(stmts, clicks, b.TimeZone)
	stmts = appendCounts(stmts, clicks)
	stmts = appendAlerts(stmts, clicks)
	return append(stmts, "COMMIT")
}
