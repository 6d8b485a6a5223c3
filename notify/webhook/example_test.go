package webhook_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/linktrackhq/linktrack/notify/webhook"
)

// A receiver reads the body, verifies it, and only then looks into it.
func ExampleVerify() {
	secret := []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") // that of the sender
	http.HandleFunc("POST /hook", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		if err := webhook.Verify(r.Header, body, secret); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		var m webhook.Message
		if err := json.Unmarshal(body, &m); err != nil {
			http.Error(w, "no message", http.StatusBadRequest)
			return
		}
		fmt.Printf("%s has %d clicks\n", m.Link.URL, m.Count)
	})
}
