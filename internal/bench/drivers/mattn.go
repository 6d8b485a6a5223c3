//go:build mattn

package main

import (
	"database/sql"
	"net/url"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// The driver is C. The tag keeps it from being compiled by all who check this module.
//
// Its pool lacks a function that package sqlitestore defines for the other driver. With it,
// everything but the errors works: sqlitestore does not know the error codes of this driver,
// so it would take a batch that is sent twice for a failure.
func init() {
	sql.Register("sqlite-mattn", &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		if err := c.RegisterFunc("lt_lower", strings.ToLower, true); err != nil {
			return err
		}
		_, err := c.Exec(`PRAGMA journal_size_limit = 67108864`, nil)
		return err
	}})
	drivers = append(drivers, driver{"github.com/mattn/go-sqlite3", func(file string) (*sql.DB, error) {
		settings := url.Values{"_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}}
		return sql.Open("sqlite-mattn", "file:"+file+"?"+settings.Encode())
	}})
}
