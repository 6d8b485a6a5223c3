package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

func fuzzTracker(t testing.TB) (*linktrack.Tracker, linktrack.Account) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(context.Background()) })
	a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	return tracker, a
}

func seeds(f *testing.F, ext string) {
	files, err := filepath.Glob("testdata/*" + ext)
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(b)
	}
}

// readAll returns the links of a text, and the error at its end.
func readAll(t *testing.T, tracker *linktrack.Tracker, in io.Reader) ([]entry, error) {
	src, _, err := open(encoded{}.reader(in), "", tracker)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for {
		e, err := src.next()
		if err != nil {
			_ = src.notes()
			return entries, err
		}
		if len(entries) > 0 {
			require.GreaterOrEqual(t, e.line, entries[len(entries)-1].line, "lines do not fall")
		}
		entries = append(entries, e)
	}
}

// check checks that reading a text ends, and that the result does not depend on the
// parts in which it arrives.
func check(t *testing.T, tracker *linktrack.Tracker, b []byte) {
	whole, err := readAll(t, tracker, bytes.NewReader(b))
	parts, err2 := readAll(t, tracker, iotest.OneByteReader(bytes.NewReader(b)))
	require.Equal(t, whole, parts)
	require.Equal(t, err, err2)
	require.LessOrEqual(t, len(whole), 2*len(b)+1)
	lines := 1 + bytes.Count(b, []byte("\n")) + bytes.Count(b, []byte("\r"))
	for _, e := range whole {
		require.True(t, 1 <= e.line && e.line <= lines, "line %d of %d", e.line, lines)
	}
	if bad := new(broken); errors.As(err, &bad) {
		require.True(t, 1 <= bad.line && bad.line <= lines, "line %d of %d", bad.line, lines)
	}
}

func FuzzCSV(f *testing.F) {
	seeds(f, ".csv")
	f.Add([]byte("sep=;\r\nexternal_url;title\rhttps://example.com/;\"a\"\"\nb\"\n;;\n"))
	f.Add([]byte("problem,url,slug\nx,\"https://example.com/\" ,a,,\n"))
	tracker, _ := fuzzTracker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		check(t, tracker, b)
		c := newCSVReader(bufio.NewReaderSize(bytes.NewReader(b), 64<<10))
		if bytes.ContainsAny(b, "\r") || c.line > 1 || bytes.Contains(bytes.ToLower(b), []byte("sep=")) || len(b) > 32<<10 {
			return
		}
		std := csv.NewReader(bytes.NewReader(b))
		std.Comma, std.FieldsPerRecord = rune(c.comma), -1
		for {
			want, err := std.Read()
			for err == nil && strings.TrimSpace(strings.Join(want, "")) == "" {
				want, err = std.Read()
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return // what is no CSV to everybody is read as well as can be
			}
			got, _, err2 := c.read()
			if bad := new(badRow); errors.As(err2, &bad) {
				return
			}
			require.Equal(t, err, err2)
			if err != nil {
				return
			}
			require.Equal(t, want, got)
		}
	})
}

func FuzzSQL(f *testing.F) {
	seeds(f, ".sql")
	f.Add([]byte("INSERT INTO yourls_url (url, keyword) VALUES ('a\\'b', _binary 'x'), (NULL, 1) ON DUPLICATE KEY UPDATE a = 1;"))
	f.Add([]byte("SET x = '\\\\'; # c\r-- c\nREPLACE INTO `a_url` VALUES (''''), (\"b\"\"\");"))
	tracker, _ := fuzzTracker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		check(t, tracker, append([]byte("-- \n"), b...))
		check(t, tracker, append([]byte("INSERT INTO yourls_url VALUES ("), b...))
	})
}

func FuzzJSON(f *testing.F) {
	seeds(f, ".json")
	f.Add([]byte(`[{"shortCode":"a","longUrl":"b","tags":["\u00e4"],"meta":{"maxVisits":1e3}}, {}, [], 1, "x", null]`))
	f.Add([]byte(`{"total":"x","data":[{"target":"","address":""}],"pagination":{"pagesCount":-1}} {"data":[]}`))
	tracker, _ := fuzzTracker(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		check(t, tracker, append([]byte("["), b...))
		check(t, tracker, append([]byte(`{"shortUrls":`), b...))
		check(t, tracker, append([]byte(`{"data":[{"target":"","address":""},`), b...))
		if !json.Valid(b) || len(b) > maxText/2 || bytes.Count(b, []byte("{"))+bytes.Count(b, []byte("[")) > maxNesting {
			return
		}
		j := jsonReader{in: bufio.NewReader(bytes.NewReader(b)), line: 1}
		got, _, err := j.raw()
		require.NoError(t, err)
		var want bytes.Buffer
		require.NoError(t, json.Compact(&want, b))
		require.Equal(t, want.String(), string(got), "what is JSON is read as JSON")
		_, err = j.peek()
		require.ErrorIs(t, err, io.EOF)
	})
}

// FuzzImport checks that, for any file, exactly the checked links are made, that the
// rejected links can be read again, and that importing the file again makes nothing.
func FuzzImport(f *testing.F) {
	for _, ext := range []string{".csv", ".sql", ".json"} {
		seeds(f, ext)
	}
	f.Add([]byte("url,slug\nhttps://example.com/1,1a\nhttps://example.com/2,1A\nx,1a\n"))
	f.Add([]byte("\xff\xfeu\x00r\x00l\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tracker, a := fuzzTracker(t)
		var bad bytes.Buffer
		left := map[int]bool{}
		o := ImportOptions{SkipClashes: true, SkipProblems: true, Rejected: &bad, Host: "go.example.com", Problem: func(p Problem) { left[p.Line] = true }}
		r, err := Import(t.Context(), tracker, a, bytes.NewReader(b), o)
		if inv := new(linktrack.InvalidError); errors.As(err, &inv) || errors.Is(err, ErrRefused) {
			require.Zero(t, r.Made)
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, r.Made+r.Present, r.Links)
		require.Equal(t, len(left) > 0, bad.Len() > 0)
		var made int64
		for _, err := range tracker.AllLinks(t.Context(), a) {
			require.NoError(t, err)
			made++
		}
		require.Equal(t, r.Made, made)
		if bad.Len() == 0 {
			return
		}
		o.Rejected, o.DryRun = nil, true
		again, err := Import(t.Context(), tracker, a, bytes.NewReader(slices.Clone(bad.Bytes())), o)
		require.NoError(t, err, "%s", bad.Bytes())
		if r.Format != Bitly { // of which a row may be two links
			require.Equal(t, r.Links-r.Made-r.Present, again.Links, "%s", bad.Bytes())
		}
	})
}
