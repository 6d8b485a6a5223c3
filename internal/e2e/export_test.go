package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestExportHistoryOverHTTP(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	want := s.RecordMany(l, 20_000)
	server := httptest.NewServer(s.Handler)
	t.Cleanup(server.Close)
	ask := func(query string) *http.Response {
		r, err := http.Get(server.URL + "/api/v1_0/exportHistory?login=" + trackertest.Login + "&pass=" + trackertest.Pass + query)
		require.NoError(t, err)
		t.Cleanup(func() { r.Body.Close() })
		return r
	}
	for query, f := range map[string]linktrack.Format{"": linktrack.FormatCSV, "&format=CSV": linktrack.FormatCSV, "&format=json": linktrack.FormatJSON} {
		r := ask("&redirect_hash=" + l.Path + query)
		require.Equal(t, 200, r.StatusCode)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.Equal(t, `attachment; filename="history-`+strings.TrimPrefix(l.Path, ".")+"."+string(f)+`"`, r.Header.Get("Content-Disposition"))
		require.Equal(t, map[linktrack.Format]string{linktrack.FormatCSV: "text/csv; charset=utf-8; header=present", linktrack.FormatJSON: "application/json; charset=utf-8"}[f], r.Header.Get("Content-Type"))
		require.Equal(t, want, trackertest.ExportedIDs(t, f, r.Body))
	}
	r := ask("&redirect_hash=" + l.Path + "&after=" + want[19_990])
	require.Equal(t, want[19_991:], trackertest.ExportedIDs(t, linktrack.FormatCSV, r.Body))
	r = ask("&redirect_hash=" + l.Path + "&start_date=2030-01-01")
	require.Equal(t, "id,created_at,ip_address,referrer,referrer_host,user_agent,browser,platform,is_unique,is_bot,query\r\n", trackertest.Text(t, r))
	r = ask("&format=json&redirect_hash=" + l.Path + "&end_date=2020-01-01")
	require.JSONEq(t, `{"history":[]}`, trackertest.Text(t, r))

	for query, want := range map[string]string{
		"":                                     "400 Error: redirect_hash is missing",
		"&redirect_hash=nothing":               "404 Error: not found",
		"&redirect_hash=nothing&format=json":   `404 {"error":{"code":404,"message":"not found"}}` + "\n",
		"&redirect_hash=nothing&format=xml":    "400 Error: format must be csv or json",
		"&redirect_hash=nothing&start_date=x":  "400 Error: start_date must be a time such as 2024-11-24 10:35:16 or a day such as 2024-11-24, from 1970 on",
		"&redirect_hash=%22%0d%0aSet-Cookie:x": "404 Error: not found",
		"&pass=wrong&redirect_hash=" + l.Path:  "401 Error: login or pass is wrong",
	} {
		r := ask(query)
		require.Equal(t, want, fmt.Sprint(r.StatusCode, " ", trackertest.Text(t, r)), query)
		require.Empty(t, r.Header.Get("Content-Disposition"))
	}
	require.Equal(t, 405, s.Do(trackertest.Request(http.MethodPut, "/api/v1_0/exportHistory", "")).StatusCode)

	store.Reads.Store(0)
	store.FailReadsFrom.Store(2)
	r = ask("&redirect_hash=" + l.Path)
	require.Equal(t, 200, r.StatusCode)
	_, err := io.ReadAll(r.Body)
	require.Error(t, err, "the connection is broken off, so that nobody takes a part for the whole")
	store.Reads.Store(0)
	store.FailReadsFrom.Store(1)
	r = ask("&redirect_hash=" + l.Path)
	require.Equal(t, 503, r.StatusCode)
	require.Equal(t, "1", r.Header.Get("Retry-After"))
}
