package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

func main() {
	ctx := context.Background()
	store, err := sqlitestore.Open("links.db")
	try(err)
	try(store.Migrate(ctx))
	t, err := linktrack.New(store, linktrack.Options{BaseURL: "http://localhost:8080"})
	try(err)
	// At the second start, the error is that the login is taken: the account is in the file.
	_, pass, err := t.CreateAccount(ctx, linktrack.NewAccount{Login: "me", Type: linktrack.AccountTypeProfessional})
	fmt.Println("login: me\npass:", pass, err)
	try(http.ListenAndServe("localhost:8080", t.Handler()))
}

func try(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
