package program

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/nearest"
)

// An accountAction is what "linktrack account" does if the next argument is the name.
type accountAction struct {
	name, args, summary string
	work                func(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error
}

func accountActions() []accountAction {
	return []accountAction{
		{"add", "LOGIN", "make an account, and print its pass", addAccount},
		{"list", "", "list the accounts", listAccounts},
		{"pass", "ACCOUNT", "give an account another pass, and print it", passAccount},
		{"email", "ACCOUNT ADDRESS", "set the address for alerts; '' removes it", emailAccount},
		{"type", "ACCOUNT TYPE", "set the type: free, professional, or one of -account-types", typeAccount},
		{"disable", "ACCOUNT", "switch an account off: it cannot sign in or call the API; its links go on", switchAccount(true)},
		{"enable", "ACCOUNT", "switch an account on again", switchAccount(false)},
	}
}

// An accountConfig has the values of the flags and the arguments of an action.
type accountConfig struct {
	config    // place, zone, and the types
	action    string
	args      []string
	passStdin bool
}

// ofAction are flags that are only for one account. They are not read from the environment,
// which may have those of the service's first account.
var ofAction = []string{"type", "email", flagPassStdin}

const flagPassStdin = "pass-stdin"

func addAccountFlags(flags *flag.FlagSet, action string, c *accountConfig) (finish func(env environment) error) {
	finishDatabase := addKeptDatabaseFlags(flags, &c.config)
	zone := addZoneFlag(flags)
	flags.Func("account-types", "the -account-types of the service", accountTypes(&c.options.Accounts.Types))
	if action == "add" {
		flags.StringVar(&c.accountType, "type", linktrack.AccountTypeProfessional, "`type` of the account: free, professional, or one of -account-types")
		flags.StringVar(&c.email, "email", "", "mail `address` for alerts (default: none)")
	}
	if action == "add" || action == "pass" {
		flags.BoolVar(&c.passStdin, flagPassStdin, false, "read the pass from the standard input, and do not print it (default: a pass is generated and printed)")
	}
	return func(env environment) (err error) {
		if err := finishDatabase(); err != nil {
			return err
		}
		c.zone, c.zoneFrom, err = zone.location(env)
		return err
	}
}

// runAccount runs one of the actions on accounts.
func runAccount(ctx context.Context, args []string, env environment, stdout, _ io.Writer) error {
	all := accountActions()
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = a.name
	}
	if len(args) == 0 || isHelp(args[0]) {
		helpAccount(stdout)
		if len(args) == 0 {
			return refused(fmt.Errorf("needs one of these words: %s", listed(names, "and")))
		}
		return nil
	}
	i := slices.IndexFunc(all, func(a accountAction) bool { return a.name == args[0] })
	if i < 0 {
		return refused(fmt.Errorf("there is no %q%s (there are %s)", args[0], nearest.Suggestion(args[0], names), listed(names, "and")))
	}
	a := all[i]
	c, err := parseAccountFlags(a, args[1:], env, stdout)
	if err == nil {
		// What the Tracker logs is about links and clicks.
		nowhere := slog.New(slog.DiscardHandler)
		err = withTracker(ctx, c.config, a.name != "add", nowhere, func(t *linktrack.Tracker) error { return a.work(ctx, t, c, stdout) })
	}
	if err != nil && !errors.Is(err, errHelp) {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return err
}

func helpAccount(w io.Writer) {
	fmt.Fprint(w, "linktrack account add|list|pass|email|type|disable|enable [FLAGS] …\n\n")
	for _, a := range accountActions() {
		fmt.Fprintf(w, "  %-23s %s\n", strings.TrimSpace(a.name+" "+a.args), a.summary)
	}
	fmt.Fprint(w, `
ACCOUNT is a login or the number of an account. id=12 is always the number, and
login=12 is always the login. The logins of further keys name no account.
A change holds at once in all processes on the database.

Examples:
  linktrack account add -type free ada
  linktrack account pass -db mysql://user:pass@127.0.0.1:3306/links ada

"linktrack account add -h" shows the flags of an action.
`)
}

// parseAccountFlags reads the flags and the arguments, in any order.
func parseAccountFlags(a accountAction, args []string, env environment, help io.Writer) (accountConfig, error) {
	c := accountConfig{action: a.name}
	flags := flag.NewFlagSet("linktrack account "+a.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	finish := addAccountFlags(flags, a.name, &c)
	// Flags may stand behind arguments, too. The environment is read last.
	err := parseFurther(flags, args)
	for err == nil && flags.NArg() > 0 {
		c.args = append(c.args, flags.Arg(0))
		err = parseFurther(flags, flags.Args()[1:])
	}
	if err == nil {
		err = parseWithEnvironment(flags, nil, env, ofAction...)
	}
	usage := strings.TrimSpace("linktrack account " + a.name + " [FLAGS] " + a.args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return c, errHelp
	}
	if err == nil && len(c.args) != len(strings.Fields(a.args)) {
		err = fmt.Errorf("must be called as %s", usage)
	}
	if err == nil {
		err = finish(env)
	}
	if err != nil {
		return c, refused(fmt.Errorf("%w (-h shows the flags)", err))
	}
	return c, nil
}

// withTracker opens the database of the flags and calls do with a Tracker on it.
func withTracker(ctx context.Context, c config, existing bool, logger *slog.Logger, do func(*linktrack.Tracker) error) error {
	db, err := c.open(ctx, logger, existing)
	if err != nil {
		return err
	}
	defer db.close()
	o := c.trackerOptions(logger)
	o.Privacy.HistoryDays = -1 // only the server removes old clicks
	t, err := linktrack.New(db.store, o)
	if err != nil {
		return refusedOption(err)
	}
	defer t.Close(context.WithoutCancel(ctx))
	return do(t)
}

// accountNamed returns the account that an argument names.
func accountNamed(ctx context.Context, t *linktrack.Tracker, name string) (linktrack.Account, error) {
	byLogin, byID := true, true
	if login, ok := strings.CutPrefix(name, "login="); ok {
		name, byID = login, false
	} else if id, ok := strings.CutPrefix(name, "id="); ok {
		name, byLogin = id, false
	}
	var found []linktrack.Account
	add := func(a linktrack.Account, err error) error {
		if err == nil && !slices.ContainsFunc(found, func(other linktrack.Account) bool { return other.ID == a.ID }) {
			found = append(found, a)
		}
		if errors.Is(err, linktrack.ErrNotFound) {
			return nil
		}
		return err
	}
	var err error
	if byLogin {
		err = add(t.AccountByLogin(ctx, name))
	}
	id, notNumber := strconv.ParseInt(name, 10, 64)
	switch {
	case byID && notNumber == nil:
		err = errors.Join(err, add(t.Account(ctx, linktrack.AccountID(id))))
	case !byLogin:
		return linktrack.Account{}, refused(fmt.Errorf("id= must be followed by the number of an account, not %q", name))
	}
	switch {
	case err != nil:
		return linktrack.Account{}, fmt.Errorf("can't look up the account %s: %w", name, err)
	case len(found) == 0:
		return linktrack.Account{}, fmt.Errorf("there is no account %s", name)
	case len(found) > 1:
		return linktrack.Account{}, refused(fmt.Errorf("%[1]s is the login of account %[2]d, but there is also an account with the number %[1]s: say login=%[1]s or id=%[1]s", name, found[0].ID))
	}
	return found[0], nil
}

func addAccount(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
	if c.args[0] == "" {
		return refused(errors.New("the login must not be empty"))
	}
	pass, err := c.pass()
	if err != nil {
		return err
	}
	a, pass, err := t.CreateAccount(ctx, linktrack.NewAccount{Login: c.args[0], Pass: pass, Type: c.accountType, Email: c.email})
	if errors.Is(err, linktrack.ErrTaken) {
		return fmt.Errorf("the login %s is already taken, by an account or a key", c.args[0])
	}
	if err != nil {
		return ofArgument(err)
	}
	fmt.Fprintf(stdout, "account %s: new, number %d, type %s, in %s\n", a.Login, a.ID, a.Type, c.place)
	c.showPass(stdout, pass)
	return nil
}

func listAccounts(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tLOGIN\tTYPE\tSTATE\tEMAIL\tMADE")
	var last linktrack.AccountID
	for {
		some, err := t.Accounts(ctx, last, 500)
		if err != nil {
			return err
		}
		for _, a := range some {
			state := "on"
			if a.Disabled {
				state = "off"
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Login, a.Type, state, cmp.Or(a.Email, "-"), a.CreatedAt.In(t.TimeZone()).Format("2006-01-02 15:04:05"))
			last = a.ID
		}
		if len(some) == 0 {
			return w.Flush()
		}
	}
}

func passAccount(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
	pass, err := c.pass()
	if err != nil {
		return err
	}
	if !c.passStdin {
		b := make([]byte, 16)
		rand.Read(b)
		pass = hex.EncodeToString(b)
	}
	a, err := updateAccount(ctx, t, c.args[0], func(e *linktrack.AccountEdit) { e.Pass = pass })
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "account %s: it has another pass, and its sessions have ended%s\n", a.Login, stillOff(a))
	c.showPass(stdout, pass)
	return nil
}

func emailAccount(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
	a, err := updateAccount(ctx, t, c.args[0], func(e *linktrack.AccountEdit) { e.Email = c.args[1] })
	if err == nil {
		fmt.Fprintf(stdout, "account %s: mail address %s%s\n", a.Login, cmp.Or(a.Email, "removed"), stillOff(a))
	}
	return err
}

func typeAccount(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
	a, err := updateAccount(ctx, t, c.args[0], func(e *linktrack.AccountEdit) { e.Type = c.args[1] })
	if err == nil {
		fmt.Fprintf(stdout, "account %s: type %s%s\n", a.Login, a.Type, stillOff(a))
	}
	return err
}

func switchAccount(off bool) func(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
	return func(ctx context.Context, t *linktrack.Tracker, c accountConfig, stdout io.Writer) error {
		a, err := updateAccount(ctx, t, c.args[0], func(e *linktrack.AccountEdit) { e.Disabled = off })
		if err == nil {
			fmt.Fprintf(stdout, "account %s: switched %s\n", a.Login, map[bool]string{true: "off", false: "on"}[off])
		}
		return err
	}
}

func updateAccount(ctx context.Context, t *linktrack.Tracker, name string, change func(*linktrack.AccountEdit)) (linktrack.Account, error) {
	a, err := accountNamed(ctx, t, name)
	if err == nil {
		a, err = t.UpdateAccount(ctx, a.ID, change)
	}
	return a, ofArgument(err)
}

// stillOff returns a reminder that the account is switched off.
func stillOff(a linktrack.Account) string {
	if a.Disabled {
		return "; it is switched off"
	}
	return ""
}

// ofArgument returns a usageError if an argument breaks a rule.
func ofArgument(err error) error {
	if invalid := new(linktrack.InvalidError); errors.As(err, &invalid) {
		return refused(err)
	}
	return err
}

// pass returns the pass of the standard input, or "" if it is to be generated.
func (c accountConfig) pass() (string, error) {
	if !c.passStdin {
		return "", nil
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	case line == "":
		return "", errors.New("the standard input has no pass in its first line")
	}
	return line, nil
}

func (c accountConfig) showPass(w io.Writer, pass string) {
	if !c.passStdin {
		fmt.Fprintf(w, "pass %s (shown only once)\n", pass)
	}
}
