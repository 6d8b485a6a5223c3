// Package transfer brings links from one linktrack to another, and from other
// shorteners, with their paths kept. It works on a [linktrack.Tracker], so all
// of its rules hold.
//
// # The file
//
// [Export] writes CSV as RFC 4180 has it, in UTF-8, with a header row and these
// columns, by the API's names:
//
//	link                     the tracking URL, for people; not read
//	redirect_hash            the path: .f2jt or spring_sale
//	host                     the host that the link is on
//	external_url             the destination
//	title, description, notes, group
//	is_active, is_public, has_plus_tracking, has_public_tracking,
//	has_conversion_tracking, has_alert_email, forward_query   1 or 0
//	has_password             1 or 0
//	alert_at, deactivate_at  numbers of clicks, 0 for none
//	count_used               people let through a link with deactivate_at
//	expires_at, created_at   2024-11-24T16:35:16.123456Z, empty for never
//	has_public_revenue       1 or 0
//	password_hash            only if it is asked for
//
// Texts are written so that no spreadsheet takes them for formulas: where one
// begins like a formula, an apostrophe stands before it, which [Import] takes
// away again.
//
// Import reads these columns in any order; external_url alone is required. A
// column vanity_link is read like redirect_hash. In names of columns neither
// case nor spaces, hyphens and underscores count: External URL is external_url.
//
// A file is in UTF-8, in UTF-16, or in Windows-1252 where it cannot be UTF-8.
// Its lines end with LF, CRLF or CR. Between fields there are commas, semicolons,
// tabs or vertical bars, whichever the header has most of, or what a first line
// such as "sep=;" says. Rows in which nothing stands are left out. A row may have
// 1,000 fields and a million bytes.
//
// Times are a day, or a day and a time to the minute, the second or a part of it,
// with T or a space between: 2024-11-24, 2024-11-24 10:35, 2024-11-24T10:35:16.5.
// Behind it may stand Z, UTC, or an offset as +01:00, +0100 or +01. A time without
// one is in the Tracker's zone, [linktrack.Options.Location]. Numbers are digits
// alone: 1,000 is refused, since it is a thousand to some and one to others.
//
// # What stays behind
//
// A link counts from zero where it is imported. One with a limit lets so many
// people through as it would have where it came from: deactivate_at is made less
// by count_used, and a link that was used up comes switched off.
//
// A password cannot be read back from its hash, and who has hashes can try
// passwords at leisure. So the hash is exported only if [ExportOptions] ask for
// it, and a link that had a password is refused without its hash: it would be
// open to anyone.
//
// # Other shorteners
//
// Their files are known by what is in them; a format need not be named. Their
// paths are kept. Of tags, a single one becomes the group, and several are
// written into the notes. Titles are cut to what a title may have. A link that
// asks for a password is refused, unless its bcrypt hash is in the file. Clicks
// are left behind. What else is in a file and not carried over is in
// [Result].Notes.
//
//   - [YOURLS]: the table yourls_url as CSV (phpMyAdmin's export) or in an SQL
//     dump (mysqldump). keyword becomes the path; ip and clicks are left behind.
//   - [Shlink]: what GET /rest/v3/short-urls answers, one page after the other in
//     one file if there are several; the CSV that its web client exports; and the
//     CSV that it imports (Long URL, Short code, Domain, Title, Tags). In JSON,
//     validUntil becomes expires_at, and maxVisits less the visits that were
//     counted becomes deactivate_at. A link with a validSince in the future is
//     refused, since links here begin at once.
//   - [Bitly]: its exports as CSV. A link with a custom back-half becomes two, one
//     for each of its paths. They are on bit.ly, which you do not serve:
//     [ImportOptions].Host says where they go.
//   - [Rebrandly], [ShortIO]: CSV with the names of their APIs' fields.
//   - [Kutt]: what GET /api/v2/links answers, one page after the other, and the
//     table links as CSV. A banned link comes switched off.
//   - [Plain]: CSV with a column url (or destination, target, long_url) and one of
//     slug, path, alias, code, key or short_url, and perhaps domain, title,
//     description, notes, tags, created_at and expires_at. A link without a slug
//     gets a path.
//
// Many of them tell paths apart by case, and a Tracker does not: see [Import].
package transfer

import (
	"errors"
	"fmt"
)

// A Format is what wrote a file.
type Format string

const (
	CSV       Format = "csv"       // Export, or a person with its columns
	YOURLS    Format = "yourls"    // its database's table yourls_url, as CSV or SQL
	Shlink    Format = "shlink"    // its REST API, as JSON, or CSV of its web client or for its importer
	Bitly     Format = "bitly"     // CSV
	Rebrandly Format = "rebrandly" // CSV
	ShortIO   Format = "shortio"   // CSV
	Kutt      Format = "kutt"      // its REST API, as JSON, or its database's table links, as CSV
	Plain     Format = "plain"     // CSV with columns such as url and slug
)

// Formats are all there are.
var Formats = []Format{CSV, YOURLS, Shlink, Bitly, Rebrandly, ShortIO, Kutt, Plain}

// programs are those that the formats are of.
const programs = "YOURLS, Shlink, Bitly, Rebrandly, Short.io or Kutt, or have the columns url and slug"

// ErrRefused: some lines of a file are not as they must be, so nothing of it was
// imported.
var ErrRefused = errors.New("the file has problems, and nothing of it is imported")

// A Problem is why a line of a file is not imported.
type Problem struct {
	Line   int    // from 1, where the link's text begins
	Column string // as the file calls it; "" no certain one
	Reason string // continues a sentence that begins with Column
	Clash  bool   // the path is in use, or stands in the file more than once

	// Case is a Clash of two links of the file whose paths differ in nothing but
	// the case of letters and whose destinations differ: neither is made.
	Case bool
}

// String returns the whole sentence.
func (p Problem) String() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Reason)
	}
	return fmt.Sprintf("line %d: %s %s", p.Line, p.Column, p.Reason)
}

// broken is the error of a file that cannot be read any further.
type broken struct {
	line   int
	reason string
}

func (b *broken) Error() string { return fmt.Sprintf("line %d: %s", b.line, b.reason) }
