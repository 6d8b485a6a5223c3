package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack/internal/nearest"
)

// A command is what the program does if its first argument is the name.
type command struct {
	name, group, summary string
	run                  func(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) error
}

// commands returns all commands in the order of the help.
func commands() []command {
	return []command{
		{"serve", "Run the service", "answer visitors, the API, and the pages for people; the default", runServe},
		{"account", "Accounts", "add or list accounts; set a pass, an address or a type; switch on or off", runAccount},
		{"import", "Move links", "make the links of a file, also of other services", runTransfer("import")},
		{"copy", "Move links", "make a database equal to another one, also of another engine", runCopy},
		{"export", "Move links", "write the links of an account as CSV", runTransfer("export")},
		{"backup", "Care for the database", "write a copy of an SQLite database, while the service runs", runBackup},
		{"check", "Care for the database", "compare counts, history, and sums; repair sums", runCheck},
		{"help", "About", "show this text, or that of a command: linktrack help import", runHelp},
		{"version", "About", "print the version, and what the program was built from", runVersion},
	}
}

// commandNamed returns the command, or an error that names the nearest one.
func commandNamed(name string) (command, error) {
	all := commands()
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	return command{}, refused(fmt.Errorf("there is no command %q%s (there are %s)", name, nearest.Suggestion(name, names), listed(names, "and")))
}

// run runs a command until it ends or ctx is done, and returns the exit status of the
// program: 0 if it did what it was told, 1 if it failed, 2 if its arguments are wrong.
func run(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) int {
	name := "serve"
	switch {
	case len(args) == 0:
	case isHelp(args[0]):
		name, args = "help", args[1:]
	case !strings.HasPrefix(args[0], "-"):
		name, args = args[0], args[1:]
	}
	c, err := commandNamed(name)
	if err == nil {
		err = c.run(ctx, args, env, stdout, stderr)
	}
	if err == nil || errors.Is(err, errHelp) {
		return 0
	}
	of := ""
	if c.name != "" && c.name != "serve" {
		of = c.name + ": "
	}
	fmt.Fprintf(stderr, "linktrack: %s%v\n", of, err)
	if errors.As(err, new(*usageError)) {
		return 2
	}
	return 1
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" || arg == "--h" }

// runHelp shows all commands, or the help of one.
func runHelp(ctx context.Context, args []string, env environment, stdout, stderr io.Writer) error {
	if len(args) > 0 && !isHelp(args[0]) {
		c, err := commandNamed(args[0])
		if err != nil || c.name == "help" {
			return err
		}
		return c.run(ctx, append(slices.Clone(args[1:]), "-h"), env, stdout, stderr)
	}
	fmt.Fprint(stdout, "Usage: linktrack [COMMAND] [FLAGS]\n\nMakes short links and counts their clicks.\n")
	group := ""
	for _, c := range commands() {
		if c.group != group {
			group = c.group
			fmt.Fprintf(stdout, "\n%s:\n", group)
		}
		fmt.Fprintf(stdout, "  %-9s%s\n", c.name, c.summary)
	}
	fmt.Fprint(stdout, `
Examples:
  linktrack
  linktrack -db /srv/links.db -addr :80 -base-url https://go.example.com
  LINKTRACK_DB=mysql://user:pass@127.0.0.1:3306/links linktrack
  linktrack account add -db /srv/links.db ada
  linktrack import -db /srv/links.db links.csv
  linktrack backup -db /srv/links.db /backup/links-monday.db

linktrack COMMAND -h shows the flags of a command. These are those of serve.
`)
	_, err := parseFlags([]string{"-h"}, nil, stdout)
	return err
}
