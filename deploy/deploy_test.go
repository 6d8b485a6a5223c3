// Package deploy_test tries what deploy has for operators.
package deploy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/internal/testtool"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

const pass = "a-pass-of-the-tests"

// folder has the static binary.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "deploy"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// binary builds the program with the command of the Dockerfile.
func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	require.NoError(t, err)
	return path
}

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(folder, "linktrack")
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		return "", err
	}
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o /out/linktrack (\./\S+)$`).FindSubmatch(text)
	if build == nil {
		return "", fmt.Errorf("the Dockerfile does not build the program")
	}
	cmd := exec.Command("sh", "-c", fmt.Sprintf("%s -o '%s' %s", build[1], path, build[2]))
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// line returns what stands behind an instruction of the Dockerfile's last stage.
func line(t *testing.T, instruction string) string {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	_, last, _ := strings.Cut(string(text), "\nFROM scratch\n")
	m := regexp.MustCompile(`(?m)^` + instruction + ` (.*)$`).FindStringSubmatch(last)
	require.NotNil(t, m, "the Dockerfile has no %s", instruction)
	return m[1]
}

func TestTheProgramOfTheImageRunsInAnEmptyRootAndKeepsItsLinks(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the root folder")
	}
	chroot := testtool.Path(t, "chroot", "/usr/sbin/chroot")
	root := t.TempDir()
	program, err := os.ReadFile(binary(t))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "linktrack"), program, 0o755))
	volume := filepath.Join(root, line(t, "VOLUME"))
	require.NoError(t, os.Mkdir(volume, 0o755))
	var user, group int
	_, err = fmt.Sscanf(line(t, "USER"), "%d:%d", &user, &group)
	require.NoError(t, err)
	require.NotZero(t, user)
	require.NoError(t, os.Chown(volume, user, group))
	require.NoError(t, os.Chmod(root, 0o755))
	env := strings.ReplaceAll(line(t, "ENV"), "=:", "=127.0.0.1:")
	env = regexp.MustCompile(`:80\d\d\b`).ReplaceAllString(env, ":0")
	require.JSONEq(t, `["/linktrack"]`, line(t, "ENTRYPOINT"))
	start := func() (*testprogram.Program, string) {
		p := testprogram.Start(t, chroot, append(strings.Fields(env), "LINKTRACK_PASS="+pass), "--userspec="+line(t, "USER"), root, "/linktrack")
		p.Line(t, "metrics and health on ")
		return p, regexp.MustCompile(`http://localhost:\d+`).FindString(p.Line(t, "linktrack listens on "))
	}
	p, base := start()
	status, link := get(t, http.DefaultClient, base+"/api/v1_0/makeLink?login=linktrack&pass="+pass+"&external_url=https://example.com/")
	require.Equal(t, http.StatusCreated, status, link)
	_, path, _ := strings.Cut(strings.TrimPrefix(link, "http://"), "/")
	for range 10 {
		status, _, _ := testprogram.Get(t, base+"/"+path)
		require.Equal(t, http.StatusFound, status)
	}
	p.Kill()
	p, base = start()
	require.Equal(t, 10, testprogram.CountTotal(t, base+"/api/v1_0/getLink?login=linktrack&pass="+pass+"&format=json&redirect_hash="+path))
	require.Zero(t, p.Stop(t))

	var made []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(root, path)
			made = append(made, name)
		}
		return err
	}))
	require.ElementsMatch(t, []string{"linktrack", "data/linktrack.db"}, made, "all that the program leaves is in the volume")
}

func TestTheUnitIsValidAndGivesAwayFewRights(t *testing.T) {
	analyze := testtool.Path(t, "systemd-analyze")
	text, err := os.ReadFile("linktrack.service")
	require.NoError(t, err)
	require.Contains(t, string(text), "ExecStart=/usr/local/bin/linktrack\n")
	unit := filepath.Join(t.TempDir(), "linktrack.service")
	text = []byte(strings.Replace(string(text), "/usr/local/bin/linktrack", binary(t), 1))
	require.NoError(t, os.WriteFile(unit, text, 0o600))

	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for line := range strings.Lines(string(out)) {
		require.NotContains(t, line, "linktrack.service", "systemd warns of the unit")
	}
	// 0 is no rights, and 10 all of them.
	out, err = exec.Command(analyze, "security", "--offline=true", "--threshold=20", unit).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "Overall exposure level")
}

// get returns the status and the text of an answer to a person's browser.
func get(t *testing.T, c *http.Client, target string) (int, string) {
	t.Helper()
	r := do(t, c, target)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(text)
}

func do(t *testing.T, c *http.Client, target string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
	require.NoError(t, err)
	request.Header.Set("User-Agent", trackertest.Firefox)
	request.Header.Set("X-Forwarded-For", "203.0.113.9") // a visitor's forgery
	r, err := c.Do(request)
	require.NoError(t, err)
	return r
}

// credentials is the beginning of a query.
var credentials = url.Values{"login": {"linktrack"}, "pass": {pass}, "format": {"json"}}.Encode()

// lastAddress returns the visitor's address of the last click on a link.
func lastAddress(t *testing.T, c *http.Client, base, hash string) string {
	t.Helper()
	_, text := get(t, c, base+"/api/v1_0/getLinkHistory?"+credentials+"&redirect_hash="+hash)
	var document struct {
		History []struct {
			IP string `json:"ip_address"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &document), text)
	require.NotEmpty(t, document.History, text)
	return document.History[0].IP
}
