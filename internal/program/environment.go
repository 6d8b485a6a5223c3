package program

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack/internal/nearest"
)

// An environment has the variables of the process by their names.
type environment map[string]string

func environmentOf(list []string) environment {
	env := make(environment, len(list))
	for _, item := range list {
		if name, value, ok := strings.Cut(item, "="); ok {
			env[name] = value
		}
	}
	return env
}

const (
	variablePrefix = "LINKTRACK_"
	// Variables of linktrack's own tests and scripts begin with testPrefix. They may be set
	// in a shell in which somebody also runs the program.
	testPrefix = variablePrefix + "TEST_"
)

// Kubernetes sets such variables in each container if a service is named linktrack.
var (
	isOfService = regexp.MustCompile(`^LINKTRACK_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`).MatchString
	isURL       = regexp.MustCompile(`^(tcp|udp|sctp)://`).MatchString // the value of LINKTRACK_PORT
)

// variable returns the name of a flag in the environment.
func variable(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// check refuses a variable that begins as those of flags do, but sets no flag of any
// command: it is probably misspelled.
func (env environment) check() error {
	var known []string // without the prefix, which would make all names similar
	for _, flags := range allFlags() {
		flags.VisitAll(func(f *flag.Flag) {
			if f.Name != flagPassStdin {
				known = append(known, strings.TrimPrefix(variable(f.Name), variablePrefix))
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		rest, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || strings.HasPrefix(name, testPrefix) || slices.Contains(known, rest) ||
			isOfService(name) || name == "LINKTRACK_PORT" && isURL(env[name]) {
			continue
		}
		hint := ""
		if found := nearest.Name(rest, known); found != "" {
			hint = ", did you mean " + variablePrefix + found + "?"
		}
		return fmt.Errorf("%s in the environment sets no flag%s", name, hint)
	}
	return nil
}

// allFlags returns the flags of each command that has some.
func allFlags() []*flag.FlagSet {
	serve := flag.NewFlagSet("", flag.ContinueOnError)
	addFlags(serve, new(config))
	all := []*flag.FlagSet{serve}
	for _, verb := range []string{"import", "export"} {
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		addTransferFlags(flags, verb, new(transferConfig))
		all = append(all, flags)
	}
	care := flag.NewFlagSet("", flag.ContinueOnError)
	addKeptDatabaseFlags(care, new(config))
	all = append(all, care)
	for _, a := range accountActions() {
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		addAccountFlags(flags, a.name, new(accountConfig))
		all = append(all, flags)
	}
	copying := flag.NewFlagSet("", flag.ContinueOnError)
	addCopyFlags(copying, new(copyConfig))
	return append(all, copying)
}

// aliases are further names of flags.
var aliases = map[string]string{"mysql": "db", "honour-gpc": "honor-gpc", "quick-links": "anonymous-links"}

// flagOf returns the name of the flag that an alias means. A flag overrides the variables
// of all its names.
func flagOf(name string) string { return cmp.Or(aliases[name], name) }

// parseWithEnvironment reads the flags, and the environment for flags that are not
// given, except some.
func parseWithEnvironment(flags *flag.FlagSet, args []string, env environment, except ...string) (err error) {
	if err := parseFurther(flags, args); err != nil {
		return err
	}
	if err := env.check(); err != nil {
		return err
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[flagOf(f.Name)] = true })
	flags.VisitAll(func(f *flag.Flag) {
		name := variable(f.Name)
		if value := env[name]; value != "" && !given[flagOf(f.Name)] && !slices.Contains(except, f.Name) && err == nil {
			if e := flags.Set(f.Name, value); e != nil {
				if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
					e = fmt.Errorf("%s, not %q", mustBeBool, value)
				}
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	})
	return err
}

// mustBeBool is what package flag calls a parse error.
const mustBeBool = "must be true or false"

// parseFurther reads flags without the environment. An unknown one is an error with the
// nearest name.
func parseFurther(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if err == nil {
		return nil
	}
	if text, isBool := strings.CutSuffix(err.Error(), "parse error"); isBool && strings.HasPrefix(text, "invalid boolean value ") {
		return errors.New(text + mustBeBool)
	}
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); unknown {
		var names []string
		flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
		if found := nearest.Name(name, names); found != "" {
			err = fmt.Errorf("%w, did you mean -%s?", err, found)
		}
	}
	return err
}
