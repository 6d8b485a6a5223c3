// Bridge passes the clicks that linktrack has stored on to a channel. Put your
// message broker in the channel's place.
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
	batches := make(chan linktrack.Batch)
	consumed := make(chan struct{})
	go func() {
		defer close(consumed)
		consume(batches)
	}()

	t, err := linktrack.New(memstore.New(), linktrack.Options{
		BaseURL: "https://go.example.com",
		// OnClick is called again with the same batch until it returns nil.
		// Visitors do not wait for it.
		Recording: linktrack.RecordingOptions{OnClick: func(ctx context.Context, b linktrack.Batch) error {
			select {
			case batches <- b:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}},
	})
	if err != nil {
		return err
	}
	link, err := t.MakeLink(ctx, linktrack.Account{ID: 1, Type: linktrack.AccountTypeFree}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"}})
	if err != nil {
		return err
	}
	for _, ip := range []string{"192.0.2.7", "198.51.100.7", "203.0.113.7"} {
		_, err := t.Follow(ctx, linktrack.Visit{Path: link.Path, IP: netip.MustParseAddr(ip), Referrer: "https://news.example/today"})
		if err != nil {
			return err
		}
	}
	err = t.Close(ctx) // this sends the last clicks to the channel
	close(batches)
	<-consumed
	return err
}

// consume ignores batches that it has seen before: after a crash, a journal may
// repeat some.
func consume(batches <-chan linktrack.Batch) {
	last := make(map[linktrack.Source]int64)
	for b := range batches {
		if b.Seq <= last[b.Source] {
			continue
		}
		last[b.Source] = b.Seq
		for _, c := range b.Clicks {
			fmt.Println("click:", c.IP, c.ReferrerHost)
		}
	}
}
