package mysqlstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRollUpsTakeAsManyRowsAsFitIntoTheirTime(t *testing.T) {
	var p pace
	require.Equal(t, firstRows, p.rows())
	p.took(3, time.Millisecond)
	require.Equal(t, firstRows, p.rows(), "it says nothing of more")
	for range 20 {
		p.took(p.rows(), time.Millisecond)
	}
	require.Equal(t, pendingRows, p.rows())
	p.took(p.rows(), rollTime/2)
	require.Equal(t, pendingRows, p.rows())
	p.took(300, 2*rollTime)
	require.Equal(t, 150, p.rows(), "there were 300 only")
	for range 20 {
		p.took(p.rows(), 30*time.Second)
	}
	require.Equal(t, 1, p.rows())
}
