package linktrack

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// LinkSettings are the properties of a link that its owner sets when the link is
// made, and may change later. The zero value of a field is what makeLink sets
// where the parameter is left out.
type LinkSettings struct {
	ExternalURL string // the destination; required; not on a host of the Tracker, whatever its path
	Title       string // at most 255 characters; "": none, as of the next three
	Description string // at most 2,000 characters
	Notes       string // for the owner alone; at most 10,000 characters
	Group       string // a name of at most 255 characters; its first use makes the group

	Disabled              bool // switched off (is_active 0): the link lets nobody through, see Link.State
	IsPublic              bool // the link may be listed and indexed, see Tracker.Public
	HasPlusTracking       bool // anyone may read a summary at the link's address with "+" after it, see Tracker.Public
	HasPublicTracking     bool // anyone may read the full report, see Tracker.Public
	HasConversionTracking bool // clicks on the link may lead to conversions
	HasAlertEmail         bool // alerts are also sent to Account.Email
	ForwardQuery          bool // the tracking link's query string is added to the destination's, see Options.Links.ForwardQuery

	AlertAt      int64     // the owner is alerted once that many people have clicked; 0: never
	DeactivateAt int64     // that many people are let through, and then nobody; 0: any number
	ExpiresAt    time.Time // from then on the link lets nobody through; stores keep microseconds in UTC; zero: never

	HasPublicRevenue bool // the public report includes the values of conversions

	ExternalID  string    // the owner's own name for the link; at most 255 characters; compared byte by byte, no two links of an account have the same; "": none
	Tags        []string  // names; at most 20 of at most 100 characters; the first use makes a tag; kept once each, in the order of their GroupKey
	IsArchived  bool      // the link is left out of lists; it works as before
	StartsAt    time.Time // before it the link lets nobody through; stores keep microseconds in UTC; zero: always
	FallbackURL string    // where visitors go if the link is switched off, has expired, or is used up; as ExternalURL; "": they get a page
	Confirm     Confirm   // kept, but without effect yet: it must be ""
}

// Confirm says when a visitor must press a button before a link leads on.
type Confirm string

const (
	ConfirmDefault Confirm = ""       // the host's choice
	ConfirmAlways  Confirm = "always" // every visitor
	ConfirmNever   Confirm = "never"  // no visitor
	ConfirmAuto    Confirm = "auto"   // a visitor who may not be a person
)

// Properties returns the settings by the names of the API, in the order in which
// the API returns them. A value is a string, a bool, an int64, or a time.Time.
// The names are those of makeLink's parameters, and forward_query and
// has_public_revenue, which are not part of the API. The value of is_active is
// the opposite of Disabled. ExternalID, Tags, IsArchived, StartsAt, FallbackURL and
// Confirm are left out.
func (s LinkSettings) Properties() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, p := range linkProperties {
			if !p.unlisted && !yield(p.name, p.value(&s)) {
				return
			}
		}
	}
}

// normalize brings settings into the form in which they are kept.
func (s *LinkSettings) normalize() {
	s.Group = strings.TrimSpace(s.Group)
	s.ExpiresAt = s.ExpiresAt.UTC().Truncate(time.Microsecond)
	s.StartsAt = s.StartsAt.UTC().Truncate(time.Microsecond)
	s.Tags = normalizeTags(s.Tags)
}

// normalizeTags returns the tags without spaces around them, each once, in the order of
// their keys. The result shares no memory with tags.
func normalizeTags(tags []string) []string {
	var names []string
	for _, name := range tags {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(GroupKey(a), GroupKey(b)) })
	return slices.CompactFunc(names, func(a, b string) bool { return GroupKey(a) == GroupKey(b) })
}
