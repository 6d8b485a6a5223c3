package program

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestAnAlertIsPostedAsAVerifierOfStandardWebhooksExpectsIt(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verifier, err := standard.NewWebhook(secret)
	require.NoError(t, err)
	posts := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NoError(t, verifier.Verify(body, r.Header))
		posts <- r.Header.Get("webhook-id") + " " + string(body)
	}))
	defer receiver.Close()
	p := start(t, testprogram.Build(t, programFolder), []string{"LINKTRACK_ALERT_SECRET=" + secret, "LINKTRACK_PASS=" + testPass},
		"-addr", "127.0.0.1:0", "-alert-webhook", receiver.URL, "-alert-private")
	line := strings.Replace(p.Line(t, "  curl "), "PASS", testPass, 1)
	address, _ := request(t, line)
	link := post(t, address, url.Values{
		"login": {"linktrack"}, "pass": {testPass}, "external_url": {"https://example.com/"}, "title": {"Spring"}, "alert_at": {"1"},
	})
	click(t, line, link)
	select {
	case got := <-posts:
		id, body, _ := strings.Cut(got, " ")
		assert.NotEmpty(t, id)
		assert.Contains(t, body, `"id":"`+id+`"`)
		assert.Contains(t, body, `"title":"Spring"`)
	case <-time.After(time.Minute):
		t.Error("the alert has not come")
	}
	assert.Equal(t, 0, p.Stop(t))
}
