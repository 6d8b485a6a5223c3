package mysqlstore

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"
)

// catchUp makes a node of Galera wait until it has applied what the cluster had committed
// before the statement. MySQL does not understand the statement. On Group Replication, all
// processes are to use the primary, and a new primary first applies all that the old one
// committed (group_replication_consistency).
func catchUp(ctx context.Context, db *sqlx.DB) (others bool, err error) {
	const (
		syntaxError     = 1064
		unknownVariable = 1193
	)
	var on string
	err = db.QueryRowContext(ctx, `SET STATEMENT wsrep_sync_wait = 1 FOR SELECT @@wsrep_on FROM lt_roll LIMIT 1`).Scan(&on)
	switch number(err) {
	case syntaxError, unknownVariable:
		return false, nil
	}
	return on == "1" || strings.EqualFold(on, "ON"), err
}
