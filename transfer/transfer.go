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
//	password_hash            only if it is asked for
//
// Texts are written so that no spreadsheet takes them for formulas: where one
// begins like a formula, an apostrophe stands before it, which [Import] takes
// away again.
//
// Import reads these columns in any order; external_url alone is required. A
// column vanity_link is read like redirect_hash, and times without a zone, as
// the API writes them, are in the Tracker's. Between fields there may be commas,
// semicolons or tabs.
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
// [YOURLS]: the table yourls_url as CSV (phpMyAdmin's export) or in an SQL dump
// (mysqldump). keyword becomes the path, timestamp is read in the Tracker's zone,
// title is cut to what a title may have; ip and clicks are left behind.
//
// [Shlink]: what GET /rest/v3/short-urls answers, one page after the other in
// one file if there are several. validUntil becomes expires_at, maxVisits less
// the visits that were counted becomes deactivate_at, a single tag becomes the
// group, and several are written into the notes. A link with a validSince in the
// future is refused, since links here begin at once.
//
// Both tell paths apart by case, and a Tracker does not: of two that differ in
// nothing else the second is reported as a clash.
package transfer

import (
	"errors"
	"fmt"
)

// A Format is what wrote a file.
type Format string

const (
	CSV    Format = "csv"    // Export, or a person
	YOURLS Format = "yourls" // its database's table yourls_url, as CSV or SQL
	Shlink Format = "shlink" // its REST API, as JSON
)

// ErrRefused: some lines of a file are not as they must be, so nothing of it was
// imported.
var ErrRefused = errors.New("the file has problems, and nothing of it is imported")

// A Problem is why a line of a file is not imported.
type Problem struct {
	Line   int    // from 1, where the link's text begins
	Column string // as the file calls it; "" no certain one
	Reason string // continues a sentence that begins with Column
	Clash  bool   // the path is in use, or stands further up in the file
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
