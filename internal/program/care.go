package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
)

// A careConfig has the values of the flags of backup and check.
type careConfig struct {
	config // place
	file   string
	repair bool
}

// parseCareFlags reads the flags, and one argument if there is to be one. add adds the flags
// of one command; nil: it has none of its own.
func parseCareFlags(usage string, files int, add func(*flag.FlagSet, *careConfig), args []string, env environment, help io.Writer) (careConfig, error) {
	var c careConfig
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	finish := addKeptDatabaseFlags(flags, &c.config)
	if add != nil {
		add(flags, &c)
	}
	err := parseWithEnvironment(flags, args, env)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return c, errHelp
	}
	if err == nil && (flags.NArg() != files || files > 0 && flags.Arg(0) == "") {
		err = errors.New("must be called with its flags first, and then with one PATH")
		if files == 0 {
			err = fmt.Errorf("takes only flags, not %q", flags.Arg(0))
		}
	}
	if err == nil {
		err = finish()
	}
	if err != nil {
		return c, refused(fmt.Errorf("%w (-h shows the flags)", err))
	}
	c.file = flags.Arg(0)
	return c, nil
}

// runBackup writes a copy of the database to a new file.
func runBackup(ctx context.Context, args []string, env environment, stdout, _ io.Writer) error {
	const usage = "linktrack backup [FLAGS] PATH\n" +
		"Writes a copy of an SQLite database to a new file, also while the service runs. A copy is a database: to restore\n" +
		"it, stop the service, remove the files of the database with -wal and -shm at their ends, and put the copy there."
	c, err := parseCareFlags(usage, 1, nil, args, env, stdout)
	if err != nil {
		return err
	}
	if c.place.dsn != "" {
		return refused(errors.New("works on SQLite only: for MySQL, use mysqldump --single-transaction --quick --hex-blob NAME > FILE, " +
			"or mariadb-dump with the same flags; they copy all tables as of one moment while the service runs"))
	}
	db, err := c.open(ctx, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return err
	}
	defer db.close()
	err = db.store.(interface {
		Backup(ctx context.Context, path string) error
	}).Backup(ctx, c.file)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there is a file %s already: name a new one", c.file)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is a copy of %s\n", place{file: c.file}, db.name)
	return nil
}

// runCheck compares what the database has of each link, and prints what differs. With
// -repair, it first repairs that, and prints what it has changed.
func runCheck(ctx context.Context, args []string, env environment, stdout, _ io.Writer) error {
	const usage = "linktrack check [FLAGS]\n" +
		"Compares the counts of each link with its history and its sums by hour and day, and checks the file of an SQLite\n" +
		"database. Prints each difference, and ends with status 1 if there is one. The service may run meanwhile. With\n" +
		"-repair, it first recomputes the sums that differ, and prints what it has changed."
	c, err := parseCareFlags(usage, 0, func(flags *flag.FlagSet, c *careConfig) {
		flags.BoolVar(&c.repair, "repair", false, "recompute the sums of links that differ from their history, and then check; make a backup before")
	}, args, env, stdout)
	if err != nil {
		return err
	}
	db, err := c.open(ctx, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return err
	}
	defer db.close()
	store := db.store.(interface {
		Check(ctx context.Context) (findings []string, err error)
		Repair(ctx context.Context, repaired func(sentence string)) error
	})
	if c.repair {
		if err := store.Repair(ctx, func(sentence string) { fmt.Fprintln(stdout, sentence) }); err != nil {
			return err
		}
	}
	findings, err := store.Check(ctx)
	for _, finding := range findings {
		fmt.Fprintln(stdout, finding)
	}
	switch {
	case err != nil:
		return err
	case len(findings) > 0 && c.repair:
		return fmt.Errorf("%s still has differences that its history does not explain, listed above: %d", db.name, len(findings))
	case len(findings) > 0:
		return fmt.Errorf("%s has differences, listed above: %d", db.name, len(findings))
	}
	fmt.Fprintf(stdout, "%s: all counts agree\n", db.name)
	return nil
}
