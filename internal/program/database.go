package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/mysqldsn"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// defaultFile is the database of a program that is told of none.
const defaultFile = "linktrack.db"

// A place says where a database is. Exactly one of its fields is set.
type place struct {
	file     string // path of an SQLite database
	dsn      string // of a MySQL database
	inMemory bool   // until the process ends
}

var errWhere = errors.New("must be the path of a file, memory, mysql://user:pass@host:3306/name, or a DSN such as " +
	"user:pass@tcp(host:3306)/name; a path with one of :@()? in it must begin with / or ./, and such characters " +
	"in the pass of a URL must be percent-encoded")

// placeOf reads where a database is. The error is the end of a sentence that begins with
// the name of a flag. It quotes nothing, because the text may contain a password.
func placeOf(where string) (place, error) {
	explicit := filepath.IsAbs(where) || strings.HasPrefix(where, "./") || strings.HasPrefix(where, "../")
	explicit = explicit && !strings.Contains(where, "@tcp(") && !strings.Contains(where, "@unix(") // else a pass begins so
	switch {
	case where == "":
		return place{}, errors.New("must not be empty")
	case where == "memory":
		return place{inMemory: true}, nil
	case explicit || !strings.ContainsAny(where, ":@()?"):
		return place{file: where}, nil
	}
	dsn, err := dsnOf(where)
	if err != nil {
		return place{}, errWhere
	}
	return place{dsn: dsn}, nil
}

// dsnOf returns the DSN of a MySQL database, which is given as a DSN or as a URL. Both may
// name several servers.
func dsnOf(where string) (string, error) {
	var c *mysql.Config
	var err error
	if strings.Contains(where, "://") {
		c, err = fromURL(where)
	} else {
		c, _, err = mysqldsn.Parse(where)
	}
	// A name with such characters is part of a pass that has a slash.
	if err != nil || c.DBName == "" || strings.ContainsAny(c.DBName, "/@()") || c.Net != "tcp" && c.Net != "unix" {
		return "", errWhere
	}
	return c.FormatDSN(), nil
}

func fromURL(where string) (*mysql.Config, error) {
	// URLs cannot have several hosts, so each host is read in a URL of its own.
	end := strings.Index(where, "://") + len("://")
	if n := strings.IndexAny(where[end:], "/?#"); n >= 0 {
		end += n
	} else {
		end = len(where)
	}
	begin := strings.LastIndexAny(where[:end], "/@") + 1
	var u *url.URL
	var hosts []string
	for host := range strings.SplitSeq(where[begin:end], ",") {
		var err error
		u, err = url.Parse(where[:begin] + host + where[end:])
		if err != nil || u.Scheme != "mysql" || u.User == nil || u.Hostname() == "" || strings.Contains(u.User.Username(), ":") {
			return nil, errWhere
		}
		hosts = append(hosts, u.Host)
	}
	c, _, err := mysqldsn.Parse("tcp(" + strings.Join(hosts, ",") + ")" + u.EscapedPath() + "?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	return c, nil
}

// addDatabaseFlags adds the flags that say where the database is. Call finish after the
// flags are parsed.
func addDatabaseFlags(flags *flag.FlagSet, c *config) (finish func() error) {
	db := flags.String("db", defaultFile, "the database: the `path` of a file, or mysql://user:pass@host:3306/name, or a DSN such as user:pass@tcp(host:3306)/name, or memory, which lasts until the process ends")
	dsn := flags.String("mysql", "", "the same as -db, for MySQL only: a `DSN` or a URL")
	addMySQLFlags(flags, c)
	return func() (err error) {
		given := false
		flags.Visit(func(f *flag.Flag) { given = given || f.Name == "db" })
		switch {
		case *dsn == "":
			if c.place, err = placeOf(*db); err != nil {
				return fmt.Errorf("-db %w", err)
			}
			return nil
		case given:
			return errors.New("-db and -mysql must not both be set")
		}
		if c.place.dsn, err = dsnOf(*dsn); err != nil {
			return errors.New("-mysql must be a DSN with a database, such as user:pass@tcp(host:3306)/name, or mysql://user:pass@host:3306/name")
		}
		return nil
	}
}

// addKeptDatabaseFlags is addDatabaseFlags for a command that needs what other processes
// keep, so it refuses memory.
func addKeptDatabaseFlags(flags *flag.FlagSet, c *config) (finish func() error) {
	finishDatabase := addDatabaseFlags(flags, c)
	return func() error {
		err := finishDatabase()
		if err == nil && c.place.inMemory {
			err = errMemory
		}
		return err
	}
}

// errMemory is the error of a command that needs what other processes keep.
var errMemory = errors.New("-db must not be memory: what is in memory exists only in the process that made it")

// A sqlStore is a store in an SQL database.
type sqlStore interface {
	linktrack.Store
	Migrate(context.Context) error
	Close() error
}

// A database is a store that is open. Backup and Check are methods of some stores.
type database struct {
	store linktrack.Store
	name  string // for people, without a pass
	close func()
}

type openOptions struct {
	mysql    []mysqlstore.Option
	existing bool // do not make a file that does not exist
	relaxed  bool // clicks need not be on the disk when they are stored
	logger   *slog.Logger
}

// open opens the database of the flags.
func (c config) open(ctx context.Context, logger *slog.Logger, existing bool) (*database, error) {
	return openDatabase(ctx, c.place, openOptions{mysql: c.mysqlOptions(), existing: existing, relaxed: c.ack == linktrack.AckBuffered, logger: logger})
}

// openDatabase opens a database, and migrates its schema. The caller must call close.
func openDatabase(ctx context.Context, p place, o openOptions) (*database, error) {
	var store sqlStore
	var err error
	switch {
	case p.inMemory:
		return &database{memstore.New(), "memory until this process ends", func() {}}, nil
	case p.dsn != "":
		store, err = mysqlstore.Open(p.dsn, o.mysql...)
	default:
		store, err = openFile(p.file, o)
	}
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		store.Close()
		return nil, err
	}
	daily, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		migrateDaily(daily, store, o.logger)
	}()
	return &database{store, p.String(), func() {
		stop()
		<-ended
		store.Close()
	}}, nil
}

// openFile opens an SQLite database. It looks first for mistakes that SQLite does not tell
// apart.
func openFile(path string, o openOptions) (sqlStore, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	folder, err := os.Stat(filepath.Dir(full))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the folder %s for the database does not exist: make it, or name another one with -db", filepath.Dir(full))
	case err != nil:
		return nil, err
	case !folder.IsDir():
		return nil, fmt.Errorf("%s is no folder, so it cannot have a database: name another one with -db", filepath.Dir(full))
	}
	file, err := os.Stat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.existing:
		return nil, fmt.Errorf("there is no database %s: name it with -db", full)
	case err == nil && file.IsDir():
		return nil, fmt.Errorf("%s is a folder: name a file in it with -db", full)
	}
	var options []sqlitestore.Option
	if o.relaxed {
		options = append(options, sqlitestore.Relaxed())
	}
	return sqlitestore.Open(full, options...)
}

// String returns a text for people, without the pass.
func (p place) String() string {
	switch {
	case p.inMemory:
		return "memory"
	case p.dsn == "":
		if full, err := filepath.Abs(p.file); err == nil {
			return full
		}
		return p.file
	}
	c, servers, err := mysqldsn.Parse(p.dsn)
	if err != nil {
		return "MySQL"
	}
	return fmt.Sprintf("MySQL at %s, database %s", strings.Join(servers, " or "), c.DBName)
}

// migrateDaily calls Migrate every day, because on MySQL it also makes the day partitions
// of the next month.
func migrateDaily(ctx context.Context, store sqlStore, logger *slog.Logger) {
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
