package program

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
)

// accounts runs "linktrack account" on a database. The environment is that of a service
// whose first account has other values.
func accounts(t *testing.T, where string, args ...string) (status int, out, errs string) {
	t.Helper()
	return transferring(t, map[string]string{
		"LINKTRACK_DB": where, "LINKTRACK_LOGIN": "first", "LINKTRACK_EMAIL": "first@example.com",
		"LINKTRACK_TYPE": "free", "LINKTRACK_PASS": "first-pass-123",
	}, append([]string{"account"}, args...)...)
}

func passIn(t *testing.T, out string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^pass ([0-9a-f]{32}) \(shown only once\)$`).FindStringSubmatch(out)
	require.NotNil(t, m, out)
	return m[1]
}

func TestTheOperatorChangesOneAccountAtATime(t *testing.T) {
	for name, where := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "links.db"), "MySQL": testmysql.DSN(t)} {
		t.Run(name, func(t *testing.T) {
			do := func(want string, args ...string) string {
				t.Helper()
				status, out, errs := accounts(t, where, args...)
				require.Zero(t, status, errs)
				require.Empty(t, errs, "nothing is logged")
				require.Contains(t, out, want)
				return out
			}
			fails := func(status int, want string, args ...string) {
				t.Helper()
				got, out, errs := accounts(t, where, args...)
				assert.Equal(t, status, got, want)
				assert.Contains(t, errs, want)
				assert.Empty(t, out)
			}
			list := func(rows ...string) {
				t.Helper()
				lines := strings.Split(strings.TrimSpace(do("NUMBER", "list", "-zone", "UTC")), "\n")
				require.Len(t, lines, len(rows)+1)
				for i, row := range rows {
					assert.Regexp(t, "^"+row+` +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, lines[i+1])
				}
			}
			do("account ada: new, number 1, type professional, in ", "add", "ada")
			do("account bob: new, number 2, type free", "add", "-email", "bob@example.com", "bob", "-type", "free")
			do("account 1: new, number 3", "add", "1")
			list("1 +ada +professional +on +-", "2 +bob +free +on +bob@example.com", "3 +1 +professional +on +-")

			fails(1, "the login ada is already taken", "add", "ada")
			fails(2, `type must be free or professional, not "gold"`, "add", "-type", "gold", "eve")
			fails(2, "email must be a mail address", "add", "-email", "nonsense", "eve")
			fails(2, "login must", "add", "a\nb")
			fails(2, "the login must not be empty", "add", "")
			fails(2, "1 is the login of account 3, but there is also an account with the number 1: say login=1 or id=1", "pass", "1")
			fails(1, "there is no account nobody", "pass", "nobody")
			fails(1, "there is no account 4711", "disable", "id=4711")
			fails(2, "id= must be followed by the number", "disable", "id=ada")
			fails(2, "must be called as linktrack account email [FLAGS] ACCOUNT ADDRESS", "email", "bob")
			fails(2, "-db must not be memory", "disable", "-db", "memory", "bob")
			fails(2, `there is no "ad", did you mean add?`, "ad", "x")

			do("account ada: it has another pass", "pass", "id=1")
			do("account 1: it has another pass", "pass", "login=1")
			do("account bob: it has another pass", "pass", "2")
			do("account bob: mail address removed", "email", "bob", "")
			do("account bob: type gold", "type", "-account-types", "gold=title", "bob", "gold")
			do("account bob: switched off", "disable", "bob")
			do("account bob: switched off", "disable", "bob")
			list("1 +ada +professional +on +-", "2 +bob +gold +off +-", "3 +1 +professional +on +-")
			passIn(t, do("it is switched off", "pass", "bob"))
			do("account bob: mail address b@example.com; it is switched off", "email", "bob", "b@example.com")
			do("account bob: type free; it is switched off", "type", "bob", "free")
			list("1 +ada +professional +on +-", "2 +bob +free +off +b@example.com", "3 +1 +professional +on +-")
			do("account bob: switched on", "enable", "bob")
			list("1 +ada +professional +on +-", "2 +bob +free +on +b@example.com", "3 +1 +professional +on +-")
		})
	}
}

func TestAChangeOfAnAccountHoldsAtOnceInARunningProcess(t *testing.T) {
	where := filepath.Join(t.TempDir(), "links.db")
	p := start(t, testprogram.Build(t, programFolder), []string{"LINKTRACK_DB=" + where}, "-addr", "127.0.0.1:0", "-base-url", "http://go.example.com")
	line := p.Line(t, "  curl ")
	pass := credentials(t, line).Get("pass")
	link := curl(t, line)
	address, host := request(t, line)
	call := func(pass string, want int) {
		t.Helper()
		status, _, body := testprogram.GetHost(t, strings.Replace(address, credentials(t, line).Get("pass"), pass, 1), host)
		require.Equal(t, want, status, body)
	}
	change := func(args ...string) string {
		t.Helper()
		status, out, errs := accounts(t, where, args...)
		require.Zero(t, status, errs)
		return out
	}
	call(pass, http.StatusCreated)
	change("disable", "linktrack")
	call(pass, http.StatusForbidden)
	click(t, line, link)
	change("enable", "linktrack")
	call(pass, http.StatusCreated)
	renewed := passIn(t, change("pass", "linktrack"))
	call(pass, http.StatusUnauthorized)
	call(renewed, http.StatusCreated)
	require.Zero(t, p.Stop(t))
	require.NotContains(t, p.Stdout()+p.Stderr(), renewed)
}

func TestAPassMayComeFromTheStandardInput(t *testing.T) {
	where := filepath.Join(t.TempDir(), "links.db")
	stdin := os.Stdin
	defer func() { os.Stdin = stdin }()
	given := func(text string, args ...string) (status int, out, errs string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "pass")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		os.Stdin = f
		return accounts(t, where, append(args, "-pass-stdin")...)
	}
	status, out, errs := given("ada-s-own-pass\nmore\n", "add", "ada")
	require.Zero(t, status, errs)
	require.NotContains(t, out+errs, "own-pass")
	for text, want := range map[string]string{"": "the standard input has no pass in its first line", "hush": "pass must have at least 8 characters"} {
		status, out, errs := given(text, "pass", "ada")
		require.NotZero(t, status)
		require.Contains(t, errs, want)
		require.NotContains(t, out+errs, "hush")
	}
	inService(t, where, func(line string) {
		address, _ := request(t, line)
		base, _, _ := strings.Cut(address, "?")
		status, _, body := testprogram.Get(t, base+"?login=ada&pass=ada-s-own-pass&external_url=https://example.com/")
		require.Equal(t, http.StatusCreated, status, body)
	})
}
