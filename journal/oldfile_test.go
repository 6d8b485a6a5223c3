package journal

import (
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// OldFile returns a file that an earlier version wrote.
func OldFile(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open("testdata/journal.bolt.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	return b
}
