package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/formula"
)

// An ownCSV is a file that Export wrote, or a person with its columns.
type ownCSV struct {
	rows   *csvReader
	t      *linktrack.Tracker
	header []string
	left   []string // notes
}

// given are the columns that ParseNewLink reads as they are.
var given = []string{
	"external_url", "host", "title", "description", "notes", "group", "is_active", "is_public", "has_plus_tracking",
	"has_public_tracking", "has_conversion_tracking", "has_alert_email", "forward_query", "alert_at", "deactivate_at",
}

func newOwnCSV(in *bufio.Reader, t *linktrack.Tracker) (*ownCSV, error) {
	c := &ownCSV{rows: newCSVReader(in), t: t}
	header, _, err := c.rows.read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	c.header = normalized(header)
	known := append(slices.Clone(columns), hashColumn, "vanity_link", "password")
	for i, name := range c.header {
		if slices.Contains(c.header[:i], name) && name != "" {
			return nil, &linktrack.InvalidError{Param: "the header", Reason: fmt.Sprintf("has the column %q twice", name)}
		}
		if !slices.Contains(known, name) {
			c.left = append(c.left, fmt.Sprintf("the column %q is not known and left out", name))
		}
	}
	if !slices.Contains(c.header, "external_url") {
		return nil, &linktrack.InvalidError{Param: "the header", Reason: "has no column external_url"}
	}
	return c, nil
}

func (c *ownCSV) column(param string) string {
	if param == "vanity_link" && slices.Contains(c.header, "redirect_hash") {
		return "redirect_hash"
	}
	return param
}

func (c *ownCSV) notes() []string { return c.left }

func (c *ownCSV) next() (entry, error) {
	fields, line, err := c.rows.read()
	if err != nil {
		return entry{}, err
	}
	e := entry{line: line}
	if len(fields) != len(c.header) {
		e.wrong("", fmt.Sprintf("it has %d fields, and the header %d", len(fields), len(c.header)))
		return e, nil
	}
	row := make(map[string]string, len(fields))
	for i, name := range c.header {
		row[name] = formula.Restore(fields[i])
	}
	c.read(&e, row)
	return e, nil
}

func (c *ownCSV) read(e *entry, row map[string]string) {
	values := make(map[string]string, len(given))
	for _, name := range given {
		values[name] = row[name]
	}
	in, err := c.t.ParseNewLink(values)
	if err != nil {
		e.refused(err, c.column)
	}
	l := &e.link
	l.NewLink, l.Path = in, row["redirect_hash"]
	switch vanity := row["vanity_link"]; {
	case l.Path == "":
		l.VanityLink = vanity
	case vanity != "" && vanity != l.Path:
		e.wrong("vanity_link", "is another path than redirect_hash")
	}
	var ok bool
	if l.ExpiresAt, ok = parseTime(row["expires_at"], c.t.Location()); !ok {
		e.wrong("expires_at", timeReason)
	}
	if l.CreatedAt, ok = parseTime(row["created_at"], c.t.Location()); !ok {
		e.wrong("created_at", timeReason)
	}
	if row["password"] != "" {
		e.wrong("password", "cannot be imported, only its password_hash")
	}
	if hash := row[hashColumn]; hash != "" {
		l.PasswordHash = []byte(hash)
	} else if p := strings.ToLower(row["has_password"]); !slices.Contains([]string{"", "0", "false", "no", "off"}, p) {
		e.wrong("has_password", "says that there is a password, and its password_hash is not in the file")
	}
	used, err := strconv.ParseInt(row["count_used"], 10, 64)
	if err != nil && row["count_used"] != "" || used < 0 {
		e.wrong("count_used", "must be a whole number, 0 or more")
	}
	letThrough(l, used)
}

// letThrough makes the limit of a link less by the people that it let through
// already.
func letThrough(l *linktrack.ImportedLink, used int64) {
	switch {
	case l.DeactivateAt == 0 || used <= 0:
	case used >= l.DeactivateAt:
		l.Inactive = true
	default:
		l.DeactivateAt -= used
	}
}
