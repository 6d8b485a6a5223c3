package journal_test

import (
	"context"
	"fmt"
	"os"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/memstore"
)

// Clicks are safe in a folder of this machine before the visitor is redirected,
// and reach the store in the background. The Tracker is closed first, then the
// journal.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "clicks") // in production: a folder that stays
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		panic(err)
	}
	t, err := linktrack.New(memstore.New(), linktrack.Options{
		Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: j},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	link, err := t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
	if err != nil {
		panic(err)
	}
	if _, err := t.Follow(ctx, linktrack.Visit{Path: link.Path}); err != nil {
		panic(err)
	}
	fmt.Println(t.Close(ctx)) // brings the click to the store
	fmt.Println(j.Size().Clicks, "clicks wait")
	fmt.Println(j.Close())
	// Output:
	// <nil>
	// 0 clicks wait
	// <nil>
}
