package mysqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func total(t *testing.T, s linktrack.Store, link int64) (people int64) {
	t.Helper()
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: link}, 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range days {
		people += d.People
	}
	return people
}

func TestBatchesThatCannotBeReadHoldUpNobody(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	var batches []linktrack.Batch
	for seq := range int64(20) {
		b := linktrack.Batch{Seq: seq + 1, Clicks: []linktrack.Click{click(l.ID, noon)}}
		batches = append(batches, b)
		appendBatch(t, s, b)
	}
	// One of a newer version, one that breaks off, the last one, and sums of a newer version.
	db.MustExec(`UPDATE lt_log SET data = CONCAT(x'7f', SUBSTRING(data, 2)) WHERE seq = 3`)
	db.MustExec(`UPDATE lt_log SET data = SUBSTRING(data, 1, LENGTH(data) - 1) WHERE seq = 11`)
	db.MustExec(`UPDATE lt_log SET data = '' WHERE seq = 20`)
	db.MustExec(`INSERT INTO lt_log (source, seq, kind, at, clicks, bytes, data) VALUES (REPEAT('s', 16), 1, 2, 1, 0, 1, x'7f'), (REPEAT('t', 16), 1, 77, 1, 0, 1, '')`)

	_, err := s.ApplyClicks(t.Context(), nil, noon)
	require.ErrorContains(t, err, "quarantined", "the cause is reported")
	size, err := s.ApplyClicks(t.Context(), nil, noon)
	require.NoError(t, err, "it is reported once")
	require.Equal(t, linktrack.LogSize{Quarantined: 3}, size)
	requireCounted := func(n int) {
		t.Helper()
		require.EqualValues(t, n, counts(t, s, l).People)
		require.EqualValues(t, n, total(t, s, l.ID))
		require.Len(t, history(t, s, l.ID), n)
	}
	requireCounted(17)
	for _, b := range batches { // they are sent again
		appendBatch(t, s, b)
	}
	require.Equal(t, linktrack.LogSize{Quarantined: 3}, apply(t, s))
	requireCounted(17)

	n, err := s.RequeueClicks(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	require.EqualValues(t, 3, func() int64 { _, _ = s.ApplyClicks(t.Context(), nil, noon); return apply(t, s).Quarantined }(), "they cannot be applied yet")

	// A newer version, or somebody who has mended them, goes on with Migrate.
	db.MustExec(`UPDATE lt_log SET data = ? WHERE is_quarantined = 1 AND clicks = 1`, linktrack.AppendClicks(nil, batches[2].Clicks))
	db.MustExec(`UPDATE lt_log SET kind = 2, data = x'02' WHERE is_quarantined = 1 AND clicks = 0`)
	require.NoError(t, s.Migrate(t.Context()))
	require.Zero(t, apply(t, s))
	require.EqualValues(t, 20, counts(t, s, l).People)
	for _, b := range batches {
		appendBatch(t, s, b)
	}
	require.Zero(t, apply(t, s))
	require.EqualValues(t, 20, counts(t, s, l).People, "they are sent again after they were requeued")
}

func TestADayThatCannotBeReadHoldsUpNoOtherLink(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	a, b := makeLink(t, s, linktrack.Link{Path: "a"}), makeLink(t, s, linktrack.Link{Path: "b"})
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(a.ID, noon)}})
	var data []byte
	require.NoError(t, db.Get(&data, `SELECT data FROM lt_day`))
	db.MustExec(`UPDATE lt_day SET data = 'secret'`)
	for seq := range int64(7) {
		link := b.ID
		if seq == 3 {
			link = a.ID
		}
		appendBatch(t, s, linktrack.Batch{Seq: seq + 2, Clicks: []linktrack.Click{click(link, noon)}})
	}
	_, err := s.ApplyClicks(t.Context(), nil, noon)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
	require.EqualValues(t, 6, total(t, s, b.ID))
	require.EqualValues(t, 6, counts(t, s, b).People)
	require.EqualValues(t, 1, apply(t, s).Quarantined)
	db.MustExec(`UPDATE lt_day SET data = ? WHERE link_id = ?`, data, a.ID)
	require.NoError(t, s.Migrate(t.Context()))
	require.Zero(t, apply(t, s))
	require.EqualValues(t, 2, total(t, s, a.ID))
}

func TestACallEndsWithItsContextWhileAnotherProcessIsStuck(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	appendBatch(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	tx := admin(t, dsn).MustBegin()
	defer tx.Rollback()
	tx.MustExec(`UPDATE lt_roll SET from_hour = from_hour + 1`) // and then its machine lost its power
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.ApplyClicks(ctx, nil, time.Time{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortDay, Limit: 10, DaySince: noon})
	require.NoError(t, err, "what was applied can be read")
	require.Len(t, links, 1)
	require.NoError(t, tx.Rollback())
	require.Zero(t, apply(t, s))
	require.EqualValues(t, 1, counts(t, s, l).People)
}
