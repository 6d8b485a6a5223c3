package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// filling is how much to load, and how.
type filling struct {
	links   int
	clicks  int64
	workers int
	relax   bool
}

const (
	login     = "size"
	pass      = "0123456789abcdef0123456789abcdef"
	batchSize = 10_000
)

// fill loads a database through the store, as if the service had run for
// weeks: the same statements, counts, roll-ups and day partitions. What
// differs is the order. The clicks come link by link instead of by time, which
// spares the server most of its reading and packs the rows more densely.
func fill(ctx context.Context, at place, f filling) (err error) {
	store, err := at.open(sqlitestore.Relaxed())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	if f.relax && at.file == "" {
		restore, err := relax(ctx, at.dsn)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, restore()) }()
	}
	account := linktrack.Account{Login: login, Type: linktrack.AccountTypeProfessional, CreatedAt: time.Now()}
	account.SetPass(pass)
	account, err = store.CreateAccount(ctx, account)
	if errors.Is(err, linktrack.ErrTaken) {
		return errors.New("the database has been filled before; give an empty one")
	}
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	s := newShape(f.links, f.clicks, now)
	ids, err := makeLinks(ctx, store, account.ID, s, f.workers)
	if err != nil {
		return err
	}
	if at.file == "" {
		if err := makeDays(ctx, store, ids[0], now); err != nil {
			return err
		}
	}
	applying, stop := context.WithCancel(ctx)
	applied := make(chan error, 1)
	go func() { applied <- apply(applying, store) }()
	err = click(ctx, store, s, ids, f.workers)
	stop()
	if err := errors.Join(err, <-applied); err != nil {
		return err
	}
	if _, err := store.ApplyClicks(ctx, time.UTC, now.Add(-day)); err != nil {
		return err
	}
	db, err := at.sql()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if at.file != "" {
		return fileSizes(ctx, db, f.clicks)
	}
	if err := analyze(ctx, db); err != nil {
		return err
	}
	return sizes(ctx, db, f.clicks)
}

// makeDays makes the partitions of the days to come, which are in the past.
// Pruning makes one where there is a click to prune.
func makeDays(ctx context.Context, store linktrack.Store, link int64, now time.Time) error {
	var b linktrack.Batch
	rand.Read(b.Source[:])
	for ago := day; ago <= recent+day; ago += day { // from the newest to the oldest
		b.Seq++
		b.Clicks = []linktrack.Click{{Link: link, ID: linktrack.FirstClickID(now.Add(-ago).Truncate(day).Add(-time.Second))}}
		if err := store.AppendClicks(ctx, b); err != nil {
			return err
		}
		if _, err := store.ApplyClicks(ctx, time.UTC, time.Time{}); err != nil {
			return err
		}
		if err := store.PruneClicks(ctx, now.Add(-ago)); err != nil {
			return err
		}
	}
	return nil
}

// makeLinks returns the ids of the links by their number.
func makeLinks(ctx context.Context, store linktrack.Store, account linktrack.AccountID, s *shape, workers int) ([]int64, error) {
	const atOnce = 100
	ids := make([]int64, s.links)
	b := startBar(os.Stderr, "links", int64(s.links))
	defer b.end()
	return ids, inParallel(ctx, workers, func(ctx context.Context, next chan<- int) error {
		for first := 0; first < s.links; first += atOnce {
			select {
			case next <- first:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}, func(ctx context.Context, next <-chan int) error {
		for first := range next {
			var links []linktrack.Link
			for i := first; i < min(first+atOnce, s.links); i++ {
				links = append(links, s.link(account, i))
			}
			made, err := store.CreateLinks(ctx, links)
			if err != nil {
				return err
			}
			for i, l := range made {
				ids[first+i] = l.ID
			}
			b.add(len(made))
		}
		return nil
	})
}

// apply does beside the load what the Tracker does beside redirects.
func apply(ctx context.Context, store linktrack.Store) error {
	for ctx.Err() == nil {
		if _, err := store.ApplyClicks(ctx, time.UTC, time.Time{}); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

// A few are clicks to come on one link.
type few struct {
	link   int // its number
	clicks int64
}

func click(ctx context.Context, store linktrack.Store, s *shape, ids []int64, workers int) error {
	b := startBar(os.Stderr, "clicks", s.clicks)
	defer b.end()
	return inParallel(ctx, workers, func(ctx context.Context, next chan<- []few) error {
		var batch []few
		room := int64(batchSize)
		send := func() error {
			select {
			case next <- batch:
				batch, room = nil, batchSize
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := s.each(func(i int, clicks int64) error {
			for clicks > 0 {
				n := min(clicks, room)
				batch = append(batch, few{i, n})
				clicks, room = clicks-n, room-n
				if room == 0 {
					if err := send(); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		return send()
	}, func(ctx context.Context, next <-chan []few) error {
		var batch linktrack.Batch
		rand.Read(batch.Source[:])
		for fews := range next {
			batch.Seq++
			batch.Clicks = batch.Clicks[:0]
			for _, f := range fews {
				random := mathrand.New(mathrand.NewPCG(uint64(f.link), uint64(batch.Seq)))
				for range f.clicks {
					batch.Clicks = append(batch.Clicks, s.click(f.link, ids[f.link], random))
				}
			}
			if err := store.AppendClicks(ctx, batch); err != nil {
				return err
			}
			b.add(len(batch.Clicks))
		}
		return nil
	})
}

// inParallel hands what give sends to the workers, until one of them fails.
func inParallel[T any](ctx context.Context, workers int, give func(context.Context, chan<- T) error, work func(context.Context, <-chan T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan T)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			if err := work(ctx, next); err != nil {
				cancel(err)
			}
		})
	}
	err := give(ctx, next)
	close(next)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// relax makes the server quicker to load, and returns what makes it as it was.
func relax(ctx context.Context, dsn string) (restore func() error, err error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return nil, err
	}
	var flush, pool int64
	err = db.QueryRowContext(ctx, `SELECT @@innodb_flush_log_at_trx_commit, @@innodb_buffer_pool_size`).Scan(&flush, &pool)
	set := func(ctx context.Context, flush, pool int64) error {
		_, err := db.ExecContext(ctx, fmt.Sprintf(`SET GLOBAL innodb_flush_log_at_trx_commit = %d`, flush))
		if err == nil {
			_, err = db.ExecContext(ctx, fmt.Sprintf(`SET GLOBAL innodb_buffer_pool_size = %d`, pool))
		}
		return err
	}
	if err == nil {
		err = set(ctx, 2, max(pool, 2<<30))
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("the server cannot be made quicker to load (-relax=false leaves it as it is): %w", err)
	}
	return func() error {
		return errors.Join(set(context.WithoutCancel(ctx), flush, pool), db.Close())
	}, nil
}

// analyze counts the rows anew for the server's planner, which it does by
// itself sooner or later.
func analyze(ctx context.Context, db *sql.DB) error {
	analyzed, err := db.QueryContext(ctx, `ANALYZE TABLE lt_link, lt_count, lt_rank, lt_hour, lt_day, lt_hit, lt_text`)
	if err != nil {
		return err
	}
	return analyzed.Close()
}

// sizes prints the bytes that each table takes for a click.
func sizes(ctx context.Context, db *sql.DB, clicks int64) error {
	rows, err := db.QueryContext(ctx, `
		SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('lt_hit', 'lt_text', 'lt_click', 'lt_day', 'lt_hour') ORDER BY TABLE_NAME`)
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Printf("\n### Size of the tables\n\n%d clicks. The history is lt_hit with its texts in lt_text.\n\n| table | rows, about | MB | bytes per click |\n| --- | --: | --: | --: |\n", clicks)
	for rows.Next() {
		var table string
		var n, bytes int64
		if err := rows.Scan(&table, &n, &bytes); err != nil {
			return err
		}
		fmt.Printf("| %s | %d | %d | %.0f |\n", table, n, bytes>>20, float64(bytes)/float64(clicks))
	}
	return rows.Err()
}
