package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A place is a database: a DSN of MySQL, or else the path of an SQLite file.
type place struct{ dsn, file string }

// placeOf takes the name of a database as that of a file if other is one.
func placeOf(name string, other place) place {
	if other.file != "" {
		return place{file: name}
	}
	return place{dsn: name}
}

func (p place) open(options ...sqlitestore.Option) (interface {
	linktrack.Store
	Migrate(context.Context) error
	Close() error
}, error) {
	if p.file != "" {
		return sqlitestore.Open(p.file, options...)
	}
	return mysqlstore.Open(p.dsn)
}

// sql returns a pool of its own, for what is not a Store's work.
func (p place) sql() (*sql.DB, error) {
	if p.file != "" {
		return sql.Open("sqlite", sqlitestore.DSN(p.file))
	}
	return sql.Open("mysql", p.dsn)
}

// flag is the program's flag for the database.
func (p place) flag() []string {
	if p.file != "" {
		return []string{"-db", p.file}
	}
	return []string{"-mysql", p.dsn}
}

// fileSizes prints the bytes of the whole file, and those of each table and index.
func fileSizes(ctx context.Context, db *sql.DB, clicks int64) error {
	fmt.Printf("\n### Size of the file\n\n%d clicks.\n\n| table or index | MB | bytes per click |\n| --- | --: | --: |\n", clicks)
	rows, err := db.QueryContext(ctx, `
		SELECT 'all', page_count * page_size FROM pragma_page_count, pragma_page_size
		UNION ALL SELECT name, SUM(pgsize) FROM dbstat GROUP BY name HAVING SUM(pgsize) > 1000000 ORDER BY 2 DESC`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var bytes int64
		if err := rows.Scan(&name, &bytes); err != nil {
			return err
		}
		fmt.Printf("| %s | %d | %.0f |\n", name, bytes>>20, float64(bytes)/float64(clicks))
	}
	return rows.Err()
}
