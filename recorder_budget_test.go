package linktrack

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABacklogDoesNotKeepTheClicksThatWereSent(t *testing.T) {
	q := newQueue(&budget{maxClicks: 10, maxBytes: 1 << 20})
	require.NoError(t, q.Append([]Click{{Link: 1, Query: "a=1"}, {Link: 2}, {Link: 3}}))
	first, err := q.Next(1)
	require.NoError(t, err)
	require.NoError(t, q.Done())
	require.Equal(t, []Click{{}}, first.Clicks, "it stands in the memory of those behind it")
	second, err := q.Next(1)
	require.NoError(t, err)
	require.NoError(t, q.Quarantine())
	require.Equal(t, []Click{{}}, second.Clicks)
	n, err := q.Requeue()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	last, err := q.Next(5)
	require.NoError(t, err)
	require.Equal(t, []Click{{Link: 3}, {Link: 2}}, last.Clicks)
}
