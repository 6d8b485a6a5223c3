package mysqlstore_test

import (
	"bytes"
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
	"sync"
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
	called = regexp.MustCompile(`(\w+)\s*\(`)
	drops  = regexp.MustCompile(`(?is)^\s*ALTER\b.*\bDROP\s+COLUMN\b`)
)

// shape returns a statement without its comments and with a question mark in place of each
// value, and of each list of values or of rows. So statements that differ only in their
// values have the same shape.
func shape(statement string) string {
	b := make([]byte, 0, min(len(statement), 4096))
	value := func() { // adds a value, or makes it a part of the list before it
		if before, found := bytes.CutSuffix(bytes.TrimRight(b, " \n\t"), []byte{','}); found && bytes.HasSuffix(before, []byte{'?'}) {
			b = before
		} else if !bytes.HasSuffix(b, []byte{'?'}) { // two quotes in a value end it and begin another one
			b = append(b, '?')
		}
	}
	for i := 0; i < len(statement); {
		c := statement[i]
		end := i + 1 // of the value or comment that begins at i
		switch {
		case c == 'x' && strings.HasPrefix(statement[end:], "'") && (i == 0 || !isWord(statement[i-1])):
			end += 1 + strings.IndexByte(statement[end+1:]+"'", '\'') + 1
			value()
		case c == '\'' || c == '"' || c == '`':
			for end < len(statement) && statement[end] != c {
				if c == '\'' && statement[end] == '\\' {
					end++
				}
				end++
			}
			end++
			value()
		case c == '?':
			value()
		case '0' <= c && c <= '9' && (i == 0 || !isWord(statement[i-1])):
			for end < len(statement) && isWord(statement[end]) {
				end++
			}
			value()
		case strings.HasPrefix(statement[i:], "--"):
			for end < len(statement) && statement[end] != '\n' {
				end++
			}
		case c == ')' && bytes.HasSuffix(b, []byte("(?")):
			b = b[:len(b)-2]
			if len(b) > 0 && isWord(b[len(b)-1]) || bytes.HasSuffix(b, []byte{' '}) && !bytes.HasSuffix(bytes.TrimRight(b, " "), []byte{','}) {
				b = append(b, "(?)"...) // it is of a function, or of a word such as IN
				break
			}
			value()
		default:
			b = append(b, c)
		}
		i = end
	}
	return string(b)
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// plain returns what a statement, or a part of one, has that is not plain SQL.
func plain(statement string) error {
	bare := shape(statement)
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
	for statement, want := range map[string]string{
		`INSERT INTO a VALUES (1, 'it''s \' (', x'00'),(?, ?,-2), (3, "b", 4)`: `INSERT INTO a VALUES (?),(?,-?), ?`,
		`SELECT LEAST(?, 5), t2.b FROM t2 WHERE a IN (?, ?,?) -- why 'not'`:    `SELECT LEAST(?), t2.b FROM t2 WHERE a IN (?) `,
		"SELECT 'open":                     "SELECT ?",
		"INSERT INTO b VALUES (?),(?),(?)": "INSERT INTO b VALUES (?),?",
	} {
		require.Equal(t, want, shape(statement))
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

// Those statements that no test runs are at least read: what the texts of the package, and
// of what it shares with other stores, call in capital letters is a function.
func TestEveryTextOfThePackageIsPlainSQL(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	shared, err := filepath.Glob("../internal/sqlstore/*.go")
	require.NoError(t, err)
	require.NotEmpty(t, shared)
	files = append(files, shared...)
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

// checked has the shapes of the statements that are plain SQL.
var checked sync.Map

func (c *plainConn) check(statement string) {
	bare := shape(statement)
	if _, ok := checked.Load(bare); ok {
		return
	}
	if err := plain(bare); err != nil {
		c.t.Errorf("%v\n%.2000s", err, statement)
		return
	}
	checked.Store(bare, true)
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
