package browsertest

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	importGood = "external_url,redirect_hash,title\nhttps://example.com/1,imported-1,The first\nhttps://example.com/2,imported-2,The second\n"

	importProblems = "external_url,redirect_hash,colour\nhttps://example.com/1,spring,\njavascript:1,three,\nhttps://example.com/3,a b,red\n"
)

// upload chooses a file and sends the form that it is chosen in.
func (b *tab) upload(selector, content string) *document {
	b.Helper()
	path := filepath.Join(b.TempDir(), "links.csv")
	require.NoError(b, os.WriteFile(path, []byte(content), 0o600))
	b.do(chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}))
	return b.press("form:has(" + selector + ") button")
}

func TestAFileIsCheckedThenImportedAndExported(t *testing.T) {
	s := newSite(t, "carol")
	s.make(t, "carol", "spring")
	b := s.signedIn(t, "ada")

	b.open("import")
	require.Equal(t, 200, b.upload("#file", importProblems).status)
	require.Equal(t, "The file cannot be imported as it is. Nothing was changed.", b.text("[role=alert]"))
	require.Equal(t, "2\n3\n4", b.text(".problems td:first-child"), "the lines with a problem")
	require.Equal(t, "redirect_hash\nexternal_url\nredirect_hash", b.text(".problems td:nth-child(2)"))
	require.Contains(t, b.text(".imported ul"), "colour", "a column that is not known")
	require.Zero(t, b.count("#again"), "there is nothing to confirm")

	b.upload("#file", importGood)
	require.Equal(t, "The file can be imported.", b.text(".notice.good"))
	require.Equal(t, "again", eval[string](b, "document.activeElement.id"), "the next step has the focus")
	b.open("links")
	require.Empty(t, b.titles(), "nothing was imported yet")

	b.open("import")
	b.upload("#file", importGood)
	b.upload("#again", importGood+"https://example.com/3,imported-3,The third\n")
	require.Contains(t, b.text("[role=alert]"), "This file differs from the one that was checked.")
	b.upload("#again", importGood+"https://example.com/3,imported-3,The third\n")
	require.Equal(t, "The links were imported. Show the links", b.text(".notice.good"))
	b.press(".notice.good a")
	require.ElementsMatch(t, []string{"The first", "The second", "The third"}, b.titles())
	require.Equal(t, "https://example.com/2", s.leadsTo(t, "/imported-2"))

	b.open("import")
	status, file := b.get(eval[string](b, `document.querySelector("a[download]").href`))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(file), "/imported-3,")
	b.upload("#file", string(file))
	require.Equal(t, "The file contains nothing to import.", b.text(".notice.good"), "what was exported is there already")
	b.quiet()
}
