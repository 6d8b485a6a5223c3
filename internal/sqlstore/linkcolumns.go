package sqlstore

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// editedColumns are the columns of lt_link that an edit may change. field returns a
// pointer to the link's field, for reading and writing. One more setting, deactivate_at,
// is in lt_count.
var editedColumns = []struct {
	name  string
	field func(*linktrack.Link) any
}{
	{"external_url", func(l *linktrack.Link) any { return (*text)(&l.ExternalURL) }},
	{"title", func(l *linktrack.Link) any { return (*text)(&l.Title) }},
	{"description", func(l *linktrack.Link) any { return (*text)(&l.Description) }},
	{"notes", func(l *linktrack.Link) any { return (*text)(&l.Notes) }},
	{"group_name", func(l *linktrack.Link) any { return (*text)(&l.Group) }},
	{"is_active", func(l *linktrack.Link) any { return (*opposite)(&l.Disabled) }},
	{"is_public", func(l *linktrack.Link) any { return &l.IsPublic }},
	{"has_plus_tracking", func(l *linktrack.Link) any { return &l.HasPlusTracking }},
	{"has_public_tracking", func(l *linktrack.Link) any { return &l.HasPublicTracking }},
	{"has_conversion_tracking", func(l *linktrack.Link) any { return &l.HasConversionTracking }},
	{"has_alert_email", func(l *linktrack.Link) any { return &l.HasAlertEmail }},
	{"forward_query", func(l *linktrack.Link) any { return &l.ForwardQuery }},
	{"has_public_revenue", func(l *linktrack.Link) any { return &l.HasPublicRevenue }},
	{"password_hash", func(l *linktrack.Link) any { return &l.PasswordHash }},
	{"alert_at", func(l *linktrack.Link) any { return &l.AlertAt }},
	{"expires_at", func(l *linktrack.Link) any { return (*moment)(&l.ExpiresAt) }},
	{"external_id", func(l *linktrack.Link) any { return (*optional)(&l.ExternalID) }},
	{"tags", func(l *linktrack.Link) any { return (*texts)(&l.Tags) }},
	{"is_archived", func(l *linktrack.Link) any { return &l.IsArchived }},
	{"starts_at", func(l *linktrack.Link) any { return (*moment)(&l.StartsAt) }},
	{"fallback_url", func(l *linktrack.Link) any { return (*text)(&l.FallbackURL) }},
	{"deleted_at", func(l *linktrack.Link) any { return (*moment)(&l.DeletedAt) }},
	{"confirm", func(l *linktrack.Link) any { return (*text)(&l.Confirm) }},
}

// linkColumns are the columns of lt_link l and lt_count c that scanLink reads. insertLink
// and insertedRow take the values of linkArgs, and editLink takes those of
// editArgs, the account, and the ID.
var linkColumns, insertLink, insertedRow, editLink = func() (columns, insert, row, edit string) {
	for _, c := range editedColumns {
		columns += ", l." + c.name
		insert += ", " + c.name
		edit += ", " + c.name + " = ?"
	}
	edit += ", list_kind = ?, uncounted = 0"
	columns = ` l.id, l.account_id, l.host, l.path, l.created_at` + columns +
		`, c.deactivate_at, c.total, c.uniques, c.bots, c.conversions, c.used, c.last_click`
	insert = `INSERT INTO lt_link (account_id, host, path_key, path, created_at, url_head` + insert + `, list_kind, uncounted) VALUES `
	row = "(?" + strings.Repeat(", ?", 6+len(editedColumns)) + ", 0)"
	edit = `UPDATE lt_link SET url_head = ?` + edit + `, account_id = ? WHERE id = ?`
	return columns, insert, row, edit
}()

// editArgs returns the values of the columns that an edit may change.
func editArgs(l *linktrack.Link) []any {
	args := []any{urlHead(l.ExternalURL)}
	for _, c := range editedColumns {
		args = append(args, c.field(l))
	}
	return append(args, int64(kindOf(l)))
}

// linkArgs returns the values of all columns of lt_link.
func linkArgs(l *linktrack.Link) []any {
	return append([]any{int64(l.Account), []byte(l.Host), []byte(l.Key()), []byte(l.Path), micros(l.CreatedAt)}, editArgs(l)...)
}

// scanLink reads linkColumns by position, because the DSN of a host's pool may change the
// names of columns.
func scanLink(row interface{ Scan(...any) error }) (linktrack.Link, error) {
	var l linktrack.Link
	to := []any{&l.ID, &l.Account, &l.Host, &l.Path, (*moment)(&l.CreatedAt)}
	for _, c := range editedColumns {
		to = append(to, c.field(&l))
	}
	to = append(to, &l.DeactivateAt, &l.Counts.People, &l.Counts.Unique, &l.Counts.Bots, &l.Counts.Conversions, &l.Counts.Used, (*moment)(&l.Counts.LastClick))
	err := row.Scan(to...)
	return l, err
}

// toMicros gives the times of a link the form in which they are stored.
func toMicros(l *linktrack.Link) {
	for _, t := range []*time.Time{&l.ExpiresAt, &l.StartsAt, &l.DeletedAt, &l.CreatedAt} {
		*t = fromMicros(micros(*t))
	}
}

// fitLink checks that the texts of a link fit their columns.
func fitLink(l linktrack.Link) error {
	return errors.Join(
		fit("host", l.Host, 255), fit("path", l.Path, 128), fit("external_url", l.ExternalURL, 4096),
		fit("title", l.Title, 1020), fit("description", l.Description, 8000), fit("notes", l.Notes, 65535),
		fit("group", l.Group, 1020), fit("password_hash", string(l.PasswordHash), 255),
		fit("external_id", l.ExternalID, 1020), fit("tags", joined(l.Tags), 8192), fit("fallback_url", l.FallbackURL, 4096),
		fit("confirm", string(l.Confirm), 16))
}

// joined returns texts with a separator between them, a byte that UTF-8 does not have.
func joined(all []string) string { return strings.Join(all, separator) }

const separator = "\xff"

// urlHead returns the first bytes of a destination, which the index for the sort by
// destination contains.
func urlHead(url string) []byte { return []byte(url[:min(len(url), headSize)]) }

const headSize = 255 // bytes

// A text is written as bytes, so that the connection's character set cannot change it.
type text string

// Value implements [driver.Valuer].
func (t text) Value() (driver.Value, error) { return []byte(t), nil }

// Scan implements [sql.Scanner].
func (t *text) Scan(src any) error {
	var s sql.NullString
	err := s.Scan(src)
	*t = text(s.String)
	return err
}

// An optional text is stored as NULL if it is "".
type optional string

// Value implements [driver.Valuer].
func (o optional) Value() (driver.Value, error) {
	if o == "" {
		return nil, nil
	}
	return []byte(o), nil
}

// Scan implements [sql.Scanner].
func (o *optional) Scan(src any) error { return (*text)(o).Scan(src) }

// texts are stored as one text.
type texts []string

// Value implements [driver.Valuer].
func (t texts) Value() (driver.Value, error) { return []byte(joined(t)), nil }

// Scan implements [sql.Scanner].
func (t *texts) Scan(src any) error {
	var s text
	err := s.Scan(src)
	if *t = nil; s != "" {
		*t = strings.Split(string(s), separator)
	}
	return err
}

// An opposite is stored negated: true as 0, and false as 1.
type opposite bool

// Value implements [driver.Valuer].
func (o opposite) Value() (driver.Value, error) { return !bool(o), nil }

// Scan implements [sql.Scanner].
func (o *opposite) Scan(src any) error {
	var b sql.NullBool
	err := b.Scan(src)
	*o = opposite(!b.Bool)
	return err
}

// A moment is stored in microseconds since 1970, and the zero time as 0.
type moment time.Time

// Value implements [driver.Valuer].
func (m moment) Value() (driver.Value, error) { return micros(time.Time(m)), nil }

// Scan implements [sql.Scanner].
func (m *moment) Scan(src any) error {
	var n sql.NullInt64
	err := n.Scan(src)
	*m = moment(fromMicros(n.Int64))
	return err
}
