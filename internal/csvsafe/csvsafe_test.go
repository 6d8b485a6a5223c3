package csvsafe_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/csvsafe"
)

func TestOnlyWhatWasPutInIsTakenAway(t *testing.T) {
	for written, want := range map[string]string{
		"":             "",
		"plain":        "plain",
		"'=1":          "=1",
		"''=1":         "'=1",
		"'quoted'":     "'quoted'",
		"'":            "'",
		"' ;'=1":       "' ;=1",
		"it's = 1":     "it's = 1",
		"'\t'=1":       "\t=1",
		"a;'\"=1;'b":   "a;\"=1;'b",
		"'-sale":       "-sale",
		"text\r\n'+1":  "text\r\n+1",
		"'’=1":         "’=1",
		"=not defused": "=not defused",
	} {
		require.Equal(t, want, csvsafe.Restore(written), "%q", written)
	}
}

func FuzzRestoreUndoesDefuse(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "\t\"=1", "a;=1;;-2", "＝\xff", "a\r\n=1", `""";'@`, "; ; ;+", "' ;=", "''\t'=", "\x00'='", "\n\n'\n="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		require.Equal(t, s, csvsafe.Restore(csvsafe.Defuse(s)), "%q", csvsafe.Defuse(s))
	})
}
