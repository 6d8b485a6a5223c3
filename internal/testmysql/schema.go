package testmysql

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A schema is how the tables of a database are made, as the server describes
// them, with the rows that are in them.
type schema struct {
	mu         sync.Mutex
	statements []string // nil: not known yet
}

var partitioned, plain schema

// MigratedDSN is DSN with a schema in the database. The first call of the
// process makes it by migrate. Later calls copy it, which takes a fraction of the
// time. The copies have no partitions of days; a test that needs them adds them as
// a migration does.
func MigratedDSN(t testing.TB, migrate func(dsn string) error) string {
	t.Helper()
	return partitioned.dsn(t, migrate)
}

// PlainDSN is MigratedDSN for a schema without partitions.
func PlainDSN(t testing.TB, migrate func(dsn string) error) string {
	t.Helper()
	return plain.dsn(t, migrate)
}

func (schema *schema) dsn(t testing.TB, migrate func(dsn string) error) string {
	t.Helper()
	dsn := DSN(t)
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.MultiStatements = true
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	schema.mu.Lock()
	statements := schema.statements
	if statements == nil {
		defer schema.mu.Unlock() // those who come meanwhile wait for it
		if err := migrate(dsn); err != nil {
			t.Fatal(err)
		}
		if schema.statements, err = describe(ctx, db); err != nil {
			t.Fatal(err)
		}
		return dsn
	}
	schema.mu.Unlock()
	if _, err := db.ExecContext(ctx, strings.Join(statements, ";\n")); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// describe returns the statements that make the database's tables and rows.
func describe(ctx context.Context, db *sql.DB) (statements []string, err error) {
	tables, err := query(ctx, db, "SHOW TABLES")
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		made, err := query(ctx, db, "SHOW CREATE TABLE `"+table[0]+"`")
		if err != nil {
			return nil, err
		}
		statements = append(statements, days.ReplaceAllString(made[0][1], ""))
		rows, err := query(ctx, db, "SELECT * FROM `"+table[0]+"`")
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			statements = append(statements, "INSERT INTO `"+table[0]+"` VALUES ("+strings.Join(literals(row), ", ")+")")
		}
	}
	return statements, nil
}

var (
	days   = regexp.MustCompile("PARTITION `?p[0-9]{8}`? VALUES LESS THAN \\([^)]*\\) ENGINE = InnoDB,\\s*")
	number = regexp.MustCompile(`^-?[0-9]+$`)
)

func literals(row []string) []string {
	all := make([]string, len(row))
	for i, value := range row {
		if all[i] = value; !number.MatchString(value) {
			all[i] = fmt.Sprintf("x'%x'", value)
		}
	}
	return all
}

// query returns all rows of a query, none of whose values may be NULL.
func query(ctx context.Context, db *sql.DB, q string) (all [][]string, err error) {
	rows, err := db.QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, to := make([]string, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
