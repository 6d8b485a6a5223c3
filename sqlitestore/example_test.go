package sqlitestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// The store keeps all in one file. Migrate makes the tables at the first start, and brings
// them up to date after an upgrade.
func ExampleOpen() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "links")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	store, err := sqlitestore.Open(filepath.Join(folder, "linktrack.db"))
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
	// Output: false
}

// A program that keeps its own tables in an SQLite file gives its pool to the store, and
// closes it itself.
func ExampleNew() {
	db, err := sql.Open("sqlite", sqlitestore.DSN("app.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(8)
	store := sqlitestore.New(db)
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// A backup is taken while visitors come. The file is a database that can be opened.
func ExampleStore_Backup() {
	ctx := context.Background()
	store, err := sqlitestore.Open("linktrack.db")
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Backup(ctx, "/backup/linktrack-2026-11-27.db"); err != nil {
		log.Fatal(err)
	}
	findings, err := store.Check(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
}
