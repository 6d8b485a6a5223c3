package program

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/promstats"
)

// ask returns the status and the text that an admin address answers.
func ask(handler http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestReadyzFollowsTheStoreAndHealthzDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		observer := promstats.NewObserver()
		tracker, _ := trackertest.Open(t, store, linktrack.Options{Observe: observer.Observe})
		running, stop := context.WithCancel(t.Context())
		admin := adminHandler(running, tracker, observer)
		alive := func() {
			status, _ := ask(admin, "/healthz")
			require.Equal(t, 200, status)
		}
		status, text := ask(admin, "/readyz")
		require.Equal(t, 200, status)
		require.Equal(t, "ready\nclick log: empty\n", text)

		store.Down.Store(true)
		status, text = ask(admin, "/readyz")
		require.Equal(t, 503, status)
		require.Equal(t, "not ready: the service is unavailable for the moment: the store does not answer: "+trackertest.ErrDown.Error()+"\nclick log: empty\n", text)
		alive()
		store.Down.Store(false)

		store.Hang.Store(true)
		began := time.Now()
		status, _ = ask(admin, "/readyz")
		require.Equal(t, 503, status)
		require.Equal(t, 2*time.Second, time.Since(began))
		alive()
		store.Hang.Store(false)
		synctest.Wait()

		status, _ = ask(admin, "/readyz")
		require.Equal(t, 200, status, "as soon as the store answers")

		stop()
		status, text = ask(admin, "/readyz")
		require.Equal(t, 503, status)
		require.Contains(t, text, "not ready: the program is shutting down\n")
		alive()
	})
}

// An idleStore applies nothing, so that its log grows old.
type idleStore struct{ linktrack.Store }

func (s idleStore) ApplyClicks(context.Context, *time.Location, time.Time) (linktrack.LogSize, error) {
	return linktrack.LogSize{Clicks: 12, Bytes: 2400, Oldest: time.Now().Add(-90 * time.Second)}, nil
}

func TestReadyzSaysHowOldTheClickLogIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker, _ := trackertest.Open(t, idleStore{memstore.New()}, linktrack.Options{})
		time.Sleep(1500 * time.Millisecond) // it looks at the log for the first time
		status, text := ask(adminHandler(t.Context(), tracker, promstats.NewObserver()), "/readyz")
		require.Equal(t, 200, status)
		require.Equal(t, "ready\nclick log: 12 clicks, the oldest 1m31s old\n", text)
	})
}
