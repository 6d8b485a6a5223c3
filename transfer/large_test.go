package transfer_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/transfer"
)

// A generated file has many lines, and is never in memory as a whole.
type generated struct {
	lines, next int
	rest        string
}

func (g *generated) Read(b []byte) (int, error) {
	if g.rest == "" {
		if g.next > g.lines {
			return 0, io.EOF
		}
		g.rest = "external_url,redirect_hash,notes\n"
		if g.next > 0 {
			g.rest = "https://example.com/,n" + itoa(g.next) + ",\"" + strings.Repeat("notes ", 100) + "\"\n"
		}
		g.next++
	}
	n := copy(b, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

func (g *generated) Seek(int64, int) (int64, error) {
	g.next, g.rest = 0, ""
	return 0, nil
}

func TestALargeFileNeedsLittleMemory(t *testing.T) {
	const lines = 100_000 // 60 MB
	p := professional(t)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most, steps := uint64(0), 0
	r, err := transfer.Import(t.Context(), p.tracker, p.account, &generated{lines: lines}, transfer.ImportOptions{
		DryRun: true,
		Progress: func(progress transfer.Progress) {
			if steps++; steps%50 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
			}
			require.EqualValues(t, min(500*steps, lines), progress.Checked)
		},
	})
	require.NoError(t, err)
	require.EqualValues(t, lines, r.Links)
	require.Equal(t, 200, steps)
	require.Less(t, most, uint64(20<<20), "the file itself has 60 MB")
	require.Positive(t, most)
}

func TestManyLinksAreImportedAndExported(t *testing.T) {
	p := professional(t)
	const lines = 3210
	last := transfer.Progress{}
	r, err := transfer.Import(t.Context(), p.tracker, p.account, &generated{lines: lines}, transfer.ImportOptions{
		Progress: func(p transfer.Progress) { last = p },
	})
	require.NoError(t, err)
	require.EqualValues(t, lines, r.Made)
	require.Equal(t, transfer.Progress{Checked: lines, Done: lines}, last)
	told := int64(0)
	n, err := transfer.Export(t.Context(), p.tracker, p.account, io.Discard, transfer.ExportOptions{Progress: func(n int64) { told = n }})
	require.NoError(t, err)
	require.EqualValues(t, lines, n)
	require.EqualValues(t, 3000, told)
	for i, l := range p.links() {
		require.Equal(t, "n"+itoa(i+1), l.Path, "in the order of the file")
	}
}
