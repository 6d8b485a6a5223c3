package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAStepHasAsManyClicksAsFitIntoItsTime(t *testing.T) {
	const stepTime = time.Second
	p := pace{stepTime: stepTime}
	require.Equal(t, firstClicks, p.clicks())
	p.took(3, time.Millisecond, nil)
	require.Equal(t, firstClicks, p.clicks(), "it says nothing of more")
	for range 20 {
		p.took(p.clicks(), time.Millisecond, errFacts)
	}
	p.took(0, 2*stepTime, nil)
	require.Equal(t, firstClicks, p.clicks(), "nor does what failed, or was nothing")
	for range 20 {
		p.took(p.clicks(), time.Millisecond, nil)
	}
	require.Equal(t, maxClicks, p.clicks())
	p.took(p.clicks(), stepTime/2, nil)
	require.Equal(t, maxClicks, p.clicks())
	p.took(300, 2*stepTime, context.DeadlineExceeded)
	require.Equal(t, 150, p.clicks(), "there were 300 only")
	for range 20 {
		p.took(p.clicks(), 30*time.Second, nil)
	}
	require.Equal(t, 1, p.clicks())
	p.took(1, stepTime/3, nil)
	require.Equal(t, 2, p.clicks())
}
