package linktrack

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/throttle"
)

func TestANewClientHasATryAtALinkThatManyNetworksAreGuessingAt(t *testing.T) {
	tracker := &Tracker{failures: throttle.NewFailures(), verifiedPasses: throttle.NewSuccesses()}
	may := func(client string) error { return tracker.mayGuess(newGuesses(7, client)) }
	isWrong := func(client string) {
		t.Helper()
		require.NoError(t, may(client), client)
		tracker.failures.Count(newGuesses(7, client).counts...)
	}
	for i := range 100 {
		isWrong(fmt.Sprintf("10.0.%d.1", i))
	}
	require.ErrorIs(t, may("10.0.7.1"), ErrThrottled, "a client that was wrong has had its try")
	require.NoError(t, may("198.51.100.1"), "a client that is new has one")
	require.NoError(t, tracker.mayGuess(newGuesses(8, "10.0.7.1")), "another link is not concerned")

	isWrong("192.0.2.1")
	require.ErrorIs(t, may("192.0.2.1"), ErrThrottled, "one for each address")
	isWrong("2001:db8:2:1::")
	require.ErrorIs(t, may("2001:db8:2:1::"), ErrThrottled, "one for each /64")
	for i := range 3 {
		isWrong(fmt.Sprintf("2001:db8:2:%x::", i+2))
	}
	require.ErrorIs(t, may("2001:db8:2:ff::"), ErrThrottled, "four for each /48")
	for i := range 15 {
		isWrong(fmt.Sprintf("10.1.%d.1", i))
	}
	var throttled *ThrottledError
	require.ErrorAs(t, may("203.0.113.9"), &throttled, "twenty in all")
	require.InDelta(t, 10*time.Minute, throttled.RetryAfter, float64(time.Minute), "until the window ends")
	tracker.verifiedPasses.Remember(newGuesses(7, "203.0.113.9").own.Key, [32]byte{})
	require.NoError(t, may("203.0.113.9"), "a client that was right lately is held to its own bound alone")
}

func TestANewClientsTryIsNotBeyondItsOwnBoundsOrThoseOfItsSite(t *testing.T) {
	tracker := &Tracker{failures: throttle.NewFailures(), verifiedPasses: throttle.NewSuccesses()}
	for range 5 {
		tracker.failures.Count(newGuesses(7, "192.0.2.1").own) // of a window that began later
	}
	for i := range 30 {
		tracker.failures.Count(newGuesses(8, fmt.Sprintf("2001:db8:2:%x::", i)).counts...)
	}
	require.ErrorIs(t, tracker.mayGuess(newGuesses(7, "192.0.2.1")), ErrThrottled)
	require.ErrorIs(t, tracker.mayGuess(newGuesses(8, "2001:db8:2:ff::")), ErrThrottled)
}
