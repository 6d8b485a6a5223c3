// Package mysqlstore keeps linktrack's accounts, links and clicks in MySQL
// (8.0.22 or newer) or MariaDB (10.11 or newer).
//
//	store, err := mysqlstore.Open("user:password@tcp(127.0.0.1:3306)/links")
//	if err != nil { … }
//	defer store.Close()
//	if err := store.Migrate(ctx); err != nil { … }
//	t, err := linktrack.New(store, linktrack.Options{…})
//
// All its tables begin with lt_, so it can share a database with other
// programs. It needs InnoDB. If the server has a binary log, its format must be ROW
// or MIXED: the Store uses READ COMMITTED, with which servers refuse STATEMENT.
//
// On a Galera cluster, processes may use different nodes. There, a row is locked on one
// node only: if two transactions write the same row on different nodes, one of them is
// rolled back, and the Store runs it again. Transactions that must exclude each other
// write a row in common. A DSN with several servers keeps all processes at one node while
// it works, see [Open].
//
// The caller must call [Store.Migrate] at each start. Migrate and [Store.PruneClicks]
// also create the day partitions of the next month. The Tracker calls PruneClicks once
// a day unless history is kept forever. If the partitions of coming days are missing, no
// click is lost, but deleting those days takes longer later. [WithoutPartitions] is for servers on which a process
// may not change tables every day.
package mysqlstore

import (
	"database/sql"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// A Store is a [linktrack.Store] on MySQL or MariaDB. It is made by [Open] or
// [New]. It also implements [linktrack.HostLister], [linktrack.VisitorEraser],
// [linktrack.ChangeLister], and [linktrack.ClickReclassifier].
type Store struct {
	*shared
	db *sqlx.DB

	pool  *pool // made by Open, whose sessions use READ COMMITTED; nil on a host's pool
	plain bool  // Migrate removes the partitions
}

// shared has the methods that are the same on every SQL database.
type shared = sqlstore.Store

var (
	_ linktrack.Store             = (*Store)(nil)
	_ linktrack.HostLister        = (*Store)(nil)
	_ linktrack.VisitorEraser     = (*Store)(nil)
	_ linktrack.ChangeLister      = (*Store)(nil)
	_ linktrack.ClickReclassifier = (*Store)(nil)
)

// New returns a Store that uses the caller's pool. The Store never closes the pool.
// The Store reads only integers and bytes, so most settings of the pool do not
// matter to it: parseTime, loc, charset, clientFoundRows, columnsWithAlias, the
// isolation level, and the usual values of sql_mode. The sessions must have
// autocommit on, sql_safe_updates off (both are the defaults), and an sql_mode
// without EMPTY_STRING_IS_NULL. interpolateParams=true saves round trips.
//
// Set db.SetMaxOpenConns to at most the number that the server allows the user.
// The server refuses further connections, and the calls that need them fail.
func New[DB *sql.DB | *sqlx.DB](db DB, options ...Option) *Store {
	x := wrap(db)
	o := &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	return newStore(&Store{shared: sqlstore.New(dialect, x, x, o), db: x, plain: settingsOf(options).plain})
}

func newStore(s *Store) *Store {
	sqlstore.OnCopy(s.shared, s.makePastDays)
	return s
}

func wrap(db any) *sqlx.DB {
	if x, ok := db.(*sqlx.DB); ok {
		return x
	}
	return sqlx.NewDb(db.(*sql.DB), "mysql")
}
