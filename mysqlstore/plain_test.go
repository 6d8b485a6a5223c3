package mysqlstore_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The statements keep to SQL that MySQL's relatives know as well, so that no
// engine is ruled out.

// functions are those that may be called.
var functions = strings.Fields(`CAST COALESCE CONCAT CONVERT COUNT DATABASE FLOOR GET_LOCK GREATEST IF INSTR LAST_INSERT_ID LEAST
	LENGTH LOG2 LOWER MAX MIN SUBSTRING SUM UNIX_TIMESTAMP VALUES`)

// beforeParens are words that parentheses follow, but not as a function's.
var beforeParens = strings.Fields(`AND AS BINARY BY COLUMNS EXISTS FROM IN INDEX INTO JOIN KEY NOT ON OR PARTITION SELECT SET THAN
	UNION ALL UPDATE VALUES VARBINARY WHERE USING`)

// unplain are words and signs that not every engine knows.
var unplain = regexp.MustCompile(`(?i)\b(JSON_\w+|RETURNING|LATERAL|RECURSIVE|OVER|WINDOW|INTERSECT|EXCEPT|MERGE|FULLTEXT|SEQUENCE|TRIGGER|PROCEDURE|` +
	`SKIP\s+LOCKED|NOWAIT|VALUES\s+ROW|AS\s+new|LOAD\s+DATA)\b|->|:=|<=>`)

var (
	quoted = regexp.MustCompile("(?s)'(?:[^'\\\\]|''|\\\\.)*'|\"[^\"]*\"|`[^`]*`|--[^\\n]*")
	called = regexp.MustCompile(`(\w+)\s*\(`)
	drops  = regexp.MustCompile(`(?is)^\s*ALTER\b.*\bDROP\s+COLUMN\b`)
)

// plain returns what a statement, or a part of one, has that is not plain SQL.
func plain(statement string) error {
	bare := quoted.ReplaceAllString(statement, "''")
	if word := unplain.FindString(bare); word != "" {
		return fmt.Errorf("%q in %s", word, statement)
	}
	for _, call := range called.FindAllStringSubmatch(bare, -1) {
		word := strings.ToUpper(call[1])
		if !slices.Contains(functions, word) && !slices.Contains(beforeParens, word) && !strings.HasPrefix(call[1], "lt_") {
			return fmt.Errorf("%q may be called only if it is among the functions: %s", call[1], statement)
		}
	}
	if drops.MatchString(bare) && strings.Contains(bare, ",") {
		return fmt.Errorf("a column is dropped together with something else: %s", statement)
	}
	return nil
}

func TestWhatIsNotPlainSQLIsFound(t *testing.T) {
	for _, statement := range []string{
		`SELECT id FROM JSON_TABLE('[1]', '$[*]' COLUMNS (id BIGINT PATH '$')) d`,
		`UPDATE lt_count c JOIN (SELECT json_value(?, '$') AS n) d SET c.total = n`,
		`DELETE FROM lt_pending WHERE id = 1 RETURNING facts`,
		`INSERT INTO lt_source (seq) VALUES (1) AS new ON DUPLICATE KEY UPDATE seq = new.seq`,
		`SELECT SUM(clicks) OVER (PARTITION BY link_id) FROM lt_hour`,
		`SELECT data->>'$.p' FROM lt_day`,
		`SELECT REGEXP_REPLACE(title, 'a', 'b') FROM lt_link`,
		"ALTER TABLE lt_count\n  DROP KEY lt_count_total,\n  DROP COLUMN total_step",
		`alter table lt_count drop column a, drop column b`,
	} {
		require.Error(t, plain(statement), statement)
	}
	require.NoError(t, plain(`SELECT COALESCE(SUM(clicks), 0) FROM lt_hour WHERE link_id IN (1, 2) AND x = 'JSON_TABLE(' -- RETURNING`))
}

func TestEveryMigrationIsPlainSQL(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, file := range files {
		require.Regexp(t, fmt.Sprintf(`^%04d_`, i+1), filepath.Base(file), "a migration's number is its version, so no two have the same")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		comments := regexp.MustCompile(`--[^\n]*`)
		for statement := range strings.SplitSeq(comments.ReplaceAllString(string(text), ""), ";") {
			require.NoError(t, plain(statement), file)
		}
	}
}

// Those statements that no test runs are at least read: what the package's
// texts call in capital letters is a function.
func TestEveryTextOfThePackageIsPlainSQL(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	capitals := regexp.MustCompile(`\b[A-Z][A-Z0-9_]+\(`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			for _, call := range capitals.FindAllString(text, -1) {
				found++
				require.NoError(t, plain(call), "%s: %s", file, text)
			}
			require.NotRegexp(t, `JSON_|\bRETURNING\b|->`, text, file)
			return true
		})
	}
	require.Greater(t, found, 20)
}

// plainSQL makes connections on which a statement that is not plain SQL fails
// the test.
type plainSQL struct {
	driver.Connector
	t testing.TB
}

func (p plainSQL) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &plainConn{conn.(everything), p.t}, nil
}

type plainConn struct {
	everything
	t testing.TB
}

// everything is what the driver's connections can do.
type everything interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

func (c *plainConn) check(statement string) {
	if err := plain(statement); err != nil {
		c.t.Error(err)
	}
}

func (c *plainConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	c.check(statement)
	return c.everything.PrepareContext(ctx, statement)
}

func (c *plainConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	c.check(statement)
	return c.everything.ExecContext(ctx, statement, args)
}

func (c *plainConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	c.check(statement)
	return c.everything.QueryContext(ctx, statement, args)
}
