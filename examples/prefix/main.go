// Prefix mounts linktrack below a path of a net/http mux. The path is a part of
// BaseURL, and the Tracker removes it, so http.StripPrefix is not needed.
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
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "http://" + listener.Addr().String() + "/l"})
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

	mux := http.NewServeMux()
	mux.Handle("/l/", t.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "the app:", r.URL.Path)
	})
	server := &http.Server{Handler: mux}

	go server.Serve(listener)
	fmt.Println("login:", account.Login)
	fmt.Println("pass:", pass)
	fmt.Println("link:", t.TrackingURL(link))

	// The server answers its last requests before the Tracker writes the last
	// clicks.
	<-ctx.Done()
	return errors.Join(server.Shutdown(context.Background()), t.Close(context.Background()))
}
