// Package program is the program linktrack, which cmd/linktrack and
// examples/standalone run: its commands and flags, and what they set up with the
// library.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/pages"
	"github.com/linktrackhq/linktrack/promstats"
)

// The ballast makes the garbage collector run less often. The collector runs when
// as much memory was allocated as is in use. While the store accepts clicks, the
// program uses little memory, so under load the collector would run many times a
// second. The ballast counts as memory in use, but takes no memory of the
// machine, because nothing writes to it. A higher GOGC would have the same
// effect, but would also multiply the memory that is really in use while the
// store is down. If GOGC is set, there is no ballast.
const ballastSize = 16 << 20

// Main runs the program with the arguments and the environment of the process, and ends
// the process.
func Main() {
	var ballast []byte
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if os.Getenv("GOGC") == "" {
		ballast = make([]byte, ballastSize)
	}
	status := run(ctx, os.Args[1:], environmentOf(os.Environ()), os.Stdout, os.Stderr)
	runtime.KeepAlive(ballast)
	os.Exit(status)
}

func runServe(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) error {
	c, err := parseFlags(args, env, stdout)
	switch {
	case errors.Is(err, errHelp):
		return err
	case err != nil:
		return refused(err)
	}
	return serve(ctx, c, stdout, stderr)
}

func serve(ctx context.Context, c config, stdout, stderr io.Writer) error {
	logger := c.logger(stderr)

	listener, err := net.Listen("tcp", c.addr)
	if err != nil {
		return cannotListen(c.addr, err)
	}
	defer listener.Close()
	var cert *certificate
	scheme := "http"
	if c.tlsCert != "" {
		scheme = "https"
		if cert, err = openCertificate(c.tlsCert, c.tlsKey, logger); err != nil {
			return refused(err)
		}
	}
	local := localURL(scheme, c.addr, listener.Addr())
	if c.baseURL == "" {
		c.baseURL = local
	}

	db, err := c.open(ctx, logger, false)
	if err != nil {
		return err
	}
	defer db.close()

	pageOptions := c.pageOptions
	pageOptions.Logger = logger
	visitors, err := pages.ForVisitors(pageOptions)
	if errors.As(err, new(*linktrack.InvalidError)) {
		return refusedOption(err)
	} else if err != nil {
		return refused(fmt.Errorf("-templates: %w", err))
	}
	redirects, err := newElsewhere(c)
	if err != nil {
		return refused(err)
	}
	options := c.trackerOptions(logger)
	options.Notify, options.Visitors.Pages = c.notify, redirects.wrap(visitors)
	observer := promstats.NewObserver()
	if c.admin != "" {
		options.Observe = observer.Observe
	}
	if c.geo != "" {
		countries, closeGeo, err := openGeo(ctx, c.geo, logger)
		if err != nil {
			return refused(fmt.Errorf("-geo: %w", err))
		}
		defer closeGeo()
		options.Visitors.Locator = countries
	}
	if c.journal != "" {
		o := c.journalOptions
		o.Logger = logger
		j, err := journal.Open(c.journal, o)
		if err != nil {
			return err
		}
		defer j.Close()
		options.Recording.Journal = j
		if c.place.inMemory {
			logger.Warn("linktrack: -journal with -db memory: the clicks in the journal are stored in memory only; if they belong to a database, they are lost")
		}
	}
	t, err := linktrack.New(db.store, options)
	if err != nil {
		return refusedOption(err)
	}
	defer t.Close(context.WithoutCancel(ctx)) // for the returns before the end; a second call does nothing

	handler, err := withPages(t, c, redirects, pageOptions)
	if err != nil {
		return refusedOption(err)
	}
	acc, err := openAccount(ctx, t, c)
	if err != nil {
		return err
	}
	days, err := t.DayTimeZone(ctx)
	if err != nil {
		return err
	}

	if c.admin != "" {
		addr, closeAdmin, err := serveAdmin(ctx, c.admin, t, observer, logger)
		if err != nil {
			return err
		}
		defer closeAdmin()
		fmt.Fprintf(stdout, "metrics and health on http://%s/metrics, /healthz, and /readyz\n", addr)
	}

	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10, // a destination of 4,096 bytes, percent-encoded, and some cookies
		ErrorLog:          serverLog(logger),
	}
	failed := make(chan error, 1)
	go func() {
		if cert != nil {
			server.TLSConfig = cert.config()
			failed <- server.ServeTLS(listener, "", "")
			return
		}
		failed <- server.Serve(listener)
	}()
	greet(stdout, c, local, db.name, acc, mailState(ctx, t, c, acc.Account), days)

	select {
	case err := <-failed:
		return fmt.Errorf("stopped serving: %w", err)
	case <-ctx.Done():
	}
	logger.Info("stopping")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		logger.Warn("requests were interrupted", "error", err)
		server.Close()
	}
	end, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = t.Close(end)
	if left := new(linktrack.PendingError); errors.As(err, &left) && left.Lost == 0 {
		logger.Warn("stopped; clicks wait in the journal for the next start", "clicks", left.Journaled)
		return nil
	} else if err != nil {
		return fmt.Errorf("could not write all clicks before the end: %w", err)
	}
	logger.Info("stopped, all clicks are written")
	return nil
}

// trackerOptions returns the options that depend only on the flags.
func (c config) trackerOptions(logger *slog.Logger) linktrack.Options {
	o := c.options
	o.BaseURL, o.Hosts, o.TimeZone, o.Logger = c.baseURL, c.hosts, c.zone, logger
	o.Recording.Ack, o.Privacy, o.Proxies.Trusted, o.Links.ClickQuery = c.ack, c.privacy, c.proxies, c.conversionQuery
	return o
}

// cannotListen returns a short error for a net.Listen that failed.
func cannotListen(addr string, err error) error {
	var sys syscall.Errno
	if errors.As(err, &sys) {
		return fmt.Errorf("can't listen on %s: %w", addr, sys)
	}
	return fmt.Errorf("can't listen on %s: %w", addr, err)
}

// localURL returns the URL by which this machine reaches a server that listens on
// addr.
func localURL(scheme, addr string, actual net.Addr) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(actual.String())
	if port == map[string]string{"http": "80", "https": "443"}[scheme] {
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
