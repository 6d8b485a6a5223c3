package program

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/transfer"
)

// A transferConfig has the values of the flags of import and export.
type transferConfig struct {
	config // place, login, baseURL, hosts, zone, and the options for the rules of links

	format      string
	dryRun      bool
	skipClashes bool
	badRows     string
	host        string
	hashes      bool
	bom         bool
	file        string
}

// runTransfer returns what the command import or export does.
func runTransfer(verb string) func(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) error {
	return func(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) error {
		c, err := parseTransferFlags(verb, args, env, stdout)
		if err != nil {
			return err
		}
		work := exportLinks
		if verb == "import" {
			work = importLinks
		}
		return withAccount(ctx, c, stderr, func(t *linktrack.Tracker, a linktrack.Account) error {
			return work(ctx, t, a, c, stdout, stderr)
		})
	}
}

// addTransferFlags adds the flags of import or export. Call finish after the flags are
// parsed.
func addTransferFlags(flags *flag.FlagSet, verb string, c *transferConfig) (finish func(env environment) error) {
	finishDatabase := addKeptDatabaseFlags(flags, &c.config)
	flags.StringVar(&c.login, "login", "linktrack", "`login` of the account that owns the links")
	flags.StringVar(&c.baseURL, "base-url", "", "`URL` that links begin with, as set on the server (default http://localhost:8080)")
	flags.Func("hosts", "further `hosts` whose links are served, names or URLs separated by commas, as set on the server", list(&c.hosts))
	zone := addZoneFlag(flags)
	addRuleFlags(flags, &c.config)
	addLogFlag(flags, &c.config)
	if verb == "import" {
		flags.BoolVar(&c.dryRun, "dry-run", false, "check the file and change nothing")
		flags.BoolVar(&c.skipClashes, "skip-clashes", false, "leave out links whose path is in use; without this flag, a single one prevents the whole import")
		flags.StringVar(&c.badRows, "bad-rows", "", "leave out rows that cannot be imported, including links whose path is in use, and write them to this `file` with the reasons; you can correct the file and import it")
		flags.StringVar(&c.format, "format", "", "`format` of the file: "+formats()+" (default: detected)")
		flags.StringVar(&c.host, "host", "", "`host` to put all links on (default: as given in the file)")
	} else {
		flags.BoolVar(&c.bom, "bom", false, "begin the file with a byte order mark, which Excel needs to read more than ASCII")
		flags.BoolVar(&c.hashes, "password-hashes", false, "export the hashes of passwords; links with a password cannot be imported again without them")
	}
	return func(env environment) (err error) {
		if err := finishDatabase(); err != nil {
			return err
		}
		c.zone, c.zoneFrom, err = zone.location(env)
		return err
	}
}

func parseTransferFlags(verb string, args []string, env environment, help io.Writer) (transferConfig, error) {
	var c transferConfig
	flags := flag.NewFlagSet("linktrack "+verb, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	finish := addTransferFlags(flags, verb, &c)
	files := 0
	if verb == "import" {
		files = 1
	}
	err := parseWithEnvironment(flags, args, env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		usage := "linktrack export [FLAGS] > links.csv"
		if verb == "import" {
			usage = "linktrack import [FLAGS] FILE (- is the standard input)"
		}
		fmt.Fprintln(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return c, errHelp
	case err != nil:
		return c, refused(fmt.Errorf("%w (-h shows the flags)", err))
	case flags.NArg() != files && verb == "import":
		return c, refused(errors.New("takes one FILE after all flags (-h shows them)"))
	case flags.NArg() != files:
		return c, refused(fmt.Errorf("takes only flags, not %q (-h shows them)", flags.Arg(0)))
	}
	c.file = flags.Arg(0)
	if err := finish(env); err != nil {
		return c, refused(fmt.Errorf("%w (-h shows the flags)", err))
	}
	return c, nil
}

// withAccount opens the store and calls do with the account.
func withAccount(ctx context.Context, c transferConfig, stderr io.Writer, do func(*linktrack.Tracker, linktrack.Account) error) error {
	return withTracker(ctx, c.config, true, c.logger(stderr), func(t *linktrack.Tracker) error {
		a, err := t.AccountByLogin(ctx, c.login)
		if errors.Is(err, linktrack.ErrNotFound) {
			return fmt.Errorf("there is no account %s", c.login)
		} else if err != nil {
			return fmt.Errorf("can't look up the account %s: %w", c.login, err)
		}
		return do(t, a)
	})
}

func exportLinks(ctx context.Context, t *linktrack.Tracker, a linktrack.Account, c transferConfig, stdout, stderr io.Writer) error {
	p := progressOn(stderr)
	n, err := transfer.Export(ctx, t, a, stdout, transfer.ExportOptions{
		PasswordHashes: c.hashes,
		BOM:            c.bom,
		Progress:       func(n int64) { p.show("%d links exported", n) },
	})
	p.clear()
	if err != nil {
		return fmt.Errorf("stopped after %d links: %w", n, err)
	}
	fmt.Fprintf(stderr, "%d links exported\n", n)
	return nil
}

func importLinks(ctx context.Context, t *linktrack.Tracker, a linktrack.Account, c transferConfig, stdout, stderr io.Writer) error {
	file, err := openImport(c.file)
	if err != nil {
		return err
	}
	defer file.Close()
	p := progressOn(stderr)
	out := bufio.NewWriter(stdout)
	defer out.Flush()
	o := transfer.ImportOptions{Format: transfer.Format(c.format), DryRun: c.dryRun, SkipClashes: c.skipClashes, Host: c.host}
	if c.badRows != "" {
		bad, err := openBadRows(c.badRows, file)
		if err != nil {
			return err
		}
		defer bad.close()
		o.Rejected, o.SkipProblems, o.SkipClashes = bad, true, true
	}
	differ := 0 // links that are left out because their paths differ only in case
	o.Problem = func(problem transfer.Problem) {
		fmt.Fprintln(out, problem)
		if problem.Case {
			differ++
		}
	}
	o.Progress = func(now transfer.Progress) {
		if now.Done > 0 {
			p.show("%d of %d links imported", now.Done, now.Checked)
		} else {
			p.show("%d links checked", now.Checked)
		}
	}
	r, err := transfer.Import(ctx, t, a, file, o)
	p.clear()
	for _, note := range r.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	if inv := new(linktrack.InvalidError); errors.As(err, &inv) && inv.Param == "format" {
		return refused(fmt.Errorf("-format %s", inv.Reason))
	}
	fmt.Fprintf(out, "%d links in the file, %d made, %d already present, %d clashes, %d other problems\n", r.Links, r.Made, r.Present, r.Clashes, r.Problems)
	switch {
	case errors.Is(err, linktrack.ErrUnavailable):
		return fmt.Errorf("stopped after line %d: %w; the links of the lines that it names may or may not have been made. Import the file again: existing links are left as they are", r.Line, err)
	case err != nil && r.Made > 0:
		return fmt.Errorf("stopped after line %d, and the links that were made stay: %w. Import the file again: existing links are left as they are", r.Line, err)
	}
	if err == nil && differ > 0 {
		return fmt.Errorf("%d links are left out because their paths differ only in case, which this service does not distinguish; visitors of these paths get 404. Rename the paths and import the links again", differ)
	}
	return err
}

// formats returns the list of formats for a sentence.
func formats() string {
	names := make([]string, len(transfer.Formats))
	for i, f := range transfer.Formats {
		names[i] = string(f)
	}
	return listed(names, "or")
}

// openImport opens the file. A file that cannot be read twice, such as a pipe, is
// copied to a temporary file without a name.
func openImport(name string) (*os.File, error) {
	in := os.Stdin
	if name != "-" {
		var err error
		if in, err = os.Open(name); err != nil {
			return nil, err
		}
	}
	if info, err := in.Stat(); err == nil && info.Mode().IsRegular() {
		return in, nil
	}
	defer in.Close()
	copied, err := os.CreateTemp("", "linktrack-import-")
	if err != nil {
		return nil, err
	}
	os.Remove(copied.Name()) // it then vanishes when it is closed; on systems that cannot do this, it stays
	if _, err := io.Copy(copied, in); err != nil {
		copied.Close()
		return nil, err
	}
	return copied, nil
}

// A progress writes one line of a terminal again and again. If the output is not
// a terminal, it writes nothing.
type progress struct{ w io.Writer }

func progressOn(w io.Writer) progress {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return progress{w}
		}
	}
	return progress{io.Discard}
}

func (p progress) show(format string, args ...any) { fmt.Fprintf(p.w, "\r\x1b[K"+format, args...) }

func (p progress) clear() { fmt.Fprint(p.w, "\r\x1b[K") }
