// Baseline is what linktrack is measured against: a net/http server that does
// nothing but redirect, and one that counts clicks the naive way on MySQL.
//
//	baseline -to https://example.com/
//	baseline -to https://example.com/ -links 1000 -mysql 'root@tcp(127.0.0.1:3306)/naive'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dsn := flag.String("mysql", "", "`DSN` of a database: count clicks the naive way (default: count nothing)")
	to := flag.String("to", "https://example.com/", "`URL` to redirect to")
	links := flag.Int("links", 1000, "`number` of links, of the naive way, with the paths /0, /1 and so on")
	flag.Parse()

	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, *to, http.StatusFound)
	})
	if *dsn != "" {
		n, err := openNaive(ctx, *dsn, *links, *to)
		if err != nil {
			return err
		}
		defer n.db.Close()
		handler = n
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	fmt.Printf("baseline listens on http://%s\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
