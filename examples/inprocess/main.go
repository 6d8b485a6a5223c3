// Inprocess uses linktrack without HTTP: it makes a link, lets a visitor
// follow it, and reads the link's history.
package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Print(err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
	if err != nil {
		return err
	}
	defer t.Close(ctx)

	account, _, err := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	if err != nil {
		return err
	}
	link, err := t.MakeLink(ctx, account, linktrack.NewLink{
		LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"},
		VanityLink:   "spring_sale",
	})
	if err != nil {
		return err
	}
	fmt.Println("link:", t.TrackingURL(link))

	outcome, err := t.Follow(ctx, linktrack.Visit{
		Path:      link.Path,
		IP:        netip.MustParseAddr("203.0.113.7"),
		Referrer:  "https://news.example/today",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
	})
	if err != nil {
		return err
	}
	fmt.Println("leads to:", outcome.Location)

	clicks, err := t.History(ctx, account, link.Path, linktrack.HistoryQuery{})
	if err != nil {
		return err
	}
	for _, c := range clicks {
		fmt.Println("click:", c.IP, c.ReferrerHost, c.Browser, c.Platform, "new visitor:", c.Unique)
	}
	return nil
}
