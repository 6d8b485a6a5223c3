// Gin mounts linktrack below a path of a gin engine.
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

	"github.com/gin-gonic/gin"

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

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Any("/l/*path", gin.WrapH(t.Handler()))
	r.NoRoute(func(c *gin.Context) {
		c.String(http.StatusOK, "the app: %s\n", c.Request.URL.Path)
	})
	server := &http.Server{Handler: r}

	go server.Serve(listener)
	fmt.Println("login:", account.Login)
	fmt.Println("pass:", pass)
	fmt.Println("link:", t.TrackingURL(link))

	// The server answers its last requests before the Tracker writes the last
	// clicks.
	<-ctx.Done()
	return errors.Join(server.Shutdown(context.Background()), t.Close(context.Background()))
}
