package program

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// transferring runs the program and returns its exit status and its output.
func transferring(t *testing.T, env map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out bytes.Buffer
	var err trackertest.LogBuffer // what run writes, and what its logger writes at the same time
	status = run(t.Context(), args, inMemory(env), &out, &err)
	return status, out.String(), err.String()
}

func TestLinksMoveFromOneDatabaseToAnother(t *testing.T) {
	databases := map[string]map[string]string{}
	for _, name := range []string{"old", "new"} {
		dsn := testmysql.DSN(t)
		store, err := mysqlstore.Open(dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		tracker, err := linktrack.New(store, linktrack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer tracker.Close(context.Background())
		if _, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "ada", Type: linktrack.AccountTypeProfessional}); err != nil {
			t.Fatal(err)
		}
		databases[name] = map[string]string{"LINKTRACK_MYSQL": dsn, "LINKTRACK_LOGIN": "ada", "LINKTRACK_BASE_URL": "https://go.example.com"}
	}
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	expect := func(status, want int, out, part string) {
		t.Helper()
		if status != want || !strings.Contains(out, part) {
			t.Fatalf("exit status %d, want %d and %q in\n%s", status, want, part, out)
		}
	}
	first := write("first.csv", "external_url,vanity_link,title\nhttps://example.com/1,one,=1+1\nhttps://example.com/2,two,\n")

	status, out, _ := transferring(t, databases["old"], "import", "-dry-run", first)
	expect(status, 0, out, "2 links in the file, 0 made")
	status, out, _ = transferring(t, databases["old"], "import", first)
	expect(status, 0, out, "2 links in the file, 2 made, 0 already present, 0 clashes, 0 other problems")
	status, out, errs := transferring(t, databases["old"], "export")
	expect(status, 0, errs, "2 links exported")
	expect(status, 0, out, "https://go.example.com/one,one,go.example.com,https://example.com/1,'=1+1,")

	status, _, errs = transferring(t, databases["new"], "import", "-format", "csv", write("moved.csv", out))
	expect(status, 0, errs, "")
	status, again, _ := transferring(t, databases["new"], "export", "-password-hashes")
	expect(status, 0, again, ",password_hash\r\n")
	if plain := strings.ReplaceAll(strings.Replace(again, ",password_hash\r\n", "\r\n", 1), "0,\r\n", "0\r\n"); plain != out {
		t.Errorf("exported from the new database:\n%s\nfrom the old one:\n%s", plain, out)
	}

	second := write("second.csv", "external_url,vanity_link\nhttps://example.com/3,TWO\nhttps://example.com/3,three\n")
	status, out, errs = transferring(t, databases["new"], "import", second)
	expect(status, 1, out, "line 2: vanity_link TWO is already taken on go.example.com\n")
	expect(status, 1, errs, "linktrack: import: the file has problems, and nothing in it is imported")
	status, out, _ = transferring(t, databases["new"], "import", "-skip-clashes", second)
	expect(status, 0, out, "2 links in the file, 1 made, 0 already present, 1 clashes")
	status, _, errs = transferring(t, databases["new"], "import", "-login", "bob", first)
	expect(status, 1, errs, "there is no account bob")
	status, _, errs = transferring(t, databases["new"], "import", filepath.Join(dir, "none.csv"))
	expect(status, 1, errs, "no such file")
	status, _, errs = transferring(t, databases["new"], "import", "-format", "tinyurl", first)
	expect(status, 2, errs, "-format must be one of csv, yourls, shlink, bitly,")
	status, out, _ = transferring(t, databases["new"], "export", "-bom")
	expect(status, 0, out, "\ufefflink,")

	third := write("third.csv", "url,slug\nhttps://example.com/4,four\nexample.com,five\nhttps://example.com/6,TWO\n")
	bad := filepath.Join(dir, "bad.csv")
	status, _, errs = transferring(t, databases["new"], "import", third)
	expect(status, 1, errs, "nothing in it is imported")
	status, out, _ = transferring(t, databases["new"], "import", "-bad-rows", bad, third)
	expect(status, 0, out, "3 links in the file, 1 made, 0 already present, 1 clashes, 1 other problems")
	rows, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	if want := "problem,url,slug\r\nline 3: url must begin with http:// or https://,example.com,five\r\nline 4: slug TWO is already taken on go.example.com,https://example.com/6,TWO\r\n"; string(rows) != want {
		t.Errorf("the bad rows are\n%s\nwant\n%s", rows, want)
	}
	status, _, errs = transferring(t, databases["new"], "import", "-bad-rows", third, third)
	expect(status, 2, errs, "-bad-rows must not be the imported file")
	status, out, _ = transferring(t, databases["new"], "import", "-bad-rows", bad, first)
	expect(status, 0, out, "0 clashes, 0 other problems")
	if _, err := os.Stat(bad); !os.IsNotExist(err) {
		t.Errorf("a file of bad rows is left though there are none: %v", err)
	}
	for _, flag := range []string{"-skip-clashes", "-bad-rows=" + bad} {
		status, out, errs = transferring(t, databases["new"], "import", flag, write("case.csv", "url,slug\nhttps://example.com/a,1a\nhttps://example.com/b,1A\n"))
		expect(status, 1, errs, "2 links are left out because their paths differ only in case")
		expect(status, 1, out, "2 links in the file, 0 made, 0 already present, 2 clashes, 0 other problems")
	}
}

func TestATransferThatIsCalledWronglySaysSo(t *testing.T) {
	for want, args := range map[string][]string{
		"-db must not be memory":          {"import", "links.csv"},
		"export: -db must not be memory":  {"export"},
		"takes one FILE":                  {"import", "-mysql", "me@/links"},
		"after all flags":                 {"import", "links.csv", "-dry-run"},
		`takes only flags, not "a.csv"`:   {"export", "a.csv"},
		"not defined: -dry-run":           {"export", "-dry-run"},
		"-mysql must be a DSN":            {"export", "-mysql", "me:hush@localhost"},
		"not defined: -addr (-h shows th": {"import", "-addr", ":80", "links.csv"},
	} {
		status, out, errs := transferring(t, nil, args...)
		if status != 2 || !strings.Contains(errs, want) || strings.Contains(out+errs, "hush") {
			t.Errorf("%v: exit status %d, want %q in\n%s", args, status, want, errs)
		}
	}
	for _, verb := range []string{"import", "export"} {
		if status, out, _ := transferring(t, nil, verb, "-h"); status != 0 || !strings.Contains(out, "linktrack "+verb+" [FLAGS] ") {
			t.Errorf("%s -h: exit status %d\n%s", verb, status, out)
		}
	}
}

func TestWhatComesThroughAPipeIsReadTwice(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() { w.WriteString("external_url\n"); w.Close() }()
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin }()
	f, err := openImport("-")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		b := make([]byte, 20)
		f.Seek(0, 0)
		if n, err := f.Read(b); err != nil || string(b[:n]) != "external_url\n" {
			t.Errorf("read %q, %v", b[:n], err)
		}
	}
}
