package longwrite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/longwrite"
)

func TestAFileIsSentWholeWhereItTakesLongerThanTheServerAllowsForAnAnswer(t *testing.T) {
	const limit, parts = 200 * time.Millisecond, 6
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := longwrite.New(w, r, "text/csv", `a "name".csv`)
		assert.False(t, f.Begun())
		for range parts {
			_, err := f.Write([]byte("part\n"))
			assert.NoError(t, err)
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-time.After(limit / 2)
		}
		assert.True(t, f.Begun())
		assert.False(t, f.Broken())
	}))
	server.Config.WriteTimeout = limit
	server.Start()
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Len(t, body, parts*len("part\n"))
	require.Equal(t, "text/csv", answer.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="a \"name\".csv"`, answer.Header.Get("Content-Disposition"))
}

type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAFileSaysThatItsReaderHasGone(t *testing.T) {
	f := longwrite.New(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil), "text/csv", "a.csv")
	_, err := f.Write([]byte("part"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.True(t, f.Broken())
}
