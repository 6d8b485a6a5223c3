package linktrack

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// allNames are those of the parameters of all calls.
var allNames = func() []string {
	names := []string{"login", "pass"}
	for _, c := range apiRoutes {
		names = slices.Concat(names, c.params, c.posted)
	}
	return names
}()

// parsed are the parameters in a query string or a body that are not absent.
func parsed(s string, rawURL bool) params {
	p := newParams(allNames...)
	p.parse(s, rawURL)
	maps.DeleteFunc(p, func(_, value string) bool { return value == "" })
	return p
}

func TestQueryStringsAreReadAsTheDocumentationTellsPeopleToWriteThem(t *testing.T) {
	for query, want := range map[string]params{
		"login=L&pass=P&external_url=http://www.google.com":             {"login": "L", "pass": "P", "external_url": "http://www.google.com"},
		"external_url=http://a.b/?x=1&y=2&login=L&pass=P":               {"login": "L", "pass": "P", "external_url": "http://a.b/?x=1&y=2"},
		"external_url=http://a.b/?x=1&y=2&pass=P&login=L":               {"login": "L", "pass": "P", "external_url": "http://a.b/?x=1&y=2"},
		"login=L&external_url=https://a.b/?q=a+b%20c;d&e=%zz&pass=P":    {"login": "L", "pass": "P", "external_url": "https://a.b/?q=a+b%20c;d&e=%zz"},
		"login=L&pass=P&external_url=HTTP://A.b/?x=1&title=t":           {"login": "L", "pass": "P", "external_url": "HTTP://A.b/?x=1&title=t"},
		"login=L&pass=P&external_url=http%3A%2F%2Fa.b%2F%3Fx%3D1%26y&z": {"login": "L", "pass": "P", "external_url": "http://a.b/?x=1&y"},
		"external_url=http%3a%2f%2fa.b&title=My+Title&login=L":          {"login": "L", "title": "My Title", "external_url": "http://a.b"},
		"title=x&external_url=http://a.b/&title=y":                      {"title": "x", "external_url": "http://a.b/&title=y"},
		"external_url=ftp://a.b/?x&sort=1":                              {"external_url": "ftp://a.b/?x", "sort": "1"},
		"external_url=":                                                 {},
		"sort=1;b=2&links=%&groups=%4&before=%zz&after=100%25":          {"sort": "1;b=2", "links": "%", "groups": "%4", "before": "%zz", "after": "100%"},
		"sort=1&sort=2":       {"sort": "2"},
		"sort=1&sort=":        {"sort": "1"},
		"&&=x&sort&unknown=1": {},
		"log%69n=L":           {"login": "L"},
		"":                    {},
	} {
		require.Equal(t, want, parsed(query, true), query)
	}
}

func TestABodyIsReadWithoutTheRawURLRule(t *testing.T) {
	p := parsed("external_url=http://a.b/?x=1&title=t&notes=a%0Ab", false)
	require.Equal(t, params{"external_url": "http://a.b/?x=1", "title": "t", "notes": "a\nb"}, p)
}

func TestValuesOfParameters(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	for value, want := range map[string]int64{"": 0, "0": 0, "7": 7, "007": 7, "9223372036854775807": 1<<63 - 1} {
		n, err := params{"n": value}.number("n")
		require.NoError(t, err, value)
		require.Equal(t, want, n)
	}
	for _, value := range []string{"-1", "+1", "1.5", "1e3", "x", " 1", "9223372036854775808", "0x10", "١"} {
		_, err := params{"alert_at": value}.number("alert_at")
		require.EqualError(t, err, "alert_at must be a whole number, 0 or more", value)
	}
	for value, want := range map[string]bool{"1": true, "true": true, "YES": true, "On": true, "0": false, "False": false, "no": false, "OFF": false} {
		b, err := params{"f": value}.flag("f", !want)
		require.NoError(t, err)
		require.Equal(t, want, b, value)
	}
	for _, value := range []string{"2", "y", "t", " 1", "null"} {
		_, err := params{"is_public": value}.flag("is_public", false)
		require.EqualError(t, err, "is_public must be 1 or 0", value)
	}
	for value, want := range map[string]string{
		"2024-11-24 10:35:16": "2024-11-24T16:35:16Z",
		"2024-11-24":          "2024-11-24T06:00:00Z",
		"2024-07-01":          "2024-07-01T05:00:00Z", // daylight saving time
	} {
		at, err := params{"d": value}.time("d", zone)
		require.NoError(t, err)
		require.Equal(t, want, at.UTC().Format(time.RFC3339))
	}
	for _, value := range []string{"2024-13-01", "2024-02-30", "24-11-2024", "2024-11-24T10:35:16", "2024-11-24 10:35", "2024-11-24 10:35:16.5", "tomorrow", "0000-00-00", "1969-12-31", "2024-11-24 25:00:00"} {
		_, err := params{"expires_at": value}.time("expires_at", zone)
		require.ErrorContains(t, err, "expires_at must be a time such as 2024-11-24 10:35:16", value)
	}
	for _, value := range []string{"0", "1001", "-5", "ten", "1.0"} {
		_, err := params{"limit": value}.limit()
		require.EqualError(t, err, "limit must be a number from 1 to 1000", value)
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"login=L&pass=P&external_url=http://a.b/?x=1&y=2", "external_url=http%3A%2F%2Fa.b", "a=%zz;b", "external_url=https://&login=", "&=&=", "external_url=http://a.b/&pass=&login=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := parsed(s, true)
		for name := range p {
			require.NotEmpty(t, name)
		}
		const raw = "external_url=http://"
		if i := strings.Index(s, raw); i == 0 || i > 0 && s[i-1] == '&' && !strings.Contains(s[:i], "external_url") {
			rest := s[i+len("external_url="):]
			require.True(t, strings.Contains(s, p["external_url"]), "a pasted URL stays as it was written")
			if !strings.Contains(rest, "&login=") && !strings.Contains(rest, "&pass=") {
				require.Equal(t, rest, p["external_url"], "it runs to the end")
			}
		}
	})
}

func TestALongQueryIsReadInOnePass(t *testing.T) {
	start := time.Now()
	newParams(allNames...).parse(strings.Repeat("external_url=http://&pass=&", 1<<20/27), true)
	require.Less(t, time.Since(start), 2*time.Second, "a megabyte in two passes a parameter takes many seconds")
}
