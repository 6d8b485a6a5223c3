package linktrack

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// An ImportedLink is a link of another service, or an exported one, that is to be made
// again as it was. Its counts begin at zero.
type ImportedLink struct {
	NewLink // its ExpiresAt may be in the past

	// Path is its path: a vanity link, or a generated path with its dot. If it is
	// "", VanityLink applies; otherwise VanityLink must be "".
	Path string

	// PasswordHash is the [Link.PasswordHash] of a Tracker. If it is nil, Password
	// applies; otherwise Password must be "".
	PasswordHash []byte

	CreatedAt time.Time // zero: now
}

// ErrPresent is an [ErrTaken] that says that the account has the imported link already:
// with the same host, path, and destination.
var ErrPresent = fmt.Errorf("%w by the same link", ErrTaken)

// An ImportCheck is the result of checking an [ImportedLink].
type ImportCheck struct {
	Link Link  // the link that would be made, without a Path if that would be generated; zero if it breaks a rule
	Err  error // nil: the link would be made
}

// maxImport is the maximum number of links in a call of [Tracker.ImportLinks].
const maxImport = 1000

// CheckImport checks up to 1,000 links without making any. The result for each link
// is what [Tracker.ImportLinks] would return for it alone: nil, an [*InvalidError],
// [ErrForbidden], [ErrTaken] or [ErrPresent]. CheckImport itself returns an
// [ErrUnavailable], or an [*InvalidError] for too many links.
func (t *Tracker) CheckImport(ctx context.Context, a Account, in []ImportedLink) ([]ImportCheck, error) {
	if len(in) > maxImport {
		return nil, tooManyImports()
	}
	checks := make([]ImportCheck, len(in))
	var names []LinkName
	for i, link := range in {
		l, err := t.imported(ctx, a, link)
		if err != nil {
			checks[i].Err = err
			continue
		}
		checks[i].Link = l
		if l.Path != "" {
			names = append(names, LinkName{Host: l.Host, Key: l.Key()})
		}
	}
	if len(names) == 0 {
		return checks, nil
	}
	owners, err := t.store.LinksByPath(ctx, names)
	if err != nil {
		return nil, unavailable(err)
	}
	mistakable, err := t.lookAlikes(ctx, a.ID, names)
	if err != nil {
		return nil, err
	}
	for i := range checks {
		l := checks[i].Link
		there, taken := owners[LinkName{Host: l.Host, Key: l.Key()}]
		switch {
		case l.Path != "" && !taken && mistakable[LinkName{Host: l.Host, Key: l.Key()}]:
			checks[i].Err = ErrTaken
		case l.Path == "" || !taken:
		case there.Account == a.ID && there.ExternalURL == l.ExternalURL && !there.IsDeleted():
			checks[i].Err = ErrPresent
		default:
			checks[i].Err = ErrTaken
		}
	}
	return checks, nil
}

// ImportLinks makes up to 1,000 links for the account, all of them or none, and
// returns them in the given order.
//   - All rules of [Tracker.MakeLink] apply. The account's type need not allow a path
//     that was generated, nor the host on which the account's links are by default.
//   - The error is that of the first link that has one, or [ErrTaken] if the path of
//     one is in use or two have the same path; [Tracker.CheckImport] says which. It
//     is [ErrExternalIDTaken] if an ExternalID is in use or two have the same. No link
//     is made then. After an [ErrUnavailable] it is not known whether the links
//     were made.
func (t *Tracker) ImportLinks(ctx context.Context, a Account, in []ImportedLink) ([]Link, error) {
	if len(in) == 0 {
		return nil, nil
	}
	if len(in) > maxImport {
		return nil, tooManyImports()
	}
	links := make([]Link, len(in))
	generate := false
	for i, link := range in {
		l, err := t.imported(ctx, a, link)
		if err != nil {
			return nil, err
		}
		if l.PasswordHash == nil && link.Password != "" {
			if l.PasswordHash, err = t.hashPassword(ctx, a, link.Password); err != nil {
				return nil, err
			}
		}
		links[i] = l
		generate = generate || l.Path == ""
	}
	var made []Link
	err := ErrTaken
	for try := 0; errors.Is(err, ErrTaken) && !errors.Is(err, ErrExternalIDTaken) && (try == 0 || generate && try < 3); try++ {
		for i, link := range in {
			if link.Path == "" && link.VanityLink == "" {
				links[i].Path = "." + randomPath(t.opts.Links.PathLength)
			}
		}
		made, err = t.store.CreateLinks(ctx, links)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	for _, l := range made {
		t.links.forget(l)
	}
	return made, nil
}

func tooManyImports() error { return invalid("links", "must be at most %d at once", maxImport) }

// imported checks a link against all rules, except that its path must be free. The
// result has no Path if one is to be generated.
func (t *Tracker) imported(ctx context.Context, a Account, in ImportedLink) (Link, error) {
	generated := strings.HasPrefix(in.Path, ".")
	switch {
	case in.Path != "" && in.VanityLink != "":
		return Link{}, invalid("vanity_link", "must be left out where the path is given")
	case in.PasswordHash != nil && in.Password != "":
		return Link{}, invalid("password", "must be left out where its hash is given")
	case generated && !isGenerated(in.Path):
		return Link{}, invalid("redirect_hash", "may have 1 to %d letters (a-z) and digits behind its dot", maxGenerated)
	case !generated && in.Path != "":
		in.VanityLink = in.Path
	}
	if in.PasswordHash != nil {
		if err := t.allow(a, []string{"password"}); err != nil {
			return Link{}, err
		}
		// The hash is checked for every visitor who enters a password, and each
		// step of the cost doubles the time.
		if cost, err := bcrypt.Cost(in.PasswordHash); err != nil || cost > maxCost || len(in.PasswordHash) != hashSize {
			return Link{}, invalid("password_hash", "must be the hash of a password that an export has")
		}
	}
	if h, err := t.hostFor(a, in.Host); err == nil {
		if first, err := t.hostFor(a, ""); err == nil && h == first {
			in.Host = ""
		}
	}
	if err := t.allow(a, in.given()); err != nil {
		return Link{}, err
	}
	l, err := t.draft(a, in.NewLink)
	if err != nil {
		return Link{}, err
	}
	l.Path, l.PasswordHash = in.VanityLink, in.PasswordHash
	if generated {
		l.Path = strings.ToLower(in.Path)
	}
	if !in.CreatedAt.IsZero() {
		at := in.CreatedAt.UTC().Truncate(time.Microsecond)
		if at.Year() < 1970 || at.After(l.CreatedAt.Add(24*time.Hour)) { // clocks differ
			return Link{}, invalid("created_at", "must be from 1970 on and not in the future")
		}
		l.CreatedAt = at
	}
	if err := t.checkPath(ctx, l); err != nil {
		return Link{}, err
	}
	return l, t.checkHook(ctx, changedDestinations(&LinkSettings{}, &l.LinkSettings))
}

const (
	maxGenerated = 32 // characters behind the dot
	hashSize     = 60 // bytes, of bcrypt
	maxCost      = bcrypt.DefaultCost + 2
)

// isGenerated reports whether a path that begins with a dot may have been generated, by
// a Tracker or by another service.
func isGenerated(path string) bool {
	name := path[1:]
	return isPathText(name) && mayBeGenerated(name)
}

// AllLinks returns all links of the account, in the order of their IDs. It reads from the store page by page while the loop goes on, so that there may be any
// number of them. A link that is made meanwhile may be missing. If it fails, it yields a
// zero link with an [ErrUnavailable] and ends.
func (t *Tracker) AllLinks(ctx context.Context, a Account) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		if err := a.refuseAnonymous(); err != nil {
			yield(Link{}, err)
			return
		}
		t.applier.beforeReading(ctx)
		q := LinkFilter{Account: a.ID, Archived: WithArchived, Sort: SortID, Ascending: true, Limit: exportPage, DaySince: daySince(now())}
		for {
			links, err := t.linksPart(ctx, q)
			if err != nil {
				yield(Link{}, err)
				return
			}
			for _, l := range links {
				if !yield(l, nil) {
					return
				}
			}
			if len(links) < exportPage {
				return
			}
			after := CursorOf(links[len(links)-1], q.Sort)
			q.After = &after
		}
	}
}

// linksPart reads a page of the list.
func (t *Tracker) linksPart(ctx context.Context, q LinkFilter) ([]Link, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	links, err := t.store.Links(ctx, q)
	return links, unavailable(err)
}
