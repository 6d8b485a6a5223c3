package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/transfer"
)

// An endless file repeats a unit, and is never in memory as a whole.
type endless struct {
	head, unit string
	size       int64 // about

	at   int64
	read int64 // in all
	when int64 // call then after that many bytes
	then func()
}

func (e *endless) Read(b []byte) (n int, err error) {
	if e.then != nil && e.read >= e.when {
		e.then()
	}
	for n < len(b) && e.at < e.size {
		part := e.unit
		if e.at < int64(len(e.head)) {
			part = e.head[e.at:]
		} else {
			part = part[(e.at-int64(len(e.head)))%int64(len(part)):]
		}
		c := copy(b[n:], part)
		n += c
		e.at += int64(c)
	}
	e.read += int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (e *endless) Seek(int64, int) (int64, error) {
	e.at = 0
	return 0, nil
}

// long repeats a unit of a file, so that large parts are read at once.
func long(unit string) string { return strings.Repeat(unit, 1+4096/len(unit)) }

// hostileFiles are long files without a link. wants is the problem or the error, ""
// for none. megabytes is the memory that reading the file may allocate, however long
// it is: more than one only where a row of up to a million bytes is kept.
var hostileFiles = map[string]struct {
	head, unit, wants string
	megabytes         int64
}{
	"CSV, columns":                 {"external_url", ",a", "line 1: a row has more than 1000 fields", 8},
	"CSV, columns with long names": {"external_url", "," + strings.Repeat("a", 5000), "line 1: a row has more than a million bytes", 8},
	"CSV, the same column":         {"external_url", ",external_url", "line 1: a row has more than 1000 fields", 8},
	"CSV, separators":              {"external_url\n", ",,,\n", "", 1},
	"CSV, a row of separators":     {"external_url\n", ",", "line 2: a row has more than 1000 fields", 1},
	"CSV, empty lines":             {"external_url\n", "\r\n\n", "", 1},
	"CSV, a text":                  {"external_url\n", "x", "line 2: a text has more than a million bytes", 14},
	"CSV, a quoted text":           {"external_url\n\"", "x\n", "line 2: a quotation mark is not closed", 8},
	"CSV, quotation marks":         {"external_url\n\"\"", "\"\"", "line 2: a quotation mark is not closed", 8},
	"CSV, text behind a quote":     {"external_url\n\"\"", "x", "line 2: there is text after a closing quotation mark", 1},
	"SQL, columns":                 {"INSERT INTO x_url (a", ",a", "line 1: a row has more than 1000 fields", 1},
	"SQL, values":                  {"INSERT INTO x_url VALUES (1", ",1", "line 1: a row has more than 1000 fields", 1},
	"SQL, a name":                  {"INSERT INTO `", "x", "line 1: a text has more than a million bytes", 8},
	"SQL, a word":                  {"INSERT INTO ", "x", "line 1: a word has more than a million bytes", 8},
	"SQL, words":                   {"INSERT INTO ", "x ", "the file ends within a statement", 1},
	"SQL, a comment":               {"/*", " *", "the file ends within a statement", 1},
	"SQL, comments":                {"-- x\n", "#\n", "there is no INSERT INTO a table", 1},
	"SQL, another statement":       {"CREATE TABLE x (", "a,'b',`c`,", "the file ends within a statement", 1},
	"SQL, a text that is skipped":  {"SET x = '", "xx", "the file ends within a statement", 1},
	"SQL, empty statements":        {"SET x = 1", ";\n", "there is no INSERT INTO a table", 1},
	"JSON, white space":            {"[", "\n ", "the file ends within the JSON", 1},
	"JSON, nesting of lists":       {`{"x":`, "[", "line 1: more than 100 nested objects and lists", 1},
	"JSON, nesting of objects":     {``, `{"data":`, "line 1: more than 100 nested objects and lists", 1},
	"JSON, nesting of links":       {`[`, `[`, "line 1: more than 100 nested objects and lists", 1},
	"JSON, a list that is skipped": {`{"x":[1`, `,1`, "the file ends within the JSON", 1},
	"JSON, a text that is skipped": {`{"x":"`, `x\"`, "the file ends within the JSON", 1},
	"JSON, a link":                 {`[{"longUrl":"`, `x`, "line 1: a value has more than a million bytes", 5},
	"JSON, a link of spaces":       {`[{"longUrl":`, ` `, "the file ends within the JSON", 1},
	"JSON, a name":                 {`{"`, `x`, "line 1: a value has more than a million bytes", 5},
	"JSON, members":                {`{"a":1`, `,"a":1`, "the file ends within the JSON", 1},
	"JSON, a number":               {`[`, `1`, "line 1: this is not JSON", 1},
	"JSON, pages":                  {`[]`, `[]`, "", 1},
}

func TestNoFileTakesMoreMemoryThanARow(t *testing.T) {
	for name, file := range hostileFiles {
		t.Run(name, func(t *testing.T) {
			p := professional(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			in := &endless{head: file.head, unit: long(file.unit), size: 3 << 19} // half as long again as a row may be
			var problems []string
			_, err := transfer.Import(t.Context(), p.tracker, p.account, in, transfer.ImportOptions{
				SkipProblems: true, Problem: func(problem transfer.Problem) { problems = append(problems, problem.String()) },
			})
			runtime.ReadMemStats(&after)
			if err != nil {
				problems = append(problems, err.Error())
			}
			require.Contains(t, strings.Join(problems, "\n"), file.wants)
			allocated := int64(after.TotalAlloc - before.TotalAlloc)
			require.Less(t, allocated, file.megabytes<<20+raceBytesPerByte*in.size, "all that was allocated, garbage too")
			require.LessOrEqual(t, in.read, 4*in.size, "it is read once or twice")
		})
	}
}

func TestEveryFileEndsWithTheContext(t *testing.T) {
	for name, file := range hostileFiles {
		const size, soon = 4 << 20, 1 << 20
		for when := range map[int64]bool{soon: true, size + soon: true} { // in each reading
			p := professional(t)
			ctx, cancel := context.WithCancel(t.Context())
			in := &endless{head: file.head, unit: long(file.unit), size: size, when: when, then: cancel}
			_, err := transfer.Import(ctx, p.tracker, p.account, in, transfer.ImportOptions{})
			cancel()
			if errors.Is(err, transfer.ErrRefused) || err != nil && !errors.Is(err, context.Canceled) {
				require.Less(t, in.read, when+soon, "%s: it was refused before that: %v", name, err)
				continue
			}
			require.ErrorIs(t, err, context.Canceled, name)
			require.Less(t, in.read, when+256<<10, name)
		}
	}
}

func TestNotesNameAFewColumns(t *testing.T) {
	for _, header := range []string{"external_url", "url,slug"} {
		var b strings.Builder
		b.WriteString(header)
		for i := range 900 {
			b.WriteString("," + strings.Repeat("long ", 100) + itoa(i))
		}
		b.WriteString("\n" + strings.Replace(header, "url", "https://example.com/", 1) + strings.Repeat(",x", 900) + "\n")
		r, _ := professional(t).importing(b.String(), transfer.ImportOptions{DryRun: true})
		require.Len(t, r.Notes, 21)
		require.Less(t, len(strings.Join(r.Notes, "")), 4000)
		require.Contains(t, r.Notes[20], "880 more columns")
	}
}

func TestAHeaderMayHaveAThousandColumns(t *testing.T) {
	p := professional(t)
	file := "external_url" + strings.Repeat(",", 999) + "\nexample.com" + strings.Repeat(",", 999) + "\n"
	var bad strings.Builder
	_, err := p.importing(file, transfer.ImportOptions{Rejected: &bad})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{"line 2: external_url must begin with http:// or https://"}, p.problems)
	p.imports(strings.Replace(bad.String(), ",example.com", ",https://example.com/", 1), transfer.ImportOptions{})
	require.Equal(t, "https://example.com/", p.links()[0].ExternalURL)
	_, err = p.importing("external_url"+strings.Repeat(",", 1000)+"\n", transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{"line 1: a row has more than 1000 fields"}, p.problems)
}

func TestAFileWithThousandsOfBadLinksIsNotReadToItsEnd(t *testing.T) {
	for name, file := range map[string]*endless{
		"JSON": {head: `{"data":[{}`, unit: long(",{}"), size: 4 << 20},
		"CSV":  {head: "external_url\n", unit: long("x\n"), size: 4 << 20},
		"SQL":  {head: "INSERT INTO yourls_url (url,keyword) VALUES ('x','')", unit: long(",('x','')"), size: 4 << 20},
	} {
		for _, o := range []transfer.ImportOptions{{DryRun: true}, {}, {SkipProblems: true, SkipClashes: true}} {
			p := professional(t)
			problems := 0
			o.Problem = func(transfer.Problem) { problems++ }
			file.at, file.read = 0, 0
			_, err := transfer.Import(t.Context(), p.tracker, p.account, file, o)
			var inv *linktrack.InvalidError
			require.ErrorAs(t, err, &inv, name)
			require.Equal(t, "the file has more than 5000 links that cannot be imported", inv.Error(), name)
			require.Less(t, problems, 20_000, name)
			require.Empty(t, p.links(), name)
		}
	}
}

func TestAFileHasNoMoreLinksThanItMay(t *testing.T) {
	for name, unit := range map[string]string{"links": "https://example.com/,", "rows that are wrong": "a,", "the same": "https://example.com/,x"} {
		file := func(links int) string {
			var b strings.Builder
			b.WriteString("url,slug\n")
			for i := range links {
				b.WriteString(unit + itoa(i) + "\n")
			}
			return b.String()
		}
		p := professional(t)
		for most, refused := range map[int64]bool{0: false, 1: true, 1199: true, 1200: false} {
			_, err := p.importing(file(1200), transfer.ImportOptions{MaxLinks: most, DryRun: true, SkipProblems: true, SkipClashes: true})
			if !refused {
				require.NoError(t, err, name)
				continue
			}
			require.EqualError(t, err, fmt.Sprintf("the file has more than %d links: import it in parts", most), name)
			require.ErrorAs(t, err, new(*linktrack.InvalidError))
		}
		_, err := p.importing(file(1200), transfer.ImportOptions{MaxLinks: 1199, SkipProblems: true, SkipClashes: true})
		require.Error(t, err)
		require.Empty(t, p.links(), "nothing is made")
	}
}

func TestManyWrongRowsTakeNoMoreMemoryThanTheLinksThatAFileMayHave(t *testing.T) {
	const most = 2000
	p := professional(t)
	in := &endless{head: "url,slug\n", unit: "a,b\n", size: 4 << 20}
	_, err := transfer.Import(t.Context(), p.tracker, p.account, in, transfer.ImportOptions{MaxLinks: most, SkipProblems: true, DryRun: true})
	require.EqualError(t, err, "the file has more than 2000 links: import it in parts")
	require.Less(t, in.read, in.size+most*4+1<<20, "it is read once to find its encoding, and then up to the bound")
}
