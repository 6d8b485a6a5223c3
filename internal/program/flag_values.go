package program

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// duration adds a flag for a duration above 0. A default of 0 is not shown.
func duration(flags *flag.FlagSet, to *time.Duration, name string, value time.Duration, usage string) {
	*to = value
	shown := ""
	if value > 0 {
		shown = value.String()
	}
	flags.Var(&checked{shown, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return errors.New("must be a duration above 0, such as 200ms, 5s, or 1m30s")
		}
		*to = d
		return nil
	}}, name, usage)
}

// number adds a flag for a whole number above 0.
func number[N int | int64](flags *flag.FlagSet, to *N, name string, value N, usage string) {
	*to = value
	flags.Var(&checked{strconv.FormatInt(int64(value), 10), func(s string) error {
		n, err := strconv.ParseInt(s, 10, strconv.IntSize)
		if err != nil || n < 1 {
			return errors.New("must be a whole number above 0")
		}
		*to = N(n)
		return nil
	}}, name, usage)
}

// A checked is a flag whose value is parsed by a function. text is the default
// until the flag is set.
type checked struct {
	text string
	read func(string) error
}

func (c *checked) String() string { return c.text }

func (c *checked) Set(s string) error {
	if err := c.read(s); err != nil {
		return err
	}
	c.text = s
	return nil
}

// listOf splits a list at its commas, and drops empty items.
func listOf(s string) (items []string) {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// listed returns names as a part of a sentence. and is the word before the last one.
func listed(names []string, and string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + and + " " + names[last]
}

// list returns a function that parses a list with commas.
func list(to *[]string) func(string) error {
	return func(s string) error {
		*to = listOf(s)
		return nil
	}
}

var isWord = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`).MatchString

// words returns a function that parses a list of words that links could have as
// paths.
func words(to *[]string) func(string) error {
	return func(s string) error {
		for _, word := range listOf(s) {
			if !isWord(word) {
				return fmt.Errorf("%q cannot be the path of a link: use only letters, digits, - and _", word)
			}
		}
		*to = listOf(s)
		return nil
	}
}

// networks returns a function that parses a list of networks and single
// addresses.
func networks(to *[]netip.Prefix) func(string) error {
	return func(list string) error {
		var all []netip.Prefix
		for _, item := range listOf(list) {
			network, err := netip.ParsePrefix(item)
			if err != nil {
				ip, err := netip.ParseAddr(item)
				if err != nil || ip.Zone() != "" {
					return fmt.Errorf("%q is neither a network nor an address", item)
				}
				network = netip.PrefixFrom(ip, ip.BitLen())
			}
			all = append(all, network)
		}
		*to = all
		return nil
	}
}

// accountTypes returns a function that parses account types with the parameters
// that each may use: "team=title,vanity_link; guest=".
func accountTypes(to *map[string]linktrack.AccountType) func(string) error {
	return func(s string) error {
		types := make(map[string]linktrack.AccountType)
		for item := range strings.SplitSeq(s, ";") {
			if strings.TrimSpace(item) == "" {
				continue
			}
			name, params, ok := strings.Cut(item, "=")
			if name = strings.TrimSpace(name); !ok || !isWord(name) {
				return fmt.Errorf("%q is not an account type such as name=parameter,parameter", strings.TrimSpace(item))
			}
			if _, twice := types[name]; twice {
				return fmt.Errorf("the account type %s is given twice", name)
			}
			types[name] = linktrack.AccountType{Params: listOf(params)}
		}
		*to = types
		return nil
	}
}

// texts returns a function that reads a file of texts, a JSON object.
func texts(to *map[string]string) func(string) error {
	return func(file string) error {
		if file == "" {
			*to = nil
			return nil
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var all map[string]string
		if err := json.Unmarshal(b, &all); err != nil {
			return fmt.Errorf("%s is not a JSON object of texts by key: %w", file, err)
		}
		*to = all
		return nil
	}
}

// folder returns a function that opens a folder.
func folder(to *fs.FS) func(string) error {
	return func(dir string) error {
		if dir == "" {
			*to = nil
			return nil
		}
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", dir)
		}
		*to = os.DirFS(dir)
		return nil
	}
}
