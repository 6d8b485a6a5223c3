package transfer

import (
	"bufio"
	"slices"
	"strconv"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/csvsafe"
)

// An ownCSV reads a file of Export, or a file with its columns.
type ownCSV struct {
	*table
	t *linktrack.Tracker
}

// ownKeys are the keys of all columns that a file may have.
var ownKeys = func() map[string]bool {
	keys := map[string]bool{}
	for _, name := range append(slices.Clone(columns), hashColumn, "vanity_link", "password") {
		keys[key(name)] = true
	}
	return keys
}()

func newOwnCSV(in *bufio.Reader, t *linktrack.Tracker) (*ownCSV, error) {
	table, err := newTable(in)
	if err != nil {
		return nil, err
	}
	if err := table.twiceError(func(k string) bool { return ownKeys[k] }); err != nil {
		return nil, err
	}
	if !table.has("externalurl") {
		return nil, &linktrack.InvalidError{Param: "the header", Reason: "has no column external_url"}
	}
	table.restore = true
	return &ownCSV{table, t}, nil
}

func (c *ownCSV) column(param string) string {
	if param == "vanity_link" && c.has("redirecthash") {
		return "redirect_hash"
	}
	return param
}

func (c *ownCSV) notes() []string { return c.unknown(func(k string) bool { return ownKeys[k] }) }

func (c *ownCSV) next() (entry, error) {
	row, e, err := c.table.next()
	if err == nil && len(e.problems) == 0 {
		c.read(&e, row)
	}
	return e, err
}

func (c *ownCSV) read(e *entry, row []string) {
	get := func(name string) string { return c.field(row, key(name)) }
	values := map[string]string{"host": get("host")}
	for name := range (linktrack.LinkSettings{}).Properties() {
		if name != "expires_at" { // a file may write it in more ways than a parameter
			values[name] = get(name)
		}
	}
	in, err := c.t.ParseNewLink(values)
	if err != nil {
		e.refused(err, c.column)
	}
	l := &e.link
	l.NewLink, l.Path = in, get("redirect_hash")
	switch vanity := get("vanity_link"); {
	case l.Path == "":
		l.VanityLink = vanity
	case vanity != "" && vanity != l.Path:
		e.wrong("vanity_link", "is another path than redirect_hash")
	}
	var ok bool
	if l.ExpiresAt, ok = parseTime(get("expires_at"), c.t.TimeZone()); !ok {
		e.wrong("expires_at", timeReason)
	}
	if l.CreatedAt, ok = parseTime(get("created_at"), c.t.TimeZone()); !ok {
		e.wrong("created_at", timeReason)
	}
	if get("password") != "" {
		e.wrong("password", "cannot be imported, only its password_hash")
	}
	if hash := get(hashColumn); hash != "" {
		l.PasswordHash = []byte(hash)
	} else if !isOff(get("has_password")) {
		e.wrong("has_password", "says that there is a password, and its password_hash is not in the file")
	}
	used, err := strconv.ParseInt(get("count_used"), 10, 64)
	if err != nil && get("count_used") != "" || used < 0 {
		e.wrong("count_used", "must be a whole number, 0 or more")
	}
	subtractUsed(l, used)
}

// isOff reports whether a field means no, or is empty.
func isOff(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "false", "no", "off", "f", "n", "null", "none", "[]", "{}":
		return true
	}
	return false
}

// subtractUsed reduces the limit of a link by the people that it has already let
// through.
func subtractUsed(l *linktrack.ImportedLink, used int64) {
	switch {
	case l.DeactivateAt == 0 || used <= 0:
	case used >= l.DeactivateAt:
		l.Disabled = true
	default:
		l.DeactivateAt -= used
	}
}

// defused returns fields with an apostrophe before formulas, as Export writes
// them.
func defused(fields []string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = csvsafe.Defuse(f)
	}
	return out
}
