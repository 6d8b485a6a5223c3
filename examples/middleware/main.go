// Middleware puts linktrack in front of an application. Links are at the root, the
// API is at /api/, and the application answers all other requests. A vanity link
// cannot have a path for which the application has a route.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	flag.Parse()
	if err := run(*addr); err != nil {
		log.Fatal(err)
	}
}

func run(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	app := http.NewServeMux()
	app.HandleFunc("GET /dashboard", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "the app's dashboard")
	})
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "the app:", r.URL.Path)
	})
	t, err := linktrack.New(memstore.New(), linktrack.Options{
		BaseURL: "http://" + listener.Addr().String(),
		Links:   linktrack.LinkOptions{CheckPath: linktrack.AvoidRoutes(app)},
	})
	if err != nil {
		return err
	}
	account, pass, err := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	if err != nil {
		return err
	}
	link, err := t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"}})
	if err != nil {
		return err
	}

	server := &http.Server{Handler: t.Middleware(app)}

	go server.Serve(listener)
	fmt.Println("login:", account.Login)
	fmt.Println("pass:", pass)
	fmt.Println("link:", t.TrackingURL(link))

	// The server answers its last requests before the Tracker writes the last
	// clicks.
	<-ctx.Done()
	return errors.Join(server.Shutdown(context.Background()), t.Close(context.Background()))
}
