package transfer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A foreignCSV reads CSV of another program.
type foreignCSV struct {
	*table
	t       *linktrack.Tracker
	shape   *shape
	surplus []int  // columns that are not imported
	second  *entry // the same link at its other path; next returns it
	omitted
}

func newForeignCSV(in *bufio.Reader, t *linktrack.Tracker, s *shape) (*foreignCSV, error) {
	table, err := newTable(in)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, keys := range s.fields {
		for _, k := range keys {
			known[k] = true
		}
	}
	if err := table.twiceError(func(k string) bool { return known[k] }); err != nil {
		return nil, err
	}
	if !s.fits(table) {
		var names []string
		for _, any := range s.required {
			names = append(names, strings.Join(any, " or "))
		}
		return nil, &linktrack.InvalidError{Param: "the header", Reason: fmt.Sprintf("lacks a column of %s: %s", s.format, strings.Join(names, ", and "))}
	}
	for _, k := range s.ignored {
		known[k] = true
	}
	f := &foreignCSV{table: table, t: t, shape: s}
	for i, name := range table.names {
		if name != "" && !known[key(name)] {
			f.surplus = append(f.surplus, i)
		}
	}
	return f, nil
}

func (f *foreignCSV) column(param string) string {
	if param == "redirect_hash" {
		param = hasPath
	}
	keys := f.shape.fields[param]
	if param == hasPath {
		keys = append(append(keys[:len(keys):len(keys)], f.shape.fields[hasShort]...), f.shape.fields[hasSecond]...)
	}
	if name := f.called(keys...); name != "" {
		return name
	}
	return param
}

func (f *foreignCSV) notes() []string { return f.omitted.notes() }

func (f *foreignCSV) next() (entry, error) {
	if e := f.second; e != nil {
		f.second = nil
		return *e, nil
	}
	row, e, err := f.table.next()
	if err == nil && len(e.problems) == 0 {
		f.read(&e, row)
	}
	return e, err
}

func (f *foreignCSV) read(e *entry, row []string) {
	get := func(what string) string {
		s := strings.TrimSpace(f.field(row, f.shape.fields[what]...))
		if strings.EqualFold(s, "null") || s == `\N` { // databases export a missing value like this
			return ""
		}
		return s
	}
	l := &e.link
	l.ExternalURL, l.Title = get(hasURL), oneLine(get(hasTitle))
	l.Description, l.Notes = get(hasDescription), get(hasNotes)
	if l.ExternalURL == "" {
		e.wrong(f.column(hasURL), "is missing")
	}
	group, notes := groupOf(splitTags(get(hasTags)))
	l.Group = group
	if notes != "" {
		l.Notes = strings.TrimPrefix(l.Notes+"\n"+notes, "\n")
	}
	for _, t := range []struct {
		what string
		at   *time.Time
	}{{hasCreated, &l.CreatedAt}, {hasExpires, &l.ExpiresAt}} {
		var ok bool
		if *t.at, ok = parseMoment(get(t.what), f.t.TimeZone()); !ok {
			e.wrong(f.column(t.what), timeReason)
		}
	}
	switch password := get(hasPassword); {
	case strings.HasPrefix(password, "$2"):
		l.PasswordHash = []byte(password)
	case !isOff(password):
		e.wrong(f.column(hasPassword), "is set, but cannot be imported")
	}
	l.Disabled = !isOff(get(hasBanned))
	for _, i := range f.surplus {
		if !isOff(row[i]) {
			f.add(f.names[i])
		}
	}
	f.place(e, get)
}

// place sets the host and the path of the link.
func (f *foreignCSV) place(e *entry, get func(string) string) {
	l := &e.link
	host, path := splitShort(get(hasShort))
	if own := strings.TrimPrefix(get(hasPath), "/"); own != "" {
		path = own
	}
	if own := get(hasHost); own != "" {
		host = own
	}
	l.Host, l.VanityLink = host, path
	second := strings.Trim(get(hasSecond), `[]" `) // it can be a JSON list
	second, _, _ = strings.Cut(second, ",")
	second = strings.Trim(second, `" `)
	secondHost, secondPath := splitShort(second)
	if secondHost == "" {
		secondHost = host
	}
	switch {
	case len(e.problems) > 0 || secondPath == "" || secondPath == path && secondHost == host:
	case path == "":
		l.Host, l.VanityLink = secondHost, secondPath
	default:
		other := *e
		other.second = true
		other.link.Host, other.link.VanityLink = secondHost, secondPath
		f.second = &other
	}
	if l.VanityLink == "" && f.shape.format != Plain {
		e.wrong(f.column(hasPath), "is missing")
	}
}

// splitShort splits a short URL, with or without its scheme, into host and path.
// A text without a slash is a path.
func splitShort(s string) (host, path string) {
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	host, path, found := strings.Cut(s, "/")
	if !found {
		return "", s
	}
	return host, strings.TrimSuffix(path, "/")
}

// splitTags reads a list of tags: a JSON list, or tags separated by |, ;, or
// commas.
func splitTags(s string) []string {
	var tags []string
	if strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &tags) == nil {
		return tags
	}
	separator := ","
	for _, other := range []string{"|", ";"} {
		if strings.Contains(s, other) {
			separator = other
			break
		}
	}
	for tag := range strings.SplitSeq(s, separator) {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}
