package linktrack

import (
	"iter"
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
}

// Properties returns the settings by the names of the API, in the order in which
// the API returns them. A value is a string, a bool, an int64, or a time.Time.
// The names are those of makeLink's parameters, and forward_query and
// has_public_revenue, which are not part of the API. The value of is_active is
// the opposite of Disabled.
func (s LinkSettings) Properties() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, p := range linkProperties {
			if !yield(p.name, p.value(&s)) {
				return
			}
		}
	}
}

// normalize brings settings into the form in which they are kept.
func (s *LinkSettings) normalize() {
	s.Group = strings.TrimSpace(s.Group)
	s.ExpiresAt = s.ExpiresAt.UTC().Truncate(time.Microsecond)
}
