package transfer

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCommentOfThePackageNamesEveryColumn(t *testing.T) {
	source, err := os.ReadFile("transfer.go")
	require.NoError(t, err)
	comment, _, _ := strings.Cut(string(source), "\n// Export prevents")
	for _, name := range append([]string{hashColumn}, columns...) {
		require.Regexp(t, `[\t ]`+regexp.QuoteMeta(name)+`\b`, comment)
	}
}
