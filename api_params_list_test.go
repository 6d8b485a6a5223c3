package linktrack

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAListIsReadWithTheQuotingOfCSV(t *testing.T) {
	for value, want := range map[string][]string{
		"":                         nil,
		" , ":                      {}, // matches nothing
		`"", "  " ,`:               {},
		" a, .b,,c d ,":            {"a", ".b", "c d"},
		`"Berlin, Summer"`:         {"Berlin, Summer"},
		`x, "a, b" , "c,d",y`:      {"x", "a, b", "c,d", "y"},
		`"say ""hi"", twice",z`:    {`say "hi", twice`, "z"},
		`"""quoted"""`:             {`"quoted"`},
		`5" pipes, a"b"c`:          {`5" pipes`, `a"b"c`},
		"\"two\nlines\", one":      {"two\nlines", "one"},
		"\u00a0\"a,b\"\u2003,c":    {"a,b", "c"},
		"\" spaces around, too \"": {"spaces around, too"},
	} {
		got, err := params{"l": value}.list("l")
		require.NoError(t, err, "%q", value)
		require.Equal(t, want, got, "%q", value)
	}
	for value, want := range map[string]string{
		`"a`:                               "l has an unclosed quotation mark",
		`a,"`:                              "l has an unclosed quotation mark",
		`"a""`:                             "l has an unclosed quotation mark",
		`"a"b,c`:                           "l has text after a closing quotation mark",
		`"a" "b"`:                          "l has text after a closing quotation mark",
		strings.Repeat("a,", maxItems+1):   "l must have at most 1000 items",
		strings.Repeat(`"a",`, maxItems+1): "l must have at most 1000 items",
	} {
		_, err := params{"l": value}.list("l")
		require.EqualError(t, err, want, "%.20q", value)
	}
}

// FuzzList holds that a list which a writer of CSV wrote is read back.
func FuzzList(f *testing.F) {
	f.Add("a", "b")
	f.Add(`"`, "a,b")
	f.Add("a\"b", "x\ny")
	f.Fuzz(func(t *testing.T, a, b string) {
		var s strings.Builder
		w := csv.NewWriter(&s)
		require.NoError(t, w.Write([]string{a, b}))
		w.Flush()
		want := []string{}
		for _, item := range []string{a, b} {
			if item = strings.TrimSpace(item); item != "" {
				want = append(want, item)
			}
		}
		got, err := params{"l": strings.TrimSuffix(s.String(), "\n")}.list("l")
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
