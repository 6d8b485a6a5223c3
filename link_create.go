package linktrack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// A NewLink describes a link that [Tracker.MakeLink] is to make, with the parameters of
// makeLink. A zero field is the same as an absent parameter.
type NewLink struct {
	LinkSettings

	Host       string // one of the Tracker's hosts; "": its first that the account may use
	VanityLink string // "": a path is generated
	Password   string // "": none is asked for
}

// given returns the parameters that are set, for the rule of account types.
func (n *NewLink) given() []string {
	names := differences(&LinkSettings{}, &n.LinkSettings)
	for name, value := range map[string]string{"host": n.Host, "vanity_link": n.VanityLink, "password": n.Password} {
		if value != "" {
			names = append(names, name)
		}
	}
	return names
}

// MakeLink makes a link for the account. Every call makes a new one. The errors, with
// which no link is made:
//   - an [*InvalidError]
//   - [ErrForbidden] if the account's type does not allow a parameter, or
//     [LinkOptions.CheckDestination] or [LinkOptions.CheckPath] refuses the link
//   - [ErrTaken] if the vanity link is in use, [ErrExternalIDTaken] if the
//     ExternalID is
//   - [ErrUnavailable]
func (t *Tracker) MakeLink(ctx context.Context, a Account, in NewLink) (Link, error) {
	if err := t.allow(a, in.given()); err != nil {
		return Link{}, err
	}
	return t.makeLink(ctx, a, in)
}

// makeLink makes a link without checking what the account's type allows.
func (t *Tracker) makeLink(ctx context.Context, a Account, in NewLink) (Link, error) {
	l, err := t.draft(a, in)
	if err != nil {
		return Link{}, err
	}
	if !l.ExpiresAt.IsZero() && !l.ExpiresAt.After(l.CreatedAt) {
		return Link{}, invalid("expires_at", "must not be in the past")
	}
	if err := t.checkHook(ctx, changedDestinations(&LinkSettings{}, &l.LinkSettings)); err != nil {
		return Link{}, err
	}
	l.Path = in.VanityLink
	if err := t.checkPath(ctx, l); err != nil {
		return Link{}, err
	}
	if in.Password != "" {
		if l.PasswordHash, err = t.hashPassword(ctx, a, in.Password); err != nil {
			return Link{}, err
		}
	}
	made, err := t.createLink(ctx, l)
	if err != nil {
		return Link{}, err
	}
	t.links.forget(made)
	return made, nil
}

// draft checks a new link against all rules that need neither the store nor the host,
// except the account's type, and returns the link without its path.
func (t *Tracker) draft(a Account, in NewLink) (Link, error) {
	l := Link{Account: a.ID, LinkSettings: in.LinkSettings, CreatedAt: now()}
	l.normalize()
	h, err := t.hostFor(a, in.Host)
	if err != nil {
		return Link{}, err
	}
	l.Host = h.name
	if in.VanityLink != "" {
		if err := checkVanity(in.VanityLink, func(key string) bool { return t.reserved[key] }); err != nil {
			return Link{}, err
		}
	}
	if err := t.destinations.checkAll(changedDestinations(&LinkSettings{}, &l.LinkSettings)); err != nil {
		return Link{}, err
	}
	return l, t.checkSettings(&LinkSettings{}, &l.LinkSettings)
}

// createLink stores a new link. A link without a path gets a random one that is free.
func (t *Tracker) createLink(ctx context.Context, l Link) (Link, error) {
	if vanity := l.Path; vanity != "" {
		taken, err := t.lookAlikes(ctx, l.Account, []LinkName{{Host: l.Host, Key: l.Key()}})
		if err != nil {
			return Link{}, err
		}
		if len(taken) > 0 {
			return Link{}, fmt.Errorf("vanity_link %s is %w, with a dot before it", vanity, ErrTaken)
		}
		made, err := t.storeLink(ctx, l)
		if errors.Is(err, ErrTaken) && !errors.Is(err, ErrExternalIDTaken) {
			return Link{}, fmt.Errorf("vanity_link %s is %w", vanity, ErrTaken)
		}
		return made, unavailable(err)
	}
	for range 20 { // the chance that a random path is in use is small; twenty in a row mean a bug
		l.Path = "." + randomPath(t.opts.Links.PathLength)
		made, err := t.storeLink(ctx, l)
		if !errors.Is(err, ErrTaken) || errors.Is(err, ErrExternalIDTaken) {
			return made, unavailable(err)
		}
	}
	return Link{}, unavailable(errors.New("no free path was found"))
}

// storeLink stores one link.
func (t *Tracker) storeLink(ctx context.Context, l Link) (Link, error) {
	made, err := t.store.CreateLinks(ctx, []Link{l})
	if err != nil {
		return Link{}, err
	}
	return made[0], nil
}

// randomPath returns n random characters of lower-case base 36, all equally likely.
func randomPath(n int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	path := make([]byte, 0, n)
	var b [64]byte
	for {
		rand.Read(b[:])
		for _, c := range b {
			if c < 252 { // 7 times 36
				if path = append(path, digits[c%36]); len(path) == n {
					return string(path)
				}
			}
		}
	}
}

func (t *Tracker) hostFor(a Account, name string) (*servedHost, error) {
	if name != "" {
		h, ok := t.hosts.find(name)
		if !ok {
			return nil, invalid("host", "is not a host that is served here")
		}
		if !a.mayUse(h.name) {
			return nil, invalid("host", "is not a host that this account may use")
		}
		return h, nil
	}
	for _, h := range t.hosts.list {
		if a.mayUse(h.name) {
			return h, nil
		}
	}
	return nil, fmt.Errorf("%w: the account may use no host that is served here", ErrForbidden)
}

func (t *Tracker) checkHook(ctx context.Context, all []destination) error {
	if t.opts.Links.CheckDestination == nil {
		return nil
	}
	for _, to := range all {
		if err := t.opts.Links.CheckDestination(ctx, to.url); err != nil {
			return fmt.Errorf("%w: %s is refused: %w", ErrForbidden, to.param, err)
		}
	}
	return nil
}

const maxPassword = 1000 // bytes

func (t *Tracker) hashPassword(ctx context.Context, a Account, password string) ([]byte, error) {
	if len(password) > maxPassword {
		return nil, invalid("password", "must have at most %d bytes", maxPassword)
	}
	end, err := t.passwords.acquire(ctx, accountShare(a, hashesOfAccount))
	if err != nil {
		return nil, err
	}
	defer end()
	return hashPassword(password)
}
