package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// A roundTripper is a receiver without a network, for a test with a fake clock.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnAlertThatIsTriedAgainHasItsIDAndTheTimeOfTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids, bodies []string
		var times []time.Time
		hook, err := New(Options{URL: "https://hook.example.com/", Secret: testSecret})
		require.NoError(t, err)
		hook.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			received := http.Header{}
			for name, values := range r.Header {
				received[http.CanonicalHeaderKey(name)] = values
			}
			body, _ := io.ReadAll(r.Body)
			assert.NoError(t, Verify(received, body, testSecret))
			seconds, _ := strconv.ParseInt(received.Get(TimestampHeader), 10, 64)
			ids, bodies, times = append(ids, received.Get(IDHeader)), append(bodies, string(body)), append(times, time.Unix(seconds, 0))
			assert.WithinRange(t, times[len(times)-1], time.Now().Add(-time.Second), time.Now())
			switch len(ids) {
			case 1:
				return nil, errors.New("no connection")
			case 2:
				return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
			}
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})
		tracker, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com", Notify: hook})
		require.NoError(t, err)
		account, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
		require.NoError(t, err)
		_, err = tracker.MakeLink(t.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", AlertAt: 1, DeactivateAt: 2}, VanityLink: "sale"})
		require.NoError(t, err)
		click := func() {
			tracker.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://go.example.com/sale", nil))
		}

		click()
		time.Sleep(24 * time.Hour)
		require.Len(t, ids, 3, "it is tried until it is taken, and no longer")
		require.NotEmpty(t, ids[0])
		require.Equal(t, []string{ids[0], ids[0], ids[0]}, ids)
		require.Equal(t, []string{bodies[0], bodies[0], bodies[0]}, bodies)
		require.True(t, times[0].Before(times[1]) && times[1].Before(times[2]), "%v", times)

		click()
		time.Sleep(24 * time.Hour)
		require.Len(t, ids, 4)
		require.NotEqual(t, ids[0], ids[3], "another alert has another id")
		require.NoError(t, tracker.Close(t.Context()))
	})
}
