package mysqlstore_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// The call ends after its first step, as a process that is killed, and the next one does
// the rest.
func TestAnErasureThatEndsAfterItsFirstStepIsFinishedByTheNext(t *testing.T) {
	s, dsn := opened(t)
	a, b := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"}), makeLink(t, s, linktrack.Link{Account: 1, Path: "b"})
	batch := linktrack.Batch{Seq: 1}
	for i := range 2500 {
		c := click(a.ID, noon.Add(time.Duration(i)*time.Minute))
		if i%2 == 0 {
			c.IP = netip.MustParseAddr("203.0.113.0")
		}
		batch.Clicks = append(batch.Clicks, c)
		c.Link = b.ID
		batch.Clicks = append(batch.Clicks, c)
	}
	record(t, s, batch)
	db := admin(t, dsn)
	db.MustExec(`INSERT INTO lt_click (link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot)
		VALUES (?, REPEAT('x', 16), INET6_ATON('2001:db8::7'), 'r', 'r', 'u', 'b', 'p', 'FR', 'q', 1, 0)`, a.ID) // by a process of the version before
	visitor := netip.MustParsePrefix("2001:db8::/48")

	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	hooked := hooked(t, dsn, func(statement string, _ func()) {
		if statement == "COMMITTED" {
			if steps++; steps == 2 { // the first is that of lt_click
				cancel()
			}
		}
	})
	n, err := hooked.EraseVisitor(ctx, 1, visitor)
	require.ErrorIs(t, err, context.Canceled)
	known := func() (left int64) {
		require.NoError(t, db.Get(&left, `SELECT (SELECT COUNT(*) FROM lt_hit WHERE LENGTH(ip) = 16) + (SELECT COUNT(*) FROM lt_click WHERE LENGTH(ip) = 16)`))
		return left
	}
	require.EqualValues(t, 1500, known(), "one step has erased one, and the next one a thousand")
	require.Contains(t, []int64{1, 1001}, n)

	n, err = s.EraseVisitor(t.Context(), 1, visitor)
	require.NoError(t, err)
	require.EqualValues(t, 1500, n)
	require.Zero(t, known())
	require.Len(t, history(t, s, a.ID), 2501)
	for _, c := range history(t, s, a.ID) {
		if !c.IP.IsValid() {
			require.Equal(t, linktrack.Click{ID: c.ID, Link: a.ID, Unique: true}, c)
		} else {
			require.NotEmpty(t, c.UserAgent, "it is another visitor's")
		}
	}
	n, err = s.EraseVisitor(t.Context(), 1, visitor)
	require.NoError(t, err)
	require.Zero(t, n)
}

// A connection that breaks leaves a click either as it was or erased.
func TestAnErasureWhoseConnectionBreaksIsFinishedByTheNext(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Account: 1, Path: "a"})
	at, n := 0, 0
	s := hooked(t, dsn, func(statement string, kill func()) {
		if n == at {
			kill()
		}
		n++
	})
	visitor := netip.MustParsePrefix("2001:db8::/48")
	for at = 0; ; at++ {
		record(t, plain, linktrack.Batch{Seq: int64(at + 1), Clicks: []linktrack.Click{click(l.ID, noon), click(l.ID, noon)}})
		n = 0
		_, err := s.EraseVisitor(t.Context(), 1, visitor)
		rest, restErr := plain.EraseVisitor(t.Context(), 1, visitor)
		require.NoError(t, restErr)
		require.Contains(t, []int64{0, 2}, rest)
		for _, c := range history(t, plain, l.ID) {
			require.Equal(t, linktrack.Click{ID: c.ID, Link: l.ID, Unique: true}, c)
		}
		if n <= at {
			require.NoError(t, err)
			break
		}
	}
	require.Greater(t, at, 5)
	require.Len(t, history(t, plain, l.ID), 2*(at+1))
}
