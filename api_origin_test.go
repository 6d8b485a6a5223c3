package linktrack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestBasicCredentialsMakeNothingForAnotherSite(t *testing.T) {
	const (
		makeLink = "/api/v1_0/makeLink?external_url=https://example.com/"
		optOut   = "/api/v1_0/getOptOutLink"
		list     = "/api/v1_0/getLinks"
	)
	parameters := "login=" + trackertest.Login + "&pass=" + trackertest.Pass
	for _, c := range []struct {
		name           string
		method, target string
		headers        []string
		basic          bool
		status         int
	}{
		{"a program makes a link", "GET", makeLink, nil, true, 201},
		{"an address that is typed makes a link", "GET", makeLink, []string{"Sec-Fetch-Site", "none"}, true, 201},
		{"a page of the same origin makes a link", "GET", makeLink, []string{"Sec-Fetch-Site", "same-origin"}, true, 201},
		{"another site makes a link by GET", "GET", makeLink, []string{"Sec-Fetch-Site", "cross-site"}, true, 403},
		{"a page of a neighboring host makes a link by GET", "GET", makeLink, []string{"Sec-Fetch-Site", "same-site"}, true, 403},
		{"an older browser makes a link by GET", "GET", makeLink, []string{"Origin", "https://evil.example"}, true, 403},
		{"a sandboxed page makes a link by GET", "GET", makeLink, []string{"Origin", "null"}, true, 403},
		{"an older browser on our own page makes a link", "GET", makeLink, []string{"Origin", "http://go.example.com"}, true, 201},
		{"another site makes a link by POST", "POST", makeLink, []string{"Sec-Fetch-Site", "cross-site"}, true, 403},
		{"another site asks for the opt-out link", "GET", optOut, []string{"Sec-Fetch-Site", "cross-site"}, true, 403},
		{"a program asks for the opt-out link", "GET", optOut, nil, true, 200},
		{"another site reports a conversion", "POST", "/api/v1_0/conversion", []string{"Sec-Fetch-Site", "cross-site"}, true, 403},
		{"another site posts a call that reads", "POST", list, []string{"Sec-Fetch-Site", "cross-site"}, true, 403},
		{"a link on another site leads to a call that reads", "GET", list, []string{"Sec-Fetch-Site", "cross-site"}, true, 200},
		{"login and pass in the address are not remembered", "GET", "/api/v1_0/makeLink?" + parameters + "&external_url=https://example.com/", []string{"Sec-Fetch-Site", "cross-site"}, false, 201},
		{"login and pass in the address count before Basic", "GET", "/api/v1_0/makeLink?" + parameters + "&external_url=https://example.com/", []string{"Sec-Fetch-Site", "cross-site"}, true, 201},
		{"login and pass in the address get the opt-out link", "GET", optOut + "?" + parameters, []string{"Sec-Fetch-Site", "cross-site"}, false, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
			r := trackertest.Request(c.method, c.target, "", c.headers...)
			if c.method == "POST" {
				r = trackertest.Request(c.method, c.target, url.Values{"external_url": {"https://example.com/"}}.Encode(),
					append([]string{"Content-Type", "application/x-www-form-urlencoded"}, c.headers...)...)
			}
			if c.basic {
				r.SetBasicAuth(trackertest.Login, trackertest.Pass)
			}
			answer := s.Do(r)
			require.Equal(t, c.status, answer.StatusCode)
			made := 0
			if c.status == http.StatusCreated {
				made = 1
			}
			require.Len(t, s.Hashes(), made)
			if c.status == http.StatusForbidden && strings.Contains(c.target, "makeLink") {
				require.Contains(t, trackertest.Text(t, answer), "for another site")
			}
		})
	}
}

func TestACrossSiteRequestDoesNotTestBasicCredentials(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for range 60 {
		r := trackertest.Request("GET", "/api/v1_0/makeLink?external_url=https://example.com/", "", "Sec-Fetch-Site", "cross-site")
		r.SetBasicAuth(trackertest.Login, "wrong")
		require.Equal(t, 403, s.Do(r).StatusCode)
	}
	r := trackertest.Request("GET", "/api/v1_0/makeLink?external_url=https://example.com/", "")
	r.SetBasicAuth(trackertest.Login, trackertest.Pass)
	require.Equal(t, 201, s.Do(r).StatusCode, "another site locks nobody out")
}
