package linktrack

import (
	"context"
	"errors"
	"slices"
)

// A LinkEdit is what [Tracker.UpdateLink] can change of a link. The path and the host
// cannot change, because the link has been published.
type LinkEdit struct {
	LinkSettings

	// Password is the new password; "" removes the password. It is nil at first,
	// and nil does not change the password.
	Password *string
}

// UpdateLink changes a link of the account; name is as in [Tracker.Link].
//   - change gets the current settings and modifies them. It is called again if the
//     link is edited at the same time, so that no edit is lost. So its result must
//     depend only on what it gets.
//   - The account's type and the rules are checked for the settings that are
//     different afterwards. So a destination that is not allowed any more can stay.
//     An ExpiresAt in the past is allowed: the link has expired.
//   - The errors are those of [Tracker.MakeLink] and [ErrNotFound]. Nothing is changed
//     then.
//   - This process follows the changed link when UpdateLink has returned, other
//     processes as [LinkOptions.CacheTTL] says. A new DeactivateAt
//     applies at once in all processes, because the store checks it.
func (t *Tracker) UpdateLink(ctx context.Context, a Account, name string, change func(*LinkEdit)) (Link, error) {
	old, err := t.Link(ctx, a, name)
	if err != nil {
		return Link{}, err
	}
	u := linkUpdate{t: t, account: a}
	settings := old.LinkSettings
	for {
		if err := u.prepare(ctx, settings, change); err != nil {
			return Link{}, err
		}
		var current LinkSettings
		l, err := t.store.UpdateLink(ctx, old.ID, func(l *Link) error {
			if l.Account != a.ID || l.IsDeleted() { // by another caller since it was found
				return ErrNotFound
			}
			current = l.LinkSettings
			if len(differences(&settings, &current)) > 0 {
				return errEdited
			}
			u.apply(l)
			return nil
		})
		if errors.Is(err, errEdited) {
			settings = current
			continue
		}
		if err != nil {
			return Link{}, unavailable(err)
		}
		t.links.forgetAll(ctx, l)
		return l, nil
	}
}

var errEdited = errors.New("the link was edited at the same time")

// A linkUpdate is a change of a link that was checked against the rules. Slow checks are
// not repeated when prepare is called again.
type linkUpdate struct {
	t       *Tracker
	account Account

	edit    LinkEdit
	allowed []destination // those that checkHook allowed
	hashed  string        // the password that hash is of
	hash    []byte
}

// prepare applies change to a link's settings, and checks the result.
func (u *linkUpdate) prepare(ctx context.Context, settings LinkSettings, change func(*LinkEdit)) (err error) {
	u.edit = LinkEdit{LinkSettings: settings}
	u.edit.Tags = slices.Clone(settings.Tags) // change may write to them
	change(&u.edit)
	e := &u.edit
	e.normalize()
	given := differences(&settings, &e.LinkSettings)
	if e.Password != nil {
		given = append(given, "password")
	}
	if err := u.t.allow(u.account, given); err != nil {
		return err
	}
	changed := changedDestinations(&settings, &e.LinkSettings)
	if err := u.t.destinations.checkAll(changed); err != nil {
		return err
	}
	if err := u.t.checkSettings(&settings, &e.LinkSettings); err != nil {
		return err
	}
	changed = slices.DeleteFunc(changed, func(to destination) bool { return slices.Contains(u.allowed, to) })
	if err := u.t.checkHook(ctx, changed); err != nil {
		return err
	}
	u.allowed = append(u.allowed, changed...)
	if e.Password != nil && *e.Password != u.hashed {
		if u.hash, err = u.t.hashPassword(ctx, u.account, *e.Password); err != nil {
			return err
		}
		u.hashed = *e.Password
	}
	return nil
}

// apply sets the prepared settings.
func (u *linkUpdate) apply(l *Link) {
	l.LinkSettings = u.edit.LinkSettings
	switch {
	case u.edit.Password == nil:
	case *u.edit.Password == "":
		l.PasswordHash = nil
	default:
		l.PasswordHash = u.hash
	}
}
