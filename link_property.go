package linktrack

import (
	"slices"
	"time"
)

// A linkProperty describes one field of LinkSettings. Whatever reads, writes,
// checks, or compares settings does it by linkProperties.
type linkProperty struct {
	// name is the property's name in the API: of makeLink's parameter and of
	// the field in answers. Exports use it for their columns, and the pages for
	// their forms.
	name string

	// field returns a pointer to the field: a *string, *bool, *int64, *time.Time,
	// *[]string, or *Confirm. The pointer's type decides how a parameter is parsed.
	field func(*LinkSettings) any

	opposite bool // the API's value is the opposite of the field's
	free     bool // accounts of every type may set it
	internal bool // the API neither takes nor returns it
	unlisted bool // LinkSettings.Properties leaves it out, so that forms and exports do not have it

	characters int  // the longest text, or item of a list; 0: the property has a check of its own
	multiline  bool // the text may have line ends and tabs
}

// linkProperties are in the order in which the API returns them, see
// linkFields. A new property goes to the end, because the order of the API's
// fields must not change.
var linkProperties = []linkProperty{
	{name: "external_url", field: func(s *LinkSettings) any { return &s.ExternalURL }, free: true},
	{name: "title", field: func(s *LinkSettings) any { return &s.Title }, characters: maxTitle},
	{name: "description", field: func(s *LinkSettings) any { return &s.Description }, characters: maxDescription, multiline: true},
	{name: "notes", field: func(s *LinkSettings) any { return &s.Notes }, characters: maxNotes, multiline: true},
	{name: "group", field: func(s *LinkSettings) any { return &s.Group }, characters: maxGroup},
	{name: "is_active", field: func(s *LinkSettings) any { return &s.Disabled }, opposite: true},
	{name: "is_public", field: func(s *LinkSettings) any { return &s.IsPublic }},
	{name: "has_plus_tracking", field: func(s *LinkSettings) any { return &s.HasPlusTracking }},
	{name: "has_public_tracking", field: func(s *LinkSettings) any { return &s.HasPublicTracking }},
	{name: "has_conversion_tracking", field: func(s *LinkSettings) any { return &s.HasConversionTracking }},
	{name: "has_alert_email", field: func(s *LinkSettings) any { return &s.HasAlertEmail }},
	{name: "forward_query", field: func(s *LinkSettings) any { return &s.ForwardQuery }, free: true, internal: true},
	{name: "alert_at", field: func(s *LinkSettings) any { return &s.AlertAt }},
	{name: "deactivate_at", field: func(s *LinkSettings) any { return &s.DeactivateAt }},
	{name: "expires_at", field: func(s *LinkSettings) any { return &s.ExpiresAt }},
	{name: "has_public_revenue", field: func(s *LinkSettings) any { return &s.HasPublicRevenue }, free: true, internal: true},
	{name: "external_id", field: func(s *LinkSettings) any { return &s.ExternalID }, free: true, internal: true, unlisted: true, characters: maxExternalID},
	{name: "tags", field: func(s *LinkSettings) any { return &s.Tags }, free: true, internal: true, unlisted: true, characters: maxTag},
	{name: "is_archived", field: func(s *LinkSettings) any { return &s.IsArchived }, free: true, internal: true, unlisted: true},
	{name: "starts_at", field: func(s *LinkSettings) any { return &s.StartsAt }, free: true, internal: true, unlisted: true},
	{name: "fallback_url", field: func(s *LinkSettings) any { return &s.FallbackURL }, free: true, internal: true, unlisted: true},
	{name: "confirm", field: func(s *LinkSettings) any { return &s.Confirm }, free: true, internal: true, unlisted: true},
}

const (
	maxTitle       = 255 // characters; likewise the next five
	maxDescription = 2000
	maxNotes       = 10000
	maxGroup       = 255
	maxExternalID  = 255
	maxTag         = 100
	maxTags        = 20
)

// linkParams are the parameters of makeLink that an account type must allow.
var linkParams = func() []string {
	names := []string{"host", "vanity_link", "password"}
	for _, p := range linkProperties {
		if !p.free {
			names = append(names, p.name)
		}
	}
	return names
}()

// value returns the property's value as the API has it.
func (p *linkProperty) value(s *LinkSettings) any {
	switch f := p.field(s).(type) {
	case *string:
		return *f
	case *bool:
		return *f != p.opposite
	case *int64:
		return *f
	case *time.Time:
		return *f
	case *[]string:
		return *f
	case *Confirm:
		return *f
	}
	return nil
}

// parse sets the property to the value of its parameter, or to zero if that is
// absent.
func (p *linkProperty) parse(s *LinkSettings, from params, zone *time.Location) (err error) {
	switch f := p.field(s).(type) {
	case *string:
		*f = from[p.name]
	case *bool:
		*f, err = from.flag(p.name, p.opposite)
		*f = *f != p.opposite
	case *int64:
		*f, err = from.number(p.name)
	case *time.Time:
		*f, err = from.time(p.name, zone)
	case *[]string:
		*f, err = from.list(p.name)
	case *Confirm:
		*f = Confirm(from[p.name])
	}
	return err
}

// same reports whether a and b do not differ in the property.
func (p *linkProperty) same(a, b *LinkSettings) bool {
	x, y := p.value(a), p.value(b)
	switch x := x.(type) {
	case time.Time:
		return x.Equal(y.(time.Time))
	case []string:
		return slices.Equal(x, y.([]string))
	}
	return x == y
}

// check returns the error of a value that breaks the property's rule.
func (p *linkProperty) check(s *LinkSettings, zone *time.Location) error {
	switch v := p.value(s).(type) {
	case string:
		if p.characters > 0 {
			return checkText(p.name, v, p.characters, p.multiline)
		}
	case int64:
		if v < 0 {
			return invalid(p.name, "must be a whole number, 0 or more")
		}
	case time.Time:
		if y := v.In(zone).Year(); !v.IsZero() && (y < 1970 || y > 9999) {
			return invalid(p.name, "must be a year from 1970 to 9999")
		}
	case []string:
		if len(v) > maxTags {
			return invalid(p.name, "must have at most %d items", maxTags)
		}
		for _, item := range v {
			if err := checkText(p.name, item, p.characters, p.multiline); err != nil {
				return err
			}
		}
	case Confirm:
		if v != ConfirmDefault {
			return invalid(p.name, "cannot be set yet")
		}
	}
	return nil
}

// differences returns the names of the properties in which a and b differ.
func differences(a, b *LinkSettings) []string {
	var names []string
	for _, p := range linkProperties {
		if !p.same(a, b) {
			names = append(names, p.name)
		}
	}
	return names
}

// checkSettings holds the properties in which after differs from before to their
// rules. Destinations have their own, see destinationRule.
func (t *Tracker) checkSettings(before, after *LinkSettings) error {
	for _, p := range linkProperties {
		if p.same(before, after) {
			continue
		}
		if err := p.check(after, t.opts.TimeZone); err != nil {
			return err
		}
	}
	return nil
}
