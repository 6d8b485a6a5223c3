package linktrack

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func encodingTracker(t testing.TB) *Tracker {
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	hs, err := newHosts("https://go.example.com", nil)
	require.NoError(t, err)
	return &Tracker{opts: Options{TimeZone: zone}, hosts: hs}
}

func TestALinkHasTheDocumentedFieldsInTheirOrder(t *testing.T) {
	tr := encodingTracker(t)
	l := Link{
		ID: 1, Host: "go.example.com", Path: "My_vanity", LinkSettings: LinkSettings{
			ExternalURL: "http://example.com/?a=1&b=<2>",
			Title:       "Ünïcode \x01 & <b>", HasPlusTracking: true, AlertAt: 5,
		},
		CreatedAt: time.Date(2024, 11, 24, 16, 35, 16, 999, time.UTC),
		Counts:    Counts{Day: 1, People: 2, Unique: 3, Bots: 4, Conversions: 5},
	}
	b, err := encodeJSON(linkDocument{tr.linkModel(l)})
	require.NoError(t, err)
	require.Equal(t, `{"link":{"redirect_hash":"My_vanity","link":"https://go.example.com/My_vanity",`+
		`"external_url":"http://example.com/?a=1&b=<2>","host":"go.example.com","vanity_link":"My_vanity",`+
		`"title":"Ünïcode \u0001 & <b>","description":null,"notes":null,"group":null,"is_active":1,"is_public":0,`+
		`"has_plus_tracking":1,"has_public_tracking":0,"has_conversion_tracking":0,"has_alert_email":0,`+
		`"has_password":0,"alert_at":5,"deactivate_at":0,"expires_at":null,"created_at":"2024-11-24 10:35:16",`+
		`"updated_at":null,"count_day":1,"count_total":2,"count_unique":3,"count_bot":4,"count_conversion":5}}`+"\n", string(b))
	b, err = encodeXML(linkDocument{tr.linkModel(l)})
	require.NoError(t, err)
	require.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<link><redirect_hash>My_vanity</redirect_hash><link>https://go.example.com/My_vanity</link>`+
		`<external_url>http://example.com/?a=1&amp;b=&lt;2&gt;</external_url><host>go.example.com</host>`+
		`<vanity_link>My_vanity</vanity_link><title>Ünïcode  &amp; &lt;b&gt;</title><description></description>`+
		`<notes></notes><group></group><is_active>1</is_active><is_public>0</is_public>`+
		`<has_plus_tracking>1</has_plus_tracking><has_public_tracking>0</has_public_tracking>`+
		`<has_conversion_tracking>0</has_conversion_tracking><has_alert_email>0</has_alert_email>`+
		`<has_password>0</has_password><alert_at>5</alert_at><deactivate_at>0</deactivate_at><expires_at></expires_at>`+
		`<created_at>2024-11-24 10:35:16</created_at><updated_at></updated_at><count_day>1</count_day>`+
		`<count_total>2</count_total><count_unique>3</count_unique><count_bot>4</count_bot>`+
		`<count_conversion>5</count_conversion></link>`+"\n", string(b))
}

func TestListsAndErrorsHaveTheirShapes(t *testing.T) {
	tr := encodingTracker(t)
	for want, document := range map[string]any{
		`{"links":[]}`:                          linksDocument{Links: []linkModel{}},
		`{"history":[]}`:                        historyDocument{Items: []clickModel{}},
		`{"error":{"code":401,"message":"no"}}`: errorDocument{errorModel{401, "no"}},
	} {
		b, err := encodeJSON(document)
		require.NoError(t, err)
		require.Equal(t, want+"\n", string(b))
	}
	for want, document := range map[string]any{
		`<links></links>`:     linksDocument{Links: []linkModel{}},
		`<history></history>`: historyDocument{Items: []clickModel{}},
		`<error><code>401</code><message>no</message></error>`: errorDocument{errorModel{401, "no"}},
	} {
		b, err := encodeXML(document)
		require.NoError(t, err)
		require.Equal(t, xml.Header+want+"\n", string(b))
	}
	b, err := encodeXML(linksDocument{Links: []linkModel{tr.linkModel(Link{}), tr.linkModel(Link{})}})
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(b), "<link><redirect_hash>"))
	b, err = encodeXML(historyDocument{Items: make([]clickModel, 2)})
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(b), "<item><id>"))
}

func TestAUsedUpLinkShowsAsInactive(t *testing.T) {
	tr := encodingTracker(t)
	for used, want := range map[int64]string{1: `"is_active":1,`, 2: `"is_active":0,`} {
		b, err := encodeJSON(linkDocument{tr.linkModel(Link{LinkSettings: LinkSettings{DeactivateAt: 2}, Counts: Counts{Used: used}})})
		require.NoError(t, err)
		require.Contains(t, string(b), want)
	}
}

// wellFormed reads a document to its end as a strict parser does.
func wellFormed(t *testing.T, document []byte) {
	d := xml.NewDecoder(strings.NewReader(string(document)))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		require.NoError(t, err, "%q", document)
	}
}

func FuzzHistory(f *testing.F) {
	f.Add("http://a.b/", "Mozilla/5.0", "a=1&b=<2>", uint64(1))
	f.Add("\x00\x1f\ufffe", "]]>", "\xff\xfe", uint64(1<<60))
	tr := encodingTracker(f)
	complete := newCompleter(&tr.opts, &tr.locator).complete
	f.Fuzz(func(t *testing.T, referrer, userAgent, query string, micro uint64) {
		c := Click{ID: NewClickID(time.UnixMicro(int64(micro))), IP: netip.IPv6Loopback(), Referrer: referrer, UserAgent: userAgent, Query: query}
		complete(&c)
		for name, s := range map[string]string{"referrer": c.Referrer, "user agent": c.UserAgent, "query": c.Query, "host": c.ReferrerHost, "browser": c.Browser, "platform": c.Platform} {
			require.True(t, utf8.ValidString(s), name)
			require.LessOrEqual(t, utf8.RuneCountInString(s), 2048, name)
			require.NotContains(t, s, "\x00", name)
		}
		b, err := encodeXML(historyDocument{Items: []clickModel{tr.clickModel(c)}})
		require.NoError(t, err)
		wellFormed(t, b)
		b, err = encodeJSON(historyDocument{Items: []clickModel{tr.clickModel(c)}})
		require.NoError(t, err)
		require.True(t, json.Valid(b))
	})
}
