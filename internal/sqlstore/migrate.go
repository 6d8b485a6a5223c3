package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Migrations are the files that make the tables. Each file's name begins with its version,
// 0001 or higher, and none is missing between them.
type Migrations struct {
	Dialect *Dialect
	Files   fs.FS
	// Table makes the table lt_migration, with the columns version and name. It runs only if
	// there is none, because the database user may have no right to make tables.
	Table string
	// HasRun reports whether the error of a statement means that it has run before. It is nil
	// if a file runs as a whole or not at all.
	HasRun func(err error) bool
	// Edit returns the statement that runs in the place of one of the files; nil: all run as
	// they are.
	Edit func(stmt string) string
	// Failed returns the error of a statement, as [Dialect.Failed] does.
	Failed func(op string, err error) error
}

// A Conn is a connection or a transaction.
type Conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Run runs the files that are newer than the database. Nobody else may run them at the same
// time. If the database is newer than the files, Run changes nothing and returns an error.
func (m *Migrations) Run(ctx context.Context, conn Conn) error {
	const op = "migrate"
	const version = `SELECT COALESCE(MAX(version), 0) FROM lt_migration`
	var have int
	err := conn.QueryRowContext(ctx, version).Scan(&have)
	if err != nil && m.Dialect.Is(err, Rejected) { // there is no such table
		if _, err := conn.ExecContext(ctx, m.Table); err != nil {
			return m.Failed(op, err)
		}
		err = conn.QueryRowContext(ctx, version).Scan(&have)
	}
	if err != nil {
		return m.Failed(op, err)
	}
	files, err := fs.Glob(m.Files, "*.sql") // in the order of their numbers
	if err != nil {
		return m.Dialect.Failed(op, err)
	}
	if have > len(files) {
		return fmt.Errorf("%s: the database was migrated to version %d by a newer linktrack; this one knows versions up to %d", m.Dialect.Name, have, len(files))
	}
	for i, file := range files[have:] {
		version := have + i + 1
		text, err := fs.ReadFile(m.Files, file)
		if err != nil {
			return m.Dialect.Failed(op, err)
		}
		for _, stmt := range statements(string(text)) {
			if m.Edit != nil {
				stmt = m.Edit(stmt)
			}
			_, err := conn.ExecContext(ctx, stmt)
			if err != nil && m.HasRun != nil && m.HasRun(err) {
				continue
			}
			if err != nil {
				return m.Failed(fmt.Sprintf("migrate to version %d", version), err)
			}
		}
		if _, err := conn.ExecContext(ctx, `INSERT INTO lt_migration (version, name) VALUES (?, ?)`, version, []byte(file)); err != nil {
			return m.Dialect.Failed(op, err)
		}
	}
	return nil
}

var comment = regexp.MustCompile(`--[^\n]*`)

// statements splits a migration into its statements and removes the comments. No literal
// in a migration may contain "--" or ";".
func statements(text string) []string {
	var all []string
	for stmt := range strings.SplitSeq(comment.ReplaceAllString(text, ""), ";") {
		if stmt = strings.TrimSpace(stmt); stmt != "" {
			all = append(all, stmt)
		}
	}
	return all
}
