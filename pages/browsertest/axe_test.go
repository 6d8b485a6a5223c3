package browsertest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testtool"
)

// The version of axe-core, which checks accessibility, and npm's checksum of it.
// Change both together.
const (
	axeVersion = "4.14.1"
	axeSum     = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

var axe struct {
	sync.Mutex
	script string
}

// axeScript returns the script of axe-core. npm fetches it once for each user, into
// the user's cache.
func axeScript(t testing.TB) string {
	t.Helper()
	axe.Lock()
	defer axe.Unlock()
	if axe.script != "" {
		return axe.script
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	archive := filepath.Join(cache, "linktrack-browsertest", "axe-core-"+axeVersion+".tgz")
	content, err := os.ReadFile(archive)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !isAxe(content) {
		fetchAxe(t, archive)
		content, err = os.ReadFile(archive)
	}
	require.NoError(t, err)
	require.True(t, isAxe(content), "%s is not axe-core %s as npm published it", archive, axeVersion)
	axe.script = unpack(t, content, "package/axe.min.js")
	return axe.script
}

func isAxe(archive []byte) bool {
	sum := sha512.Sum512(archive)
	return "sha512-"+base64.StdEncoding.EncodeToString(sum[:]) == axeSum
}

// fetchAxe fetches the archive by npm. Another process may do so at the same time.
func fetchAxe(t testing.TB, archive string) {
	t.Helper()
	npm := testtool.Path(t, "npm")
	require.NoError(t, os.MkdirAll(filepath.Dir(archive), 0o755))
	dir, err := os.MkdirTemp(filepath.Dir(archive), "fetch")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	cmd := exec.Command(npm, "pack", "--silent", "--ignore-scripts", "axe-core@"+axeVersion)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "npm pack: %s", out)
	require.NoError(t, os.Rename(filepath.Join(dir, filepath.Base(archive)), archive))
}

// unpack returns a file of a .tgz.
func unpack(t testing.TB, archive []byte, name string) string {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	files := tar.NewReader(unzipped)
	for {
		f, err := files.Next()
		require.NoError(t, err, "%s is not in the archive", name)
		if f.Name == name {
			content, err := io.ReadAll(files)
			require.NoError(t, err)
			return string(content)
		}
	}
}

// A violation is a rule of WCAG that a page breaks, with the places.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// prepareAxe adds the script to the page. The page's policy does not apply to it.
func (b *tab) prepareAxe() {
	b.Helper()
	eval[chromedp.Void](b, axeScript(b)+"; 0")
}

// accessible fails if the current page breaks a rule of WCAG 2.2, level A or AA.
func (b *tab) accessible() {
	b.Helper()
	violations := eval[[]violation](b, `axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
		rules: {"target-size": {enabled: true}},
		resultTypes: ["violations"],
	}).then(r => r.violations)`)
	var found strings.Builder
	for _, v := range violations {
		found.WriteString(v.ID + ": " + v.Help + "\n")
		for _, n := range v.Nodes {
			found.WriteString("  " + n.HTML + "\n    " + strings.ReplaceAll(n.Summary, "\n", "\n    ") + "\n")
		}
	}
	require.Empty(b, found.String())
}
