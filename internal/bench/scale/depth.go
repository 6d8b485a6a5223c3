package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/load"
)

// depths measures what a further level of the index of paths costs. A hundred million links
// do not fit here. But with hosts of 241 bytes, a page of the index has an eighth of the keys,
// so that few links have the depth that many links with short hosts have.
func depths(ctx context.Context, b *bench) error {
	fmt.Printf("\n## The depth of the index of paths\n\n%d links; single calls, one after the other. The database has all of them in memory.\n\n", b.links)
	fmt.Print("| host | levels of the index | its bytes per link | bytes per link of all tables | look-up: p50 µs | p99 µs | of no link: p50 µs | 100 new links: p50 ms |\n| --- | --: | --: | --: | --: | --: | --: | --: |\n")
	long := strings.Repeat("long.", 46) + "example.com"
	for _, h := range []struct{ about, host string }{{"of 14 bytes", "go.example.com"}, {fmt.Sprintf("of %d bytes", len(long)), long}} {
		if err := b.depth(ctx, h.about, h.host); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) depth(ctx context.Context, about, host string) (err error) {
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	const atOnce = 100
	order := rand.Perm(b.links) // paths come in random order, as generated ones do
	var makes, finds, misses load.Histogram
	for from := 0; from < b.links; from += atOnce {
		var links []linktrack.Link
		for _, i := range order[from:min(from+atOnce, b.links)] {
			links = append(links, link(1, host, i))
		}
		start := time.Now()
		if _, err := s.CreateLinks(ctx, links); err != nil {
			return err
		}
		if from > b.links/2 {
			makes.Record(time.Since(start))
		}
	}
	levels, err := levelsOf(ctx, s.db, "lt_link", "lt_link_path")
	if err != nil {
		return err
	}
	index, all, err := bytesOf(ctx, s.db, "lt_link", "lt_link_path")
	if err != nil {
		return err
	}
	for start := time.Now(); time.Since(start) < b.round; {
		began := time.Now()
		if _, err := s.LinkByPath(ctx, host, fmt.Sprintf("l%07d", rand.IntN(b.links))); err != nil {
			return err
		}
		finds.Record(time.Since(began))
		began = time.Now()
		if _, err := s.LinkByPath(ctx, host, fmt.Sprintf("m%07d", rand.IntN(b.links))); !errors.Is(err, linktrack.ErrNotFound) {
			return fmt.Errorf("a path without a link: %w", err)
		}
		misses.Record(time.Since(began))
	}
	fmt.Printf("| %s | %d | %d | %d | %d | %d | %d | %.1f |\n", about, levels, index/int64(b.links), all/int64(b.links), finds.Quantile(0.5).Microseconds(), finds.Quantile(0.99).Microseconds(),
		misses.Quantile(0.5).Microseconds(), millis(makes.Quantile(0.5)))
	return nil
}

// levelsOf returns the number of levels of an index, from its root page. The server must run
// on this machine, and its files must be readable.
func levelsOf(ctx context.Context, db *sql.DB, table, index string) (levels int, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	var dir string
	var size, page int64
	err = conn.QueryRowContext(ctx, `
		SELECT @@datadir, @@innodb_page_size, i.page_no
		FROM information_schema.innodb_sys_indexes i JOIN information_schema.innodb_sys_tables t ON t.table_id = i.table_id
		WHERE t.name = ? AND i.name = ?`, name+"/"+table, index).Scan(&dir, &size, &page)
	if err != nil {
		return 0, err
	}
	if _, err := conn.ExecContext(ctx, `FLUSH TABLES `+table+` FOR EXPORT`); err != nil { // writes all pages
		return 0, err
	}
	defer conn.ExecContext(ctx, `UNLOCK TABLES`)
	f, err := os.Open(filepath.Join(dir, name, table+".ibd"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	// The level of a page, 0 for leaves, is 26 bytes behind the page's header of 38 bytes:
	// PAGE_LEVEL in storage/innobase/include/page0types.h of MariaDB.
	var level [2]byte
	if _, err := f.ReadAt(level[:], page*size+38+26); err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint16(level[:])) + 1, nil
}

// bytesOf returns the size of an index, and that of all tables with their indexes.
func bytesOf(ctx context.Context, db *sql.DB, table, index string) (one, all int64, err error) {
	if _, err := db.ExecContext(ctx, `ANALYZE TABLE `+table); err != nil {
		return 0, 0, err
	}
	err = db.QueryRowContext(ctx, `
		SELECT s.stat_value * @@innodb_page_size,
			(SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE())
		FROM mysql.innodb_index_stats s
		WHERE s.database_name = DATABASE() AND s.table_name = ? AND s.index_name = ? AND s.stat_name = 'size'`, table, index).Scan(&one, &all)
	return one, all, err
}
