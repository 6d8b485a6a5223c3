package mysqlstore_test

import (
	"context"
	"fmt"
	"log"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// The store opens its own connections. Migrate makes the tables at the first
// start, and brings them up to date after an upgrade.
func ExampleOpen() {
	ctx := context.Background()
	store, err := mysqlstore.Open("links:secret@tcp(127.0.0.1:3306)/links", mysqlstore.MaxConnections(16))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	t, err := linktrack.New(store, linktrack.Options{BaseURL: "https://go.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close(ctx)
	fmt.Println(t.Stats().Failing)
}

// A program that has connections to the database already gives them to the
// store, and closes them itself.
func ExampleNew() {
	db, err := sqlx.Open("mysql", "app:secret@tcp(127.0.0.1:3306)/app?interpolateParams=true")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(16)
	db.SetConnMaxLifetime(5 * time.Minute)
	store := mysqlstore.New(db)
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
}
