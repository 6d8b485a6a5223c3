package mysqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRollUpsTakeAsManyRowsAsFitIntoTheirTime(t *testing.T) {
	var p pace
	require.Equal(t, firstRows, p.rows())
	p.took(3, time.Millisecond, nil)
	require.Equal(t, firstRows, p.rows(), "it says nothing of more")
	for range 20 {
		p.took(p.rows(), time.Millisecond, errFacts)
	}
	p.took(0, 2*rollTime, nil)
	require.Equal(t, firstRows, p.rows(), "nor does what failed, or was nothing")
	for range 20 {
		p.took(p.rows(), time.Millisecond, nil)
	}
	require.Equal(t, pendingRows, p.rows())
	p.took(p.rows(), rollTime/2, nil)
	require.Equal(t, pendingRows, p.rows())
	p.took(300, 2*rollTime, context.DeadlineExceeded)
	require.Equal(t, 150, p.rows(), "there were 300 only")
	for range 20 {
		p.took(p.rows(), 30*time.Second, nil)
	}
	require.Equal(t, 1, p.rows())
	p.took(1, rollTime/3, nil)
	require.Equal(t, 2, p.rows())
}
