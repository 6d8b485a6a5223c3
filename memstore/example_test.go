package memstore_test

import (
	"context"
	"fmt"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

func ExampleNew() {
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
	if err != nil {
		panic(err)
	}
	fmt.Println(t.Close(context.Background()))
	// Output: <nil>
}

// A trial with little memory keeps less history. Counts stay exact.
func ExampleNewWith() {
	store := memstore.NewWith(memstore.Options{MaxClicks: 2})
	t, err := linktrack.New(store, linktrack.Options{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	defer t.Close(ctx)
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	if _, err := t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "spring"}); err != nil {
		panic(err)
	}
	for range 3 {
		if _, err := t.Follow(ctx, linktrack.Visit{Path: "spring"}); err != nil {
			panic(err)
		}
	}
	link, err := t.Link(ctx, account, "spring")
	if err != nil {
		panic(err)
	}
	clicks, err := t.History(ctx, account, "spring", linktrack.HistoryQuery{})
	if err != nil {
		panic(err)
	}
	fmt.Println("counted:", link.Counts.People, "in the history:", len(clicks))
	// Output: counted: 3 in the history: 2
}
