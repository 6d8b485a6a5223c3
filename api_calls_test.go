package linktrack

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryParameterThatIsReadIsDescribedAndNoOther(t *testing.T) {
	described := map[string]bool{"login": true, "pass": true}
	for _, c := range apiCalls {
		for _, key := range slices.Concat(c.get, c.post) {
			described[paramOf(key).name] = true
		}
	}
	read := slices.Concat(linkParams, otherParams, []string{"account", "token", "undo"}) // the last of optout
	for _, name := range read {
		require.True(t, described[name], "%s is not described", name)
	}
	for name := range described {
		require.Contains(t, read, name)
	}
	for _, p := range apiParams {
		require.True(t, slices.ContainsFunc(apiCalls, func(c apiCall) bool {
			return slices.Contains(c.get, p.key) || slices.Contains(c.post, p.key)
		}), "no call has %s", p.key)
	}
}

func TestEveryStatusOfAnErrorIsDescribed(t *testing.T) {
	described := []int{http.StatusMethodNotAllowed, http.StatusGone} // of other methods, and of links
	for _, e := range apiErrors {
		described = append(described, e.status)
	}
	for _, err := range []error{
		&InvalidError{}, ErrUnauthorized, ErrForbidden, ErrWrongPassword, ErrNotFound, ErrTaken, ErrGone,
		errMethod, errTooLarge, errMediaType, ErrThrottled, ErrUnavailable, ErrRejected,
	} {
		require.Contains(t, described, statusOf(err), err)
	}
}
