package linktrack

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Link is one tracking link: where it leads, who owns it, what it allows,
// and what it has counted.
type Link struct {
	ID      int64
	Account AccountID
	Host    string // the host it is on, as the Tracker names it
	Path    string // without the slash: ".f2jt" if generated, "spring_sale" if a vanity link

	LinkSettings

	PasswordHash []byte // nil: no password
	CreatedAt    time.Time
	DeletedAt    time.Time // zero: not deleted. A deleted link answers 410 and is in no list or report.

	Counts Counts
}

// Counts are what a link has counted. Clicks of bots are in Bots and nowhere else.
type Counts struct {
	Day         int64 // people's clicks of the trailing 24 hours, to the hour
	People      int64 // people's clicks
	Unique      int64 // those of them by new visitors
	Bots        int64
	Conversions int64
	Used        int64     // people who were let through a link with a limit
	LastClick   time.Time // of anyone; zero: never
}

// Passed returns the number of people that count for [Link.DeactivateAt]: those
// who were let through or those whose clicks were recorded, whichever is more. A
// link may have clicks from before it had a limit.
func (c Counts) Passed() int64 { return max(c.Used, c.People) }

// Key is what a link's path is compared by: letters of the Latin alphabet
// count without case. Host and Key together identify a link.
func (l Link) Key() string { return strings.ToLower(l.Path) }

// Vanity returns the path if it is a vanity link's, else "".
func (l Link) Vanity() string {
	if strings.HasPrefix(l.Path, ".") {
		return ""
	}
	return l.Path
}

// HasPassword reports whether visitors are asked for one.
func (l Link) HasPassword() bool { return len(l.PasswordHash) > 0 }

// State returns nil if the link lets people through at time now. Otherwise it
// returns the [ErrGone] that says why not, or, if the link will work later,
// [ErrNotYet].
func (l Link) State(now time.Time) error {
	switch {
	case l.IsDeleted():
		return ErrDeleted
	case l.Disabled:
		return ErrInactive
	case !l.ExpiresAt.IsZero() && !now.Before(l.ExpiresAt):
		return ErrExpired
	case l.usedUp():
		return ErrUsedUp
	case now.Before(l.StartsAt):
		return ErrNotYet
	}
	return nil
}

// IsDeleted reports whether the link was deleted and not restored.
func (l Link) IsDeleted() bool { return !l.DeletedAt.IsZero() }

func (l Link) usedUp() bool {
	return l.DeactivateAt > 0 && l.Counts.Passed() >= l.DeactivateAt
}

// GroupKey is what names of groups and of tags are compared by: without case.
func GroupKey(name string) string { return strings.ToLower(name) }

const maxPath = 100 // characters of a vanity link

// checkVanity says whether s can be a vanity link.
func checkVanity(s string, reserved func(key string) bool) error {
	const param = "vanity_link"
	if len(s) > maxPath {
		return invalid(param, "must have at most %d characters", maxPath)
	}
	if !isPathText(s) {
		return invalid(param, "may have letters (a-z), digits, _ and - only")
	}
	if reserved(strings.ToLower(s)) {
		return invalid(param, "is a reserved word")
	}
	return nil
}

// checkText holds a text parameter to its length in characters.
func checkText(param, s string, most int, multiline bool) error {
	if !utf8.ValidString(s) {
		return invalid(param, "must be UTF-8")
	}
	if utf8.RuneCountInString(s) > most {
		return invalid(param, "must have at most %d characters", most)
	}
	for _, r := range s {
		if unicode.IsControl(r) && !(multiline && (r == '\n' || r == '\r' || r == '\t')) {
			return invalid(param, "must not have control characters")
		}
	}
	return nil
}
