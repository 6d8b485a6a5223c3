package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/storecopy"
)

// A copyConfig has the values of the flags of copy.
type copyConfig struct {
	config   // the flags of MySQL
	from, to place
}

// addCopyFlags adds the flags of copy. Call finish after they are parsed.
func addCopyFlags(flags *flag.FlagSet, c *copyConfig) (finish func() error) {
	from := flags.String("from", "", "the database that is copied: the `path` of a file, or mysql://user:pass@host:3306/name, or a DSN such as user:pass@tcp(host:3306)/name")
	to := flags.String("to", "", "the database that becomes equal to it, in the same form: an empty one, or the target of an earlier copy; a `path` without a file makes the file")
	addMySQLFlags(flags, &c.config)
	return func() (err error) {
		for _, one := range []struct {
			flag, value string
			place       *place
		}{{"-from", *from, &c.from}, {"-to", *to, &c.to}} {
			if *one.place, err = placeOf(one.value); err != nil {
				return fmt.Errorf("%s %w", one.flag, err)
			}
			if one.place.inMemory {
				return fmt.Errorf("%s must not be memory: what is in memory exists only in the process that made it", one.flag)
			}
		}
		return nil
	}
}

func parseCopyFlags(args []string, env environment, help io.Writer) (copyConfig, error) {
	var c copyConfig
	flags := flag.NewFlagSet("linktrack copy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	finish := addCopyFlags(flags, &c)
	err := parseWithEnvironment(flags, args, env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(help, `linktrack copy -from DATABASE -to DATABASE

Makes a database equal to another one, also of another engine. The source may be in use; run
the command again after its processes have ended, to copy what came since. After an
interruption, run it again, too. It refuses a target that has data of its own.

  linktrack copy -from linktrack.db -to mysql://user:pass@db.example.com:3306/links

A pass is hidden from other users of the machine in the variables LINKTRACK_FROM and
LINKTRACK_TO. Flags:
`)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return c, errHelp
	case err != nil:
		return c, refused(fmt.Errorf("%w (-h shows the flags)", err))
	case flags.NArg() > 0:
		return c, refused(fmt.Errorf("takes only flags, not %q (-h shows them)", flags.Arg(0)))
	}
	if err := finish(); err != nil {
		return c, refused(err)
	}
	return c, nil
}

// A copySide is a database of a copy. It is not migrated before it is known not to be
// refused.
type copySide interface {
	storecopy.Store
	Close() error
}

func openSide(p place, mysql []mysqlstore.Option, existing bool) (copySide, error) {
	if p.dsn != "" {
		return mysqlstore.Open(p.dsn, mysql...)
	}
	store, err := openFile(p.file, openOptions{existing: existing})
	if err != nil {
		return nil, err
	}
	return store.(copySide), nil
}

// progressPause is the time between two lines that say how far a copy is.
const progressPause = 5 * time.Second

func runCopy(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) error {
	c, err := parseCopyFlags(args, env, stdout)
	if err != nil {
		return err
	}
	from, err := openSide(c.from, []mysqlstore.Option{mysqlstore.MaxConnections(c.mysqlConnections)}, true)
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	defer from.Close()
	to, err := openSide(c.to, c.mysqlOptions(), false)
	if err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	defer to.Close()
	begun := time.Now()
	next := begun.Add(progressPause)
	report, err := storecopy.Copy(ctx, from, to, storecopy.Options{Progress: func(t storecopy.Table) {
		if time.Now().After(next) {
			next = time.Now().Add(progressPause)
			fmt.Fprintf(stderr, "%s: %d written, %d deleted\n", t.What, t.Written, t.Removed)
		}
	}})
	if len(report) > 0 {
		if err := report.Write(stdout); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Both are equal: %s and %s, in %s.\n", c.from, c.to, time.Since(begun).Round(100*time.Millisecond))
	return nil
}
