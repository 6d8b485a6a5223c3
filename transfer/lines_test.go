package transfer_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/transfer"
)

// inUTF16 writes a text as spreadsheets write "Unicode text".
func inUTF16(s string, little bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if little {
			b.Write([]byte{byte(u), byte(u >> 8)})
		} else {
			b.Write([]byte{byte(u >> 8), byte(u)})
		}
	}
	return b.String()
}

func TestFilesAreReadHoweverTheyAreWritten(t *testing.T) {
	const two = "external_url,redirect_hash,notes\nhttps://example.com/1,one,naïve €\nhttps://example.com/2,two,\"a\nb\"\n"
	quoted := "\"a\nb\""
	for name, file := range map[string]string{
		"CR":                           strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(two, quoted, "QUOTED"), "\n", "\r"), "QUOTED", quoted),
		"CRLF":                         strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(two, quoted, "QUOTED"), "\n", "\r\n"), "QUOTED", quoted),
		"CR, LF and CRLF":              "external_url,redirect_hash,notes\rhttps://example.com/1,one,naïve €\r\nhttps://example.com/2,two," + quoted + "\n",
		"rows of separators":           "external_url,redirect_hash,notes\n,,,\nhttps://example.com/1,one,naïve €\n,,\n , , \n\"\",,\"\"\nhttps://example.com/2,two," + quoted + "\n,,,,,,\n",
		"separators behind all rows":   "external_url,redirect_hash,notes,,\nhttps://example.com/1,one,naïve €,,,,\nhttps://example.com/2,two," + quoted + ",,\n",
		"a line that says sep=":        "sep=;\nexternal_url;redirect_hash;notes\nhttps://example.com/1;one;naïve €\nhttps://example.com/2;two;" + quoted + "\n",
		"a quoted SEP= and a BOM":      "\ufeff\"SEP=|\"\r\nexternal_url|redirect_hash|notes\r\nhttps://example.com/1|one|naïve €\r\nhttps://example.com/2|two|" + quoted + "\r\n",
		"sep= and another majority":    "sep=,,,\nexternal_url,\"a;b;c;d\",redirect_hash,notes\nhttps://example.com/1,,one,naïve €\nhttps://example.com/2,,two," + quoted + "\n",
		"tabs":                         strings.ReplaceAll(two, ",", "\t"),
		"pipes":                        strings.ReplaceAll(two, ",", "|"),
		"semicolons after empty lines": "\n\r\n" + strings.ReplaceAll(two, ",", ";"),
		"a header of words":            strings.Replace(two, "external_url,redirect_hash,notes", "External URL, Redirect-Hash ,NOTES", 1),
		"a header in camel case":       strings.Replace(two, "external_url,redirect_hash,notes", "externalUrl,redirectHash,Notes", 1),
		"UTF-16, little":               inUTF16("\ufeff"+strings.ReplaceAll(two, ",", "\t"), true),
		"UTF-16, big":                  inUTF16("\ufeff"+two, false),
		"UTF-16 without a BOM, little": inUTF16(strings.Replace(two, "naïve €", "naïve €", 1), true),
		"UTF-16 without a BOM, big":    inUTF16(two, false),
		"spaces behind quotes":         "\"external_url\" ,\"redirect_hash\"\t,\"notes\"  \n\"https://example.com/1\" ,one,naïve €\nhttps://example.com/2,two," + quoted + "\n",
	} {
		p := professional(t)
		r := p.imports(file, transfer.ImportOptions{})
		require.EqualValues(t, 2, r.Made, name)
		links := p.links()
		require.Equal(t, "https://example.com/1", links[0].ExternalURL, name)
		require.Equal(t, "one", links[0].Path, name)
		require.Equal(t, "naïve €", links[0].Notes, name)
		require.Equal(t, "two", links[1].Path, name)
		require.Equal(t, "a\nb", links[1].Notes, name)
	}
}

func TestWhatIsNoUTF8IsWindows1252UnlessMostOfItIs(t *testing.T) {
	p := professional(t)
	r := p.imports("external_url;redirect_hash;title\nhttps://example.com/;one;Gr\xfc\xdfe, 5 \x80\n", transfer.ImportOptions{})
	require.Equal(t, "Grüße, 5 €", p.links()[0].Title)
	require.Equal(t, []string{"the file is not UTF-8, and is read as Windows-1252"}, r.Notes)

	p = professional(t)
	_, err := p.importing("external_url,redirect_hash,title\nhttps://example.com/,one,Grüße\nhttps://example.com/,two,cut \xc3\n", transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{"line 3: title must be UTF-8"}, p.problems)
}

func TestAProblemNamesTheLineWhateverEndsLines(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r"} {
		lines := []string{"sep=,", "", "external_url,redirect_hash,notes", ",,", "https://example.com/,a,\"1", "2\"", "", "ftp://example.com/,b,", ""}
		p := professional(t)
		_, err := p.importing(strings.Join(lines, end), transfer.ImportOptions{})
		require.ErrorIs(t, err, transfer.ErrRefused)
		require.Equal(t, []string{"line 8: external_url must begin with http:// or https://"}, p.problems, "%q", end)
	}
}

func TestABadRowDoesNotHideTheNext(t *testing.T) {
	p := professional(t)
	var bad strings.Builder
	r, err := p.importing("external_url,redirect_hash,notes\n"+
		"https://example.com/,a,\"x\"y\n"+
		"https://example.com/,b\x00,\n"+
		"https://example.com/,c,"+strings.Repeat("x", 2<<20)+"\n"+
		"https://example.com/,d"+strings.Repeat(",", 2000)+"x\n"+
		"https://example.com/,e,say \"hi\"\n", transfer.ImportOptions{SkipProblems: true, Rejected: &bad})
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Made)
	require.Equal(t, `say "hi"`, p.links()[0].Notes, "a quotation mark within a text is one")
	require.Equal(t, []string{
		"line 2: there is text after a closing quotation mark",
		"line 3: redirect_hash may have letters (a-z), digits, _ and - only",
		"line 4: a row has more than a million bytes; is a quotation mark missing?",
		"line 5: a row has more than 1000 fields",
	}, p.problems)
}
