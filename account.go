package linktrack

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// AccountID names an account. A host that has its own users may use their
// numbers, but not [AnonymousAccount]'s; none of linktrack's own accounts has an ID below 1.
type AccountID int64

// An Account owns links. Callers of the Tracker's methods pass the account in
// whose name they act; it need not be one that the store keeps.
type Account struct {
	ID        AccountID
	Login     string
	PassHash  []byte   // of the pass, see [Account.SetPass]
	Type      string   // "free", "professional", or one of Options.Accounts.Types
	Email     string   // for alerts; "" none
	Hosts     []string // the Tracker's hosts that it may use; none: all
	Disabled  bool     // switched off: every API call is refused
	CreatedAt time.Time
}

// The account types that linktrack comes with.
const (
	AccountTypeFree         = "free"         // login, pass and external_url
	AccountTypeProfessional = "professional" // every parameter
)

// An AccountType says what the accounts of a type may do.
type AccountType struct {
	// Params are the parameters of makeLink that are allowed beside login,
	// pass and external_url, by the API's names. [New] refuses others.
	Params []string
}

// checkTypes refuses a parameter that makeLink does not have: it is a
// misspelling of one that the host means to allow.
func checkTypes(types map[string]AccountType) error {
	for _, name := range slices.Sorted(maps.Keys(types)) {
		for _, param := range types[name].Params {
			if !slices.Contains(linkParams, param) {
				return invalid("AccountTypes", "has %q for accounts of type %s, which is not a parameter of makeLink", param, name)
			}
		}
	}
	return nil
}

// linkParams are the parameters of makeLink that need an account type which
// allows them, in the documentation's order.
var linkParams = []string{
	"host", "title", "vanity_link", "description", "notes", "alert_at", "deactivate_at",
	"has_alert_email", "password", "is_active", "is_public", "has_plus_tracking",
	"has_public_tracking", "has_conversion_tracking", "expires_at", "group",
}

// refuse returns an error if nobody may act for the account: it is switched off,
// or it is the account of quick links.
func (a Account) refuse() error {
	if a.Disabled {
		return fmt.Errorf("%w: the account is switched off", ErrForbidden)
	}
	return a.refuseAnonymous()
}

// refuseAnonymous keeps the account of quick links to linktrack itself. A host that
// returns it for visitors who are not signed in would show them all quick links.
func (a Account) refuseAnonymous() error {
	if a.ID == AnonymousAccount {
		return fmt.Errorf("%w: nobody may act for the account of quick links", ErrForbidden)
	}
	return nil
}

// allow is the rule of account types: it refuses the first parameter that the
// account's type does not have.
func (t *Tracker) allow(a Account, params []string) error {
	if err := a.refuseAnonymous(); err != nil {
		return err
	}
	typ, ok := t.types[a.Type]
	if !ok {
		return fmt.Errorf("%w: account type %q is not known", ErrForbidden, a.Type)
	}
	for _, p := range params {
		if !slices.Contains(typ.Params, p) {
			return fmt.Errorf("%w: an account of type %s may not use %s", ErrForbidden, a.Type, p)
		}
	}
	return nil
}

// NewAccount is what [Tracker.CreateAccount] makes an account from.
type NewAccount struct {
	Login string   // "": one is generated, 25 hex characters
	Pass  string   // "": one is generated, 32 hex characters; see [Tracker.SetPass] for one of your own
	Type  string   // "": AccountTypeFree
	Email string   // one address, see Tracker.SetEmail; "": no alerts by mail
	Hosts []string // none: all
}

// CreateAccount makes an account that the store keeps. The pass is returned
// here and never again: only a hash of it is kept. [ErrTaken] if the login is
// in use.
func (t *Tracker) CreateAccount(ctx context.Context, in NewAccount) (a Account, pass string, err error) {
	if in.Login == "" {
		in.Login = randomHex(25)
	}
	if in.Pass == "" {
		in.Pass = randomHex(32)
	} else if err := checkNewPass(in.Pass); err != nil {
		return Account{}, "", err
	}
	if in.Type == "" {
		in.Type = AccountTypeFree
	}
	if _, ok := t.types[in.Type]; !ok {
		return Account{}, "", invalid("type", "%q is no account type of this Tracker", in.Type)
	}
	if err := checkText("login", in.Login, maxLogin, false); err != nil {
		return Account{}, "", err
	}
	if err := checkEmail(in.Email); err != nil {
		return Account{}, "", err
	}
	hosts := make([]string, 0, len(in.Hosts))
	for _, h := range in.Hosts {
		s, ok := t.hosts.find(h)
		if !ok {
			return Account{}, "", invalid("hosts", "has %q, which this Tracker does not serve", h)
		}
		hosts = append(hosts, s.name)
	}
	a, err = t.store.CreateAccount(ctx, Account{
		Login:     in.Login,
		PassHash:  hashPass(in.Pass),
		Type:      in.Type,
		Email:     in.Email,
		Hosts:     hosts,
		CreatedAt: now(),
	})
	if err != nil {
		return Account{}, "", unavailable(err)
	}
	return a, in.Pass, nil
}

const maxLogin = 100 // characters

func (t *Tracker) authenticate(ctx context.Context, login, pass string) (Account, error) {
	if t.opts.Accounts.Authenticate != nil {
		a, err := t.opts.Accounts.Authenticate(ctx, login, pass)
		if errors.Is(err, ErrUnauthorized) {
			err = ErrUnauthorized // one text, whatever the host wrapped around it
		}
		if err != nil && !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrForbidden) {
			err = fmt.Errorf("%w: %v", ErrUnavailable, err) // whatever else it may be
		}
		return a, err
	}
	a, err := t.store.AccountByLogin(ctx, login)
	unknown := errors.Is(err, ErrNotFound)
	if err != nil && !unknown {
		return Account{}, unavailable(err)
	}
	if unknown {
		a = Account{PassHash: noPassHash}
	}
	if !checkPass(a.PassHash, pass) || unknown {
		return Account{}, ErrUnauthorized
	}
	return a, nil
}

// SetPass sets the account's PassHash to 16 random bytes and the SHA-256 of them and
// the pass. It is for code that writes to a [Store] itself; a Tracker has
// [Tracker.SetPass].
//
// A fast hash is enough for a pass: it has 128 random bits and is sent with every
// call. Link passwords, which people choose, are hashed by bcrypt.
func (a *Account) SetPass(pass string) { a.PassHash = hashPass(pass) }

func hashPass(pass string) []byte {
	salt := make([]byte, 16)
	rand.Read(salt)
	return passHash(salt, pass)
}

func passHash(salt []byte, pass string) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write([]byte(pass))
	return h.Sum(slices.Clone(salt))
}

func checkPass(hash []byte, pass string) bool {
	if len(hash) != 16+sha256.Size {
		return false
	}
	return subtle.ConstantTimeCompare(hash, passHash(hash[:16], pass)) == 1
}

// noPassHash is checked where there is no account, so that an unknown login
// takes as long as a known one.
var noPassHash = make([]byte, 16+sha256.Size)

// randomHex returns n lower-case hex characters from crypto/rand.
func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	rand.Read(b)
	return hex.EncodeToString(b)[:n]
}

// mayUse reports whether the account may make links on a host of the Tracker.
func (a Account) mayUse(host string) bool {
	return len(a.Hosts) == 0 || slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// Account returns the account of the store that has the ID: for whoever keeps a
// session of one who gave its login and pass. [ErrNotFound] if there is none,
// as always with [AccountOptions.Authenticate], whose accounts are the host's own. It
// may be switched off, see [Account.Disabled].
func (t *Tracker) Account(ctx context.Context, id AccountID) (Account, error) {
	if t.opts.Accounts.Authenticate != nil {
		return Account{}, ErrNotFound
	}
	a, err := t.store.AccountByID(ctx, id)
	return a, unavailable(err)
}

// TypeOf returns what the account may do by its type. [ErrForbidden] if the
// Tracker does not know the type: then it may do nothing.
func (t *Tracker) TypeOf(a Account) (AccountType, error) {
	typ, ok := t.types[a.Type]
	if !ok {
		return AccountType{}, fmt.Errorf("%w: account type %q is not known", ErrForbidden, a.Type)
	}
	return typ, nil
}

// HostsOf returns the hosts that the account may make links on, in the Tracker's
// order. The first is the one that [NewLink] means by "".
func (t *Tracker) HostsOf(a Account) []string {
	var names []string
	for _, h := range t.hosts.list {
		if a.mayUse(h.name) {
			names = append(names, h.name)
		}
	}
	return names
}
