package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/nearest"
)

func TestTheNearestNameIsFound(t *testing.T) {
	names := []string{"links.html", "login.html", "report.html", "style.css"}
	for name, want := range map[string]string{
		"link.html":   "links.html",
		"Links.html":  "links.html",
		"lniks.html":  "links.html",
		"reports.htm": "report.html",
		"stlye.css":   "style.css",
		"account.txt": "",
		"":            "",
	} {
		require.Equal(t, want, nearest.Name(name, names), name)
	}
	require.Equal(t, ", did you mean style.css?", nearest.Suggestion("styles.css", names))
	require.Empty(t, nearest.Suggestion("entirely different", names))
	require.Empty(t, nearest.Name("x", nil))
}
