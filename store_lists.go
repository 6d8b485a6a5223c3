package linktrack

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// LinkFilter says which links [LinkStore.Links] returns: those that meet all of its
// conditions.
type LinkFilter struct {
	Account AccountID  // only links of this account
	Names   []LinkName // only links that have one of these names; nil: all
	Groups  []string   // nil: all. Names of groups, compared by GroupKey; unknown ones, and "", match nothing.
	Tags    []string   // nil: all. Names of tags, compared by GroupKey: only links that have one of them.
	Host    string     // only links on this host; "": all

	State    LinkState // only links in this state; "": all
	Now      time.Time // the time for which State holds; without State it has no effect
	Archived Archived  // whether archived links are among them; without effect if Deleted is set
	Deleted  bool      // only links that were deleted, archived or not; false: none of them

	// Search has words, see [LinkFilter.Words]. A link matches if it contains
	// every word in its destination, title, path, notes, or group. A word with a
	// slash also matches in the host and path joined by a slash, as in
	// go.example.com/spring. A word that is equal to a host matches all links on
	// that host. Without words, all links match. ASCII letters are compared
	// without case; a store may do the same for other letters. At least the
	// [SearchDepth] links of the account with the highest IDs are searched;
	// older links may be left out.
	Search string

	Sort      Sort // required
	Ascending bool // else descending; equal links are ordered by ID in the same direction
	Limit     int  // at least 1
	Offset    int  // how many of the first links are left out

	// After continues a list: only links that come after this place in the order of
	// Sort and Ascending are returned; nil: all. It is the CursorOf the last link of
	// the page before, with the same Sort. A walk from page to page returns a link
	// exactly once if it meets the conditions all the time and what it is sorted by
	// does not change, whatever happens to other links. The time for a page does not
	// grow with the pages before it.
	After *LinkCursor

	// DaySince is the beginning of Counts.Day. Its whole hour (UTC) is counted,
	// because Day is a sum of sums by hour.
	DaySince time.Time
}

// Archived says whether archived links are in a list.
type Archived int

const (
	WithoutArchived Archived = iota // only links that are not archived
	WithArchived                    // both
	OnlyArchived                    // only archived links
)

// SearchDepth is the minimum number of an account's newest links that a search
// covers, by their IDs. It limits the cost of a search. Where several servers give the IDs,
// a new link may have a lower one: only then, and if the account has more links than
// SearchDepth, a search may leave it out.
const SearchDepth = 50_000

// Words returns the distinct words of Search, which white space separates. A
// [Tracker] passes at most 20 of them.
func (q LinkFilter) Words() []string {
	var words []string
	for w := range strings.FieldsSeq(q.Search) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// A LinkName names a link by its key, on one host or on any.
type LinkName struct {
	Host string // "" is any host
	Key  string // see [Link.Key]
}

// A Sort is a property by which links are sorted, under the API's name for it. Text
// is sorted by code point. A missing title or group is sorted as empty text, and a
// link without clicks as the link whose last click is the oldest.
type Sort string

const (
	SortExternalURL Sort = "l.external_url"
	SortPath        Sort = "l.redirect_hash" // by Link.Key
	SortCreated     Sort = "l.created_at"
	SortDay         Sort = "lc.count_day"
	SortTotal       Sort = "lc.count_total"
	SortLastClick   Sort = "lc.updated_at"
	SortTitle       Sort = "d.title"
	SortGroup       Sort = "g.name" // by the name as it was first given
	SortID          Sort = "l.id"   // the order in which links were stored, unless several servers give the IDs; the API does not have it
)

// A LinkCursor is a place in a sorted list of links: that of a link which was there. Only
// one of Text and Number is used, depending on the Sort.
type LinkCursor struct {
	Text   string
	Number int64
	ID     int64
}

// CursorOf returns the place of a link in a list with that sort. For SortDay, l.Counts.Day
// must be as the list returned it, and the next page must have the same DaySince.
func CursorOf(l Link, s Sort) LinkCursor {
	c := LinkCursor{ID: l.ID}
	switch s {
	case SortExternalURL:
		c.Text = l.ExternalURL
	case SortPath:
		c.Text = l.Key()
	case SortTitle:
		c.Text = l.Title
	case SortGroup:
		c.Text = l.Group
	case SortCreated:
		c.Number = microsOf(l.CreatedAt)
	case SortLastClick:
		c.Number = microsOf(l.Counts.LastClick)
	case SortDay:
		c.Number = l.Counts.Day
	case SortTotal:
		c.Number = l.Counts.People
	}
	return c
}

// microsOf returns a time in microseconds since 1970, and 0 for the zero time, which
// comes before all others.
func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(t.UnixMicro(), 1)
}

// Compare returns -1 if the place comes before the other one in ascending order, 1 if it
// comes after it, and 0 if they are the same.
func (c LinkCursor) Compare(other LinkCursor) int {
	return cmp.Or(strings.Compare(c.Text, other.Text), cmp.Compare(c.Number, other.Number), cmp.Compare(c.ID, other.ID))
}
