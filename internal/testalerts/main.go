// Testalerts follows the links of a database and posts the alerts that wait
// there to a URL, for the test that kills it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A poster is a linktrack.Notifier that posts alerts to a URL as JSON.
type poster string

func (p poster) Notify(ctx context.Context, a linktrack.Alert) error {
	body, err := json.Marshal(map[string]any{"id": a.ID, "kind": a.Kind, "link": a.Link.Path, "count": a.Count, "total": a.Link.Counts.People})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(p), bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the receiver answered %s", answer.Status)
	}
	return nil
}

func main() {
	store, err := mysqlstore.Open(os.Getenv("MYSQL"))
	if err != nil {
		log.Fatal(err)
	}
	t, err := linktrack.New(store, linktrack.Options{BaseURL: "http://go.example.com", Notify: poster(os.Getenv("RECEIVER"))})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listens on", listener.Addr())
	log.Fatal(http.Serve(listener, t.Handler()))
}
