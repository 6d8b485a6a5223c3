package program

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// openStore opens the store that the flags name, and migrates its schema. The
// function that it returns closes the store.
func openStore(ctx context.Context, c config, logger *slog.Logger) (linktrack.Store, func(), error) {
	if c.mysql == "" {
		return memstore.New(), func() {}, nil
	}
	// The DSN contains a password, and the driver's errors quote it, so neither
	// is shown.
	if dsn, err := mysql.ParseDSN(c.mysql); err != nil || dsn.DBName == "" {
		return nil, nil, refused(errors.New("-mysql must be a DSN with a database, such as user:pass@tcp(host:3306)/name"))
	}
	store, err := mysqlstore.Open(c.mysql, mysqlstore.MaxConnections(c.mysqlConnections))
	if err != nil {
		return nil, nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		store.Close()
		return nil, nil, err
	}
	daily, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		migrateDaily(daily, store, logger)
	}()
	return store, func() {
		stop()
		<-ended
		store.Close()
	}, nil
}

// migrateDaily calls Migrate every day, because Migrate also makes the day
// partitions of the next month.
func migrateDaily(ctx context.Context, store *mysqlstore.Store, logger *slog.Logger) {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-day.C:
			if err := store.Migrate(ctx); err != nil && ctx.Err() == nil {
				logger.Warn("the database could not be prepared for the next month; the next attempt is tomorrow", "error", err)
			}
		}
	}
}
