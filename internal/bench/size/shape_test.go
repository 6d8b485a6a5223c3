package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAShapeGivesAllItsClicksToAFewLinks(t *testing.T) {
	for _, links := range []int{1, 2, 100, 1001, 10_000} {
		s := newShape(links, 200_000, time.Now())
		var counts []int64
		seen := 0
		assert.NoError(t, s.each(func(i int, clicks int64) error {
			assert.Equal(t, seen, i)
			seen++
			counts = append(counts, clicks)
			return nil
		}))
		sum := int64(0)
		for _, n := range counts {
			sum += n
		}
		assert.Len(t, counts, links)
		assert.InDelta(t, 200_000, sum, 1)
		assert.GreaterOrEqual(t, slices.Max(counts), sum/8, "of %d links", links)
	}
}

func TestPathsAreDifferentAndLookGenerated(t *testing.T) {
	seen := make(map[string]bool)
	for i := range 100_000 {
		p := pathOf(i)
		assert.Regexp(t, `^\.[0-9a-z]{7}$`, p)
		seen[p] = true
	}
	assert.Len(t, seen, 100_000)
}

func TestAClickLiesBetweenItsLinkAndTheEnd(t *testing.T) {
	end := time.Now()
	s := newShape(10, 100, end)
	random := rand.New(rand.NewPCG(1, 2))
	late := 0
	for n := range 1000 {
		at := s.click(n%10, 1, random).ID.Time()
		assert.False(t, at.Before(s.created(n%10).Add(-time.Microsecond)))
		assert.False(t, at.After(end))
		if end.Sub(at) < recent {
			late++
		}
	}
	assert.InDelta(t, 500, late, 80)
}
