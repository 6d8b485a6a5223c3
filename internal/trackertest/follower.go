package trackertest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// Convertible is a link whose clicks may become conversions.
var Convertible = linktrack.NewLink{LinkSettings: linktrack.LinkSettings{HasConversionTracking: true}}

// A Follower is a Tracker and one link on it, which a person visits.
type Follower struct {
	*testing.T
	Tracker *linktrack.Tracker
	Account linktrack.Account // of the link, professional; the store does not have it
	Path    string            // of the link
}

// Follow makes a Tracker and a link on it. A link without a destination gets
// one. The Tracker is not closed when the test ends: see [Follower.Close].
func Follow(t *testing.T, store linktrack.Store, o linktrack.Options, in linktrack.NewLink) *Follower {
	t.Helper()
	tracker, err := linktrack.New(store, o)
	require.NoError(t, err)
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	if in.ExternalURL == "" {
		in.ExternalURL = "https://example.com/spring"
	}
	l, err := tracker.MakeLink(t.Context(), account, in)
	require.NoError(t, err)
	return &Follower{t, tracker, account, l.Path}
}

// Visit follows the link, or v.Path, with [Firefox] if v has no user agent. Any
// goroutine may call it.
func (f *Follower) Visit(v linktrack.Visit) (linktrack.Outcome, error) {
	if v.Path == "" {
		v.Path = f.Path
	}
	if v.UserAgent == "" {
		v.UserAgent = Firefox
	}
	return f.Tracker.Follow(context.Background(), v)
}

// Passes visits and expects to be redirected and counted. Any goroutine may call
// it.
func (f *Follower) Passes(v linktrack.Visit) linktrack.Outcome {
	f.Helper()
	out, err := f.Visit(v)
	assert.NoError(f, err)
	assert.Equal(f, linktrack.ActionRedirect, out.Action)
	assert.False(f, out.Click.IsZero())
	return out
}

// Refused visits and expects an error that is want.
func (f *Follower) Refused(want error, v linktrack.Visit) {
	f.Helper()
	out, err := f.Visit(v)
	require.ErrorIs(f, err, want)
	require.Empty(f, out.Location, "who is refused does not learn the destination")
}

// Clicks passes and returns what a conversion names the click by.
func (f *Follower) Clicks() linktrack.ClickRef {
	f.Helper()
	out := f.Passes(linktrack.Visit{})
	return linktrack.ClickRef{Link: out.Link.ID, ID: out.Click}
}

// Convert reports a conversion, and whether it was counted.
func (f *Follower) Convert(c linktrack.Conversion) (counted bool) {
	f.Helper()
	counted, err := f.Tracker.Convert(context.Background(), nil, c)
	require.NoError(f, err)
	return counted
}

// Counts returns the counts of the link.
func (f *Follower) Counts() linktrack.Counts {
	f.Helper()
	l, err := f.Tracker.Link(f.Context(), f.Account, f.Path)
	require.NoError(f, err)
	return l.Counts
}

// Close closes the Tracker, however long that takes.
func (f *Follower) Close() {
	f.Helper()
	require.NoError(f, f.Tracker.Close(context.Background()))
}
