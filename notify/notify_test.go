package notify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/notify"
)

// A script returns its errors one after the other, then nil.
type script struct {
	errs  []error
	calls []string
}

func (s *script) Notify(_ context.Context, a linktrack.Alert) error {
	s.calls = append(s.calls, a.ID)
	if len(s.errs) == 0 {
		return nil
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return err
}

var (
	errDown  = errors.New("down")
	errNever = fmt.Errorf("%w: no such mailbox", linktrack.ErrUndeliverable)
	alert    = linktrack.Alert{ID: "a1"}
)

func TestAnAlertIsDeliveredWhenEachHasDeliveredIt(t *testing.T) {
	one, two := new(script), new(script)
	require.NoError(t, notify.All(one, two).Notify(t.Context(), alert))
	require.Equal(t, []string{"a1"}, one.calls)
	require.Equal(t, []string{"a1"}, two.calls)
}

func TestOneThatFailsKeepsNoOtherFromDelivering(t *testing.T) {
	one, two := &script{errs: []error{errDown}}, new(script)
	require.ErrorIs(t, notify.All(one, two).Notify(t.Context(), alert), errDown)
	require.Equal(t, []string{"a1"}, two.calls)
}

func TestWhoHasDeliveredAnAlertIsNotCalledAgainForIt(t *testing.T) {
	one, two := new(script), &script{errs: []error{errDown, errDown}}
	g := notify.All(one, two)
	require.ErrorIs(t, g.Notify(t.Context(), alert), errDown)
	require.ErrorIs(t, g.Notify(t.Context(), alert), errDown)
	require.NoError(t, g.Notify(t.Context(), linktrack.Alert{ID: "a2"}), "another alert goes its own way")
	require.NoError(t, g.Notify(t.Context(), alert))
	require.Equal(t, []string{"a1", "a2"}, one.calls)
	require.Equal(t, []string{"a1", "a1", "a2", "a1"}, two.calls)
}

func TestAnAlertIsUndeliverableOnlyWhenNoneMayTryAgain(t *testing.T) {
	one, two := &script{errs: []error{errNever}}, &script{errs: []error{errDown}}
	g := notify.All(one, two)
	err := g.Notify(t.Context(), alert)
	require.Error(t, err)
	require.NotErrorIs(t, err, linktrack.ErrUndeliverable, "two may be tried again")
	require.Contains(t, err.Error(), "no such mailbox")
	require.Contains(t, err.Error(), "down")

	require.ErrorIs(t, g.Notify(t.Context(), alert), linktrack.ErrUndeliverable, "two has delivered it, one never will")
	require.Len(t, one.calls, 1)
	require.Len(t, two.calls, 2)
}
