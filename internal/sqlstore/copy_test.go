package sqlstore

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheNamesOfColumnsAreParsed(t *testing.T) {
	columns, keys := columnsOf("a b* | c d*")
	require.Equal(t, []copyColumn{{"a", false}, {"b", true}, {"c", false}, {"d", true}}, columns)
	require.Equal(t, 2, keys)
	_, keys = columnsOf("a b |")
	require.Equal(t, 2, keys)
}

func rowOf(values ...any) (r copyRow) {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			r = append(r, rowNull)
		case int:
			r = appendNumber(r, int64(v))
		case string:
			r = appendBytes(r, []byte(v))
		}
	}
	return r
}

func TestARowKeepsItsValues(t *testing.T) {
	r := rowOf(-1, "", nil, "a\x00\xff", 1<<62)
	require.Equal(t, []any{int64(-1), []byte{}, nil, []byte("a\x00\xff"), int64(1 << 62)}, r.values(nil, 5))
	require.NotEqual(t, rowOf(""), rowOf(nil))
}

func TestKeysHaveTheOrderOfTheDatabase(t *testing.T) {
	sorted := []copyRow{rowOf(-2, "z"), rowOf(-1, ""), rowOf(-1, "\x00"), rowOf(0, "a"), rowOf(0, "a "), rowOf(0, "aa"), rowOf(0, "b"), rowOf(256, "a"), rowOf(1<<40, "")}
	for i, x := range sorted {
		for k, y := range sorted {
			require.Equal(t, cmp.Compare(i, k), compareKeys(x, y, 2), "%q %q", x, y)
		}
	}
	require.Zero(t, compareKeys(rowOf(1, "a"), rowOf(1, "b"), 1))
}

// The tables of the databases are compared in copy_columns_test.go.
func TestNoTableIsCopiedAndLeftOut(t *testing.T) {
	for _, table := range copiedTables {
		require.NotContains(t, notCopied, table.name)
		require.NotEmpty(t, table.what)
		for _, c := range table.columns {
			require.NotContains(t, notCopied, table.name+"."+c.name)
		}
		for _, a := range table.added {
			require.True(t, slices.Contains(table.columns, copyColumn{a.column, false}), "%s.%s", table.name, a.column)
		}
	}
	for name, reason := range notCopied {
		require.True(t, strings.HasPrefix(name, "lt_") && reason != "", name)
	}
}
