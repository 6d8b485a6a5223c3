package examples

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestTheProgramInTheREADMEIsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, program, _ := strings.Cut(string(readme), "```go\n")
	program, _, _ = strings.Cut(program, "```")
	source, err := os.ReadFile("sqlite/main.go")
	require.NoError(t, err)
	require.Equal(t, string(source), program)
}

func TestTheProgramInTheREADMEKeepsItsLinksInAFile(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	addr := strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
	require.NoError(t, l.Close())
	dir := t.TempDir()
	bin := buildWith(t, dir, "sqlite/main.go", "localhost:8080", addr)
	start := func() *testprogram.Program {
		return testprogram.Start(t, "/bin/sh", nil, "-c", "cd '"+dir+"' && exec '"+bin+"'")
	}
	p := start()
	pass, _, _ := strings.Cut(p.Line(t, "pass:"), " ")
	credentials := url.Values{"login": {"me"}, "pass": {pass}, "format": {"json"}}.Encode()
	waitFor(t, addr)
	status, _, link := testprogram.Get(t, "http://"+addr+"/api/v1_0/makeLink?"+credentials+"&external_url=https://example.com/")
	require.Equal(t, http.StatusCreated, status, link)
	for range 3 {
		status, _, _ := testprogram.Get(t, link)
		require.Equal(t, http.StatusFound, status)
	}
	p.Kill()

	p = start()
	require.Contains(t, p.Line(t, "pass:"), "taken")
	waitFor(t, addr)
	require.Equal(t, 3, testprogram.CountTotal(t, "http://"+addr+"/api/v1_0/getLink?"+credentials+"&redirect_hash="+link[strings.LastIndexByte(link, '/')+1:]))
	require.FileExists(t, filepath.Join(dir, "links.db"))
}

// buildWith builds an example after the text from in its file is replaced, and returns the
// path of its binary, which is in dir.
func buildWith(t *testing.T, dir, file, from, to string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(source), from)
	changed, overlay, bin := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(changed, []byte(strings.ReplaceAll(string(source), from, to)), 0o600))
	here, err := filepath.Abs(file)
	require.NoError(t, err)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{here: changed}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	cmd := exec.Command("go", "build", "-buildvcs=false", "-overlay", overlay, "-o", bin, "./"+filepath.Dir(file))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return bin
}

// waitFor waits until something listens on an address.
func waitFor(t *testing.T, addr string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, time.Minute, 20*time.Millisecond)
}
