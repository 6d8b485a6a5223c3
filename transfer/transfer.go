// Package transfer moves links from one linktrack to another, and from other
// shorteners, and keeps their paths. It works on a [linktrack.Tracker], so all
// rules of the Tracker apply.
//
// # The file
//
// [Export] writes CSV according to RFC 4180, in UTF-8, with a header row and
// these columns, which have the names of the API's parameters:
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
//	count_used               people that a link with deactivate_at has let through
//	expires_at, created_at   2024-11-24T16:35:16.123456Z, empty for never
//	has_public_revenue       1 or 0
//	password_hash            only on request
//
// Export prevents spreadsheets from reading texts as formulas: a text that begins
// like a formula gets an apostrophe before it, which [Import] removes.
//
// Import reads these columns in any order; only external_url is required. A
// column vanity_link is read like redirect_hash. Column names are compared
// without case, spaces, hyphens, and underscores: External URL is external_url.
//
// A file is read as UTF-8 or UTF-16, or as Windows-1252 if it cannot be UTF-8.
// Its lines end with LF, CRLF, or CR. Its fields are separated by commas,
// semicolons, tabs, or vertical bars: the most frequent of these in the header,
// or the one that a first line such as "sep=;" names. Empty rows are ignored. A
// row may have 1,000 fields and a million bytes.
//
// A time is a day, or a day and a time with minutes, seconds, or fractions of a
// second, separated by T or a space: 2024-11-24, 2024-11-24 10:35,
// 2024-11-24T10:35:16.5. It may be followed by Z, UTC, or an offset such as
// +01:00, +0100, or +01. A time without one of these is in the Tracker's zone,
// [linktrack.Options.TimeZone]. Numbers consist of digits only: 1,000 is refused,
// because it can mean a thousand or one.
//
// # What is not transferred
//
// The counts of an imported link start at zero. A link with a limit lets as many
// more people through as before: count_used is subtracted from deactivate_at, and
// a used-up link is imported switched off.
//
// A password cannot be recovered from its hash, but anyone with the hash can try
// passwords without a limit. So the hash is exported only if [ExportOptions]
// request it. A link that had a password is refused without its hash, because
// anyone could open it.
//
// # Other shorteners
//
// Import detects the format of a file by its content, so you need not name it.
// Paths are kept. A single tag becomes the group, and several tags are written
// into the notes. Titles are truncated to the maximum length. A link with a password is
// refused, unless its bcrypt hash is in the file. Clicks are not imported.
// [Result].Notes lists other content that is not imported.
//
//   - [YOURLS]: the table yourls_url as CSV (phpMyAdmin's export) or in an SQL
//     dump (mysqldump). keyword becomes the path; ip and clicks are not imported.
//   - [Shlink]: the answer of GET /rest/v3/short-urls, or several pages of it one
//     after the other in a file; the CSV that its web client exports; and the CSV
//     that it imports (Long URL, Short code, Domain, Title, Tags). In JSON,
//     validUntil becomes expires_at, and maxVisits minus the counted visits
//     becomes deactivate_at. A link with a validSince in the future is refused,
//     because links here are active at once.
//   - [Bitly]: its exports as CSV. A link with a custom back-half becomes two
//     links, one for each of its paths. They are on bit.ly, which you do not
//     serve: name their new host in [ImportOptions].Host.
//   - [Rebrandly], [ShortIO]: CSV with the field names of their APIs.
//   - [Kutt]: the answer of GET /api/v2/links, or several pages of it one after
//     the other, and the table links as CSV. A banned link is imported switched
//     off.
//   - [Plain]: CSV with a column url (or destination, target, long_url) and one of
//     slug, path, alias, code, key, or short_url, and optionally domain, title,
//     description, notes, tags, created_at, and expires_at. A link without a slug
//     gets a generated path.
//
// Many of these services distinguish paths by case, and a Tracker does not: see
// [Import].
package transfer

import (
	"errors"
	"fmt"
)

// A Format identifies the program that wrote a file.
type Format string

const (
	CSV       Format = "csv"       // Export, or a file with its columns
	YOURLS    Format = "yourls"    // the table yourls_url, as CSV or SQL
	Shlink    Format = "shlink"    // JSON of its REST API, CSV of its web client, or CSV for its importer
	Bitly     Format = "bitly"     // CSV
	Rebrandly Format = "rebrandly" // CSV
	ShortIO   Format = "shortio"   // CSV
	Kutt      Format = "kutt"      // JSON of its REST API, or the table links as CSV
	Plain     Format = "plain"     // CSV with columns such as url and slug
)

// Formats lists all formats.
var Formats = []Format{CSV, YOURLS, Shlink, Bitly, Rebrandly, ShortIO, Kutt, Plain}

// programs names the accepted programs in an error message.
const programs = "YOURLS, Shlink, Bitly, Rebrandly, Short.io, or Kutt, or have the columns url and slug"

// ErrRefused means that some lines of a file break rules, so nothing in it was
// imported.
var ErrRefused = errors.New("the file has problems, and nothing in it is imported")

// A Problem is the reason why a line of a file is not imported.
type Problem struct {
	Line   int    // from 1, where the link's text begins
	Column string // its name in the file; "": no particular column
	Reason string // continues a sentence that begins with Column
	Clash  bool   // the path is in use, or is in the file more than once

	// Case marks a Clash of two links of the file with different destinations
	// whose paths differ only in case: neither is made.
	Case bool
}

// String returns the whole sentence.
func (p Problem) String() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Reason)
	}
	return fmt.Sprintf("line %d: %s %s", p.Line, p.Column, p.Reason)
}

// A broken error means that the rest of the file cannot be read.
type broken struct {
	line   int
	reason string
}

func (b *broken) Error() string { return fmt.Sprintf("line %d: %s", b.line, b.reason) }
