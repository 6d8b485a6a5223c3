package linktrack

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestATextOfALinkIsWrittenAsItsFormatNeedsIt(t *testing.T) {
	tr := encodingTracker(t)
	for s, want := range map[string]struct{ json, xml string }{
		"":                  {`null`, ``},
		`"quoted" \ 'text'`: {`"\"quoted\" \\ 'text'"`, `&#34;quoted&#34; \ &#39;text&#39;`},
		"a & <b> ]]>":       {`"a & <b> ]]>"`, `a &amp; &lt;b&gt; ]]&gt;`},
		"\t\n\r\n":          {`"\t\n\r\n"`, `&#x9;&#xA;&#xD;&#xA;`},
		"\x00\x1f\x7f":      {`"\u0000\u001f` + "\x7f" + `"`, "\x7f"},
		"\u2028\u2029":      {`"\u2028\u2029"`, "\u2028\u2029"},
		"\ufffe😀é":          {"\"\ufffe😀é\"", "😀é"},
		"cut \xf0\x9f":      {`"cut \ufffd\ufffd"`, "cut \ufffd\ufffd"},
	} {
		m := tr.linkModel(Link{LinkSettings: LinkSettings{Notes: s}})
		b, err := encodeJSON(linksDocument{Links: []linkModel{m, m}})
		require.NoError(t, err)
		require.Equal(t, 2, strings.Count(string(b), `"notes":`+want.json+`,"group":`), "%q is %s", s, b)
		b, err = encodeXML(linksDocument{Links: []linkModel{m, m}})
		require.NoError(t, err)
		require.Equal(t, 2, strings.Count(string(b), "<notes>"+want.xml+"</notes><group>"), "%q is %s", s, b)
	}
}

// BenchmarkGetLinks encodes what getLinks answers with a thousand links.
func BenchmarkGetLinks(b *testing.B) {
	tr := encodingTracker(b)
	links := make([]Link, 1000)
	for i := range links {
		n := strconv.Itoa(i)
		links[i] = Link{
			ID: int64(i), Host: "go.example.com", Path: ".f2jt" + n, CreatedAt: time.Date(2024, 11, 24, 16, 35, 16, 0, time.UTC),
			LinkSettings: LinkSettings{
				ExternalURL: "https://example.com/catalog?season=spring&page=" + n, Title: "Spring catalog, page " + n,
				Notes: "Printed on the back of the flyer <b>", Group: "Spring", HasPlusTracking: true, DeactivateAt: 100_000,
			},
			Counts: Counts{Day: 12, People: 3456, Unique: 2345, Bots: 321, Conversions: 7, Used: 3456, LastClick: time.Date(2024, 12, 24, 16, 35, 16, 0, time.UTC)},
		}
	}
	for name, encode := range map[string]func(any) ([]byte, error){"xml": encodeXML, "json": encodeJSON} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				document := linksDocument{Links: make([]linkModel, len(links))}
				for i, l := range links {
					document.Links[i] = tr.linkModel(l)
				}
				if _, err := encode(document); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
