package linktrack

import (
	"context"
	"strings"
	"time"
)

// A LinkEdit is what [Tracker.UpdateLink] changes: nil leaves a property as it
// is, a pointer to a zero value clears it. The path and the host never change:
// the link is out in the world.
type LinkEdit struct {
	ExternalURL *string
	Title       *string
	Description *string
	Notes       *string
	Password    *string // to "": none is asked for any more
	Group       *string

	AlertAt      *int64
	DeactivateAt *int64
	ExpiresAt    *time.Time // in the past: the link has expired

	IsActive              *bool
	IsPublic              *bool
	HasPlusTracking       *bool
	HasPublicTracking     *bool
	HasConversionTracking *bool
	HasAlertEmail         *bool
	ForwardQuery          *bool
	HasPublicRevenue      *bool
}

// UpdateLink changes a link of the account. name is as in [Tracker.Link]. The
// errors are those of [Tracker.MakeLink] and [ErrNotFound]; nothing is changed
// then. This process follows the link as changed from the return on, others
// within their [LinkOptions.CacheTTL]; only the limit of DeactivateAt is the
// store's own, and holds everywhere from the next visit that asks for it.
func (t *Tracker) UpdateLink(ctx context.Context, a Account, name string, edit LinkEdit) (Link, error) {
	if err := t.allow(a, edit.given()); err != nil {
		return Link{}, err
	}
	old, err := t.Link(ctx, a, name)
	if err != nil {
		return Link{}, err
	}
	// A destination that was right when it was set, and may not be now, must
	// not keep its link from being switched off.
	if edit.ExternalURL != nil {
		if err := t.destinations.check(*edit.ExternalURL); err != nil {
			return Link{}, err
		}
		if err := t.checkHook(ctx, *edit.ExternalURL); err != nil {
			return Link{}, err
		}
	}
	var hash []byte
	if edit.Password != nil && *edit.Password != "" {
		if hash, err = t.hashPassword(ctx, a, *edit.Password); err != nil {
			return Link{}, err
		}
	}
	l, err := t.store.UpdateLink(ctx, old.ID, func(l *Link) error {
		edit.apply(l)
		if edit.Password != nil {
			l.PasswordHash = hash
		}
		return t.checkLink(*l)
	})
	if err != nil {
		return Link{}, unavailable(err)
	}
	t.links.forget(l)
	return l, nil
}

func (e LinkEdit) apply(l *Link) {
	set(&l.ExternalURL, e.ExternalURL)
	set(&l.Title, e.Title)
	set(&l.Description, e.Description)
	set(&l.Notes, e.Notes)
	set(&l.AlertAt, e.AlertAt)
	set(&l.DeactivateAt, e.DeactivateAt)
	set(&l.IsActive, e.IsActive)
	set(&l.IsPublic, e.IsPublic)
	set(&l.HasPlusTracking, e.HasPlusTracking)
	set(&l.HasPublicTracking, e.HasPublicTracking)
	set(&l.HasConversionTracking, e.HasConversionTracking)
	set(&l.HasAlertEmail, e.HasAlertEmail)
	set(&l.ForwardQuery, e.ForwardQuery)
	set(&l.HasPublicRevenue, e.HasPublicRevenue)
	if e.Group != nil {
		l.Group = strings.TrimSpace(*e.Group)
	}
	if e.ExpiresAt != nil {
		l.ExpiresAt = time.Time{}
		if !e.ExpiresAt.IsZero() {
			l.ExpiresAt = e.ExpiresAt.UTC().Truncate(time.Microsecond)
		}
	}
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// given are the parameters that the edit changes.
func (e LinkEdit) given() []string {
	var params []string
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"title", e.Title != nil},
		{"description", e.Description != nil},
		{"notes", e.Notes != nil},
		{"alert_at", e.AlertAt != nil},
		{"deactivate_at", e.DeactivateAt != nil},
		{"has_alert_email", e.HasAlertEmail != nil},
		{"password", e.Password != nil},
		{"is_active", e.IsActive != nil},
		{"is_public", e.IsPublic != nil},
		{"has_plus_tracking", e.HasPlusTracking != nil},
		{"has_public_tracking", e.HasPublicTracking != nil},
		{"has_conversion_tracking", e.HasConversionTracking != nil},
		{"expires_at", e.ExpiresAt != nil},
		{"group", e.Group != nil},
	} {
		if p.set {
			params = append(params, p.name)
		}
	}
	return params
}
