package program

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

func TestADatabaseIsAFileOrMemoryOrMySQL(t *testing.T) {
	folder := t.TempDir()
	for where, want := range map[string]place{
		"links.db":                               {file: "links.db"},
		"data/links.db":                          {file: "data/links.db"},
		"./a@b:c.db":                             {file: "./a@b:c.db"},
		"../links (1).db":                        {file: "../links (1).db"},
		folder + "/me@home":                      {file: folder + "/me@home"},
		"./memory":                               {file: "./memory"},
		"memory":                                 {inMemory: true},
		"me:pass@tcp(db.example.com:3306)/links": {dsn: "me:pass@tcp(db.example.com:3306)/links"},
		"me:p@s/s@unix(/run/my.sock)/links?tls=true": {dsn: "me:p@s/s@unix(/run/my.sock)/links?tls=true"},
		"me@/links": {dsn: "me@tcp(127.0.0.1:3306)/links"},
		"mysql://me:pass@db.example.com:3307/links":               {dsn: "me:pass@tcp(db.example.com:3307)/links"},
		"me:p@s/s:,(@tcp(a,b:3307)/links":                         {dsn: "me:p@s/s:,(@tcp(a:3306,b:3307)/links"},
		"me:pass@tcp([::1]:3307,[::2],c:1)/links":                 {dsn: "me:pass@tcp([::1]:3307,[::2]:3306,c:1)/links"},
		"mysql://me:pass@a:3306,b:3307,c/links?tls=true":          {dsn: "me:pass@tcp(a:3306,b:3307,c:3306)/links?tls=true"},
		"mysql://me:pass@[::1]:3307,[::2],c/links":                {dsn: "me:pass@tcp([::1]:3307,[::2]:3306,c:3306)/links"},
		"mysql://me:p%2C@s,%2Fs@a,b/links":                        {dsn: "me:p,@s,/s@tcp(a:3306,b:3306)/links"},
		"mysql://me:pass@[::1]/links":                             {dsn: "me:pass@tcp([::1]:3306)/links"},
		"mysql://me@db.example.com/links":                         {dsn: "me@tcp(db.example.com:3306)/links"},
		"mysql://me:p%40s%2Fs%3A%3F%23@[::1]:3306/links?tls=true": {dsn: "me:p@s/s:?#@tcp([::1]:3306)/links?tls=true"},
	} {
		got, err := placeOf(where)
		require.NoError(t, err, where)
		assert.Equal(t, want, got, where)
		assert.NotContains(t, got.String(), "pass", where)
		assert.NotContains(t, got.String(), "p@s", where)
	}
	assert.Equal(t, "MySQL at [::1]:3306, database links", place{dsn: "me:hush@tcp([::1]:3306)/links"}.String())
	assert.Equal(t, "MySQL at [::1]:3306 or b:3306, database links", place{dsn: "me:hush@tcp([::1],b)/links"}.String())
	full, err := filepath.Abs("links.db")
	require.NoError(t, err)
	assert.Equal(t, full, place{file: "links.db"}.String())
}

func TestAMistakeInADatabaseShowsNoPass(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text.txt")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("no database ", 20)), 0o600))
	for where, want := range map[string]string{
		"":                                           "-db must not be empty",
		"me:hush@127.0.0.1/links":                    "-db must be the path of a file, memory,",
		"me:hush@tcp(127.0.0.1:1)":                   "-db must be the path",
		"me:hush@tcp(127.0.0.1:1)links":              "-db must be the path",
		"me:hush@tcp(127.0.0.1:1/links":              "-db must be the path",
		"me:hush@tcp(127.0.0.1:1)/":                  "-db must be the path",
		"me:hush@tpc(127.0.0.1:1)/links":             "-db must be the path",
		"me@/hush@tcp(127.0.0.1:1)":                  "-db must be the path",
		"me:hush":                                    "-db must be the path",
		"postgres://me:hush@127.0.0.1/db":            "-db must be the path",
		"postgres://me:hush@/db":                     "-db must be the path",
		"mysql://me:hush@127.0.0.1:1":                "-db must be the path",
		"mysql://me:hush@127.0.0.1:x/a":              "-db must be the path",
		"mysql://me:hu/hush@127.0.0.1/a":             "-db must be the path",
		"mysql://me:12/hush@127.0.0.1/a":             "-db must be the path",
		"mysql://me:1@2/hush@127.0.0.1/a":            "-db must be the path",
		"mysql://me:1@2/hush@127.0.0.1":              "-db must be the path",
		"mysql://me:hu?hush@127.0.0.1/a":             "-db must be the path",
		"mysql://me:hu#hush@127.0.0.1/a":             "-db must be the path",
		"mysql://me:hush%zz@127.0.0.1/a":             "-db must be the path",
		"me:hush@tcp(a,)/links":                      "-db must be the path",
		"me:hush@tcp(a:1,b:x)/links":                 "-db must be the path",
		"mysql://me:hush@a:1,/links":                 "-db must be the path",
		"mysql://me:hush@a:1,b:x/links":              "-db must be the path",
		"mysql://me:hush@a,b:1:2/links":              "-db must be the path",
		"mysql://me:hush@a,b@c/li/nks":               "-db must be the path",
		"mysql://me:hu,/hush@a,b/links":              "-db must be the path",
		"mysql://hush/links":                         "-db must be the path",
		"mysql:/me:hush@127.0.0.1/links":             "-db must be the path",
		"hush@tcp(127.0.0.1:1)/links":                "no server answers at 127.0.0.1:1",
		"/hush@tcp(127.0.0.1:1)/links":               "no server answers at 127.0.0.1:1",
		"./hush@unix(/none)/links":                   "no server answers at /none",
		"mysql://hush@127.0.0.1:1/links":             "no server answers at 127.0.0.1:1",
		"me:hush@tcp(127.0.0.1:1)/links":             "no server answers at 127.0.0.1:1",
		"mysql://me:hush@127.0.0.1:1/lt":             "no server answers at 127.0.0.1:1",
		"mysql://me:hush@127.0.0.1:1,127.0.0.1:2/lt": "no server answers at 127.0.0.1:1: connection refused; no server answers at 127.0.0.1:2",
		folder + "/none/links.db":                    "the folder " + folder + "/none for the database does not exist",
		text + "/links.db":                           text + " is no folder",
		folder:                                       folder + " is a folder: name a file in it",
		text:                                         "not an SQLite database",
	} {
		status, out, errs := transferring(t, nil, "-addr", "127.0.0.1:0", "-db", where)
		assert.NotZero(t, status, where)
		assert.Contains(t, errs, want, where)
		assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
		assert.NotContains(t, out+errs, "hush", where)
	}
	for want, env := range map[string]map[string]string{
		"-mysql must be a DSN":                   {"LINKTRACK_MYSQL": folder + "/links.db"},
		"-db and -mysql must not both be set":    {"LINKTRACK_MYSQL": "me:hush@/links", "LINKTRACK_DB": "links.db"},
		"-db must be the path of a file, memory": {"LINKTRACK_DB": "me:hush"},
	} {
		status, out, errs := transferring(t, env, "-addr", "127.0.0.1:0")
		assert.Equal(t, 2, status, want)
		assert.Contains(t, errs, want)
		assert.NotContains(t, out+errs, "hush", want)
	}
	assert.NoFileExists(t, filepath.Join(folder, "links.db"))
}

func TestAPassInThePlaceOfTheUserIsNotShown(t *testing.T) {
	server, err := mysql.ParseDSN(testmysql.DSN(t))
	require.NoError(t, err)
	for _, where := range []string{"hush@tcp(" + server.Addr + ")/" + server.DBName, "mysql://me@hush@" + server.Addr + "/" + server.DBName} {
		status, out, errs := transferring(t, nil, "-addr", "127.0.0.1:0", "-db", where)
		assert.Equal(t, 1, status, where)
		assert.Contains(t, errs, "does not accept the user of the DSN without a password", where)
		assert.NotContains(t, out+errs, "hush", where)
	}
}

func TestAFlagOverridesTheVariablesOfAllItsNames(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
		want place
	}{
		"by default":     {want: place{file: "linktrack.db"}},
		"a variable":     {env: map[string]string{"LINKTRACK_DB": "a.db"}, want: place{file: "a.db"}},
		"an alias":       {env: map[string]string{"LINKTRACK_MYSQL": "a@/b"}, want: place{dsn: "a@tcp(127.0.0.1:3306)/b"}},
		"-db":            {env: map[string]string{"LINKTRACK_MYSQL": "a@/b"}, args: []string{"-db", "c.db"}, want: place{file: "c.db"}},
		"-mysql":         {env: map[string]string{"LINKTRACK_DB": "c.db"}, args: []string{"-mysql", "a@/b"}, want: place{dsn: "a@tcp(127.0.0.1:3306)/b"}},
		"-mysql, no DSN": {args: []string{"-mysql", ""}, want: place{file: "linktrack.db"}},
	} {
		c, err := parseFlags(tt.args, tt.env, io.Discard)
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, c.place, name)
	}
	c, err := parseFlags([]string{"-honor-gpc=false"}, environment{"LINKTRACK_HONOUR_GPC": "1"}, io.Discard)
	require.NoError(t, err)
	assert.False(t, c.privacy.HonorGPC)
}

func TestARestartHasEverythingAfterAKill(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for name, args := range map[string][]string{
		"as it is":       nil,
		"with a journal": {"-ack", "journaled", "-journal", "journal"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			args := append(args, "-addr", "127.0.0.1:0", "-base-url", "http://go.example.com")
			p := testprogram.StartIn(t, folder, bin, nil, args...)
			assert.Contains(t, p.Line(t, "linktrack listens on "), "kept in "+filepath.Join(folder, "linktrack.db")+")")
			assert.Contains(t, p.Line(t, "account linktrack: "), "(shown only once)")
			line := p.Line(t, "  curl ")
			pass := credentials(t, line).Get("pass")
			link := curl(t, line)
			for range 10 {
				click(t, line, link)
			}
			p.Kill()

			p = testprogram.StartIn(t, folder, bin, nil, args...)
			assert.Equal(t, "unchanged, with its previous pass", p.Line(t, "account linktrack: "))
			line = strings.Replace(p.Line(t, "  curl "), "PASS", pass, 1)
			assert.NotContains(t, p.Stdout()+p.Stderr(), pass, "it is shown only once")
			// The clicks of the journal come to the store in the background.
			counts := func(n int) {
				require.Eventually(t, func() bool { return countTotal(t, line, link) == n }, time.Minute, 10*time.Millisecond)
			}
			counts(10)
			click(t, line, link)
			counts(11)
			assert.Zero(t, p.Stop(t))
		})
	}
}

func TestOnlyTheServiceMakesAFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "links.db")
	for _, args := range [][]string{{"export"}, {"import", "links.csv"}} {
		status, _, errs := transferring(t, map[string]string{"LINKTRACK_DB": file}, args...)
		assert.Equal(t, 1, status)
		assert.Contains(t, errs, "there is no database "+file+": name it with -db")
	}
	assert.NoFileExists(t, file)
}

func TestLinksMoveFromAFileToMySQL(t *testing.T) {
	file := filepath.Join(t.TempDir(), "links.db")
	dsn := testmysql.DSN(t)
	for _, where := range []string{file, dsn} {
		p, err := placeOf(where)
		require.NoError(t, err)
		db, err := openDatabase(t.Context(), p, openOptions{mysql: []mysqlstore.Option{mysqlstore.MaxConnections(4)}, logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		db.close()
		inService(t, where, func(line string) {})
	}
	csv := filepath.Join(t.TempDir(), "links.csv")
	require.NoError(t, os.WriteFile(csv, []byte("external_url,vanity_link\nhttps://example.com/1,one\n"), 0o600))
	status, out, errs := transferring(t, nil, "import", "-db", file, csv)
	require.Zero(t, status, errs)
	assert.Contains(t, out, "1 made")
	status, first, errs := transferring(t, nil, "export", "-db", file)
	require.Zero(t, status, errs)
	require.NoError(t, os.WriteFile(csv, []byte(first), 0o600))
	status, out, errs = transferring(t, nil, "import", "-db", dsn, csv)
	require.Zero(t, status, errs)
	assert.Contains(t, out, "1 made")
	status, second, errs := transferring(t, nil, "export", "-mysql", dsn)
	require.Zero(t, status, errs)
	assert.Equal(t, first, second)
}

// inService runs the service in this process on a database, and calls do with the curl
// line that it prints.
func inService(t *testing.T, where string, do func(line string)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		status := run(ctx, []string{"-addr", "127.0.0.1:0", "-db", where}, nil, in, io.Discard)
		in.Close()
		ended <- status
	}()
	line := ""
	buffer := make([]byte, 4096)
	for !strings.Contains(line, "  curl ") || !strings.HasSuffix(line, "\n") {
		n, err := out.Read(buffer)
		line += string(buffer[:n])
		require.NoError(t, err, line)
	}
	go io.Copy(io.Discard, out)
	_, line, _ = strings.Cut(strings.TrimSuffix(line, "\n"), "  curl ")
	do(line)
	stop()
	require.Zero(t, <-ended)
}
