package linktrack

import (
	"context"
	"errors"
)

// A LinkEdit is what [Tracker.UpdateLink] changes of a link. The path and the
// host never change: the link is out in the world.
type LinkEdit struct {
	LinkSettings

	// Password is the new password, and "" removes it. nil, as it always is at
	// first, leaves it as it is.
	Password *string
}

// UpdateLink changes a link of the account. name is as in [Tracker.Link]. change
// gets the link's settings as they are and sets what is to be different. It may be
// called again if the link is edited at the same time, so no edit is lost: it
// must depend only on what it gets.
//
// What the account's type must allow, and which rules are checked, depends on
// what is different afterwards. So a destination that was allowed once, and no
// longer is, can stay. An ExpiresAt in the past is allowed: the link has expired.
//
// The errors are those of [Tracker.MakeLink] and [ErrNotFound]; nothing is changed
// then. This process follows the link as changed from the return on, others
// within their [LinkOptions.CacheTTL]; only the limit of DeactivateAt is the
// store's own, and holds everywhere from the next visit that asks for it.
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
		t.links.forget(l)
		return l, nil
	}
}

var errEdited = errors.New("the link was edited at the same time")

// A linkUpdate is a change of a link that was held to the rules. What takes long
// is done once, also where prepare is called again.
type linkUpdate struct {
	t       *Tracker
	account Account

	edit    LinkEdit
	allowed string // the destination that checkHook allowed; "": none was asked about
	hashed  string // the password of hash
	hash    []byte
}

// prepare applies change to a link's settings, and holds the result to the rules.
func (u *linkUpdate) prepare(ctx context.Context, settings LinkSettings, change func(*LinkEdit)) (err error) {
	u.edit = LinkEdit{LinkSettings: settings}
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
	if e.ExternalURL != settings.ExternalURL {
		if err := u.t.destinations.check(e.ExternalURL); err != nil {
			return err
		}
	}
	if err := u.t.checkSettings(&settings, &e.LinkSettings); err != nil {
		return err
	}
	if e.ExternalURL != settings.ExternalURL && e.ExternalURL != u.allowed {
		if err := u.t.checkHook(ctx, e.ExternalURL); err != nil {
			return err
		}
		u.allowed = e.ExternalURL
	}
	if e.Password != nil && *e.Password != u.hashed {
		if u.hash, err = u.t.hashPassword(ctx, u.account, *e.Password); err != nil {
			return err
		}
		u.hashed = *e.Password
	}
	return nil
}

// apply sets what was prepared.
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
