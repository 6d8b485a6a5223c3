package linktrack

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// AccountID identifies an account. A host with users of its own may use their
// numbers, except [AnonymousAccount]'s. The IDs of accounts in the store are 1, 2, and so
// on: if there are such accounts, too, users with these numbers share their links. Then
// use negative IDs for the users.
type AccountID int64

// An Account owns links. Callers of the Tracker's methods pass the account for which
// they act. It need not be in the store.
type Account struct {
	ID        AccountID
	Login     string
	PassHash  []byte   // see [Account.SetPass]
	Type      string   // "free", "professional", or one of AccountOptions.Types; required to make or edit links
	Email     string   // where alerts are mailed; "" none
	Hosts     []string // the Tracker's hosts that it may use; empty: all
	Disabled  bool     // the API and package pages refuse the account; methods such as MakeLink do not look at it
	CreatedAt time.Time
}

// The account types that every Tracker has.
const (
	AccountTypeFree         = "free"         // login, pass and external_url
	AccountTypeProfessional = "professional" // every parameter
)

// An AccountType says what accounts of that type may do.
type AccountType struct {
	// Params are the parameters of makeLink that are allowed beside login,
	// pass and external_url, by the API's names. [New] refuses others.
	Params []string
}

// checkTypes refuses a parameter that makeLink does not have, because the host has
// probably misspelled one.
func checkTypes(types map[string]AccountType) error {
	for _, name := range slices.Sorted(maps.Keys(types)) {
		for _, param := range types[name].Params {
			if !slices.Contains(linkParams, param) {
				return invalid("Accounts.Types", "has %q for accounts of type %s, but must have parameters of makeLink: %s", param, name, strings.Join(linkParams, ", "))
			}
		}
	}
	return nil
}

// checkType refuses a type that no account of this Tracker can have.
func (t *Tracker) checkType(name string) error {
	if _, ok := t.types[name]; ok {
		return nil
	}
	all := []string{AccountTypeFree, AccountTypeProfessional}
	for _, other := range slices.Sorted(maps.Keys(t.types)) {
		if !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	last := len(all) - 1
	return invalid("type", "must be %s or %s, not %q", strings.Join(all[:last], ", "), all[last], name)
}

// refuse returns an error if nobody may act for the account, because it is disabled
// or the account of anonymous links.
func (a Account) refuse() error {
	if a.Disabled {
		return fmt.Errorf("%w: the account is switched off", ErrForbidden)
	}
	return a.refuseAnonymous()
}

// refuseAnonymous refuses the account of anonymous links. A host that passed it for
// visitors who are not signed in would show them all anonymous links.
func (a Account) refuseAnonymous() error {
	if a.ID == AnonymousAccount {
		return fmt.Errorf("%w: nobody may act for the account of anonymous links", ErrForbidden)
	}
	return nil
}

// allow returns an error that names the first of linkParams which is among params
// and which the account's type does not allow.
func (t *Tracker) allow(a Account, params []string) error {
	if err := a.refuseAnonymous(); err != nil {
		return err
	}
	typ, ok := t.types[a.Type]
	if !ok {
		return fmt.Errorf("%w: account type %q is not known", ErrForbidden, a.Type)
	}
	for _, p := range linkParams {
		if slices.Contains(params, p) && !slices.Contains(typ.Params, p) {
			return fmt.Errorf("%w: an account of type %s may not use %s", ErrForbidden, a.Type, p)
		}
	}
	return nil
}

// A NewAccount describes an account that [Tracker.CreateAccount] is to make.
type NewAccount struct {
	Login string   // "": one is generated, 25 hex characters
	Pass  string   // see [Tracker.SetPass]; "": one is generated, 32 hex characters
	Type  string   // "": AccountTypeFree
	Email string   // see [Tracker.SetEmail]; "": no alerts by mail
	Hosts []string // see [Account.Hosts]; empty: all
}

// CreateAccount makes an account in the store. This is the only time that the pass is
// returned, because only a hash of it is stored. [ErrTaken] if the login is in use.
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
	if err := t.checkType(in.Type); err != nil {
		return Account{}, "", err
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

// noPassHash is checked for an unknown login, so that it takes as long as a known one.
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

// Account returns the account in the store that has the ID, for example to continue
// the session of an owner who signed in before. The account may be disabled.
// [ErrNotFound] if there is none, and always with [AccountOptions.Authenticate], whose
// accounts belong to the host.
func (t *Tracker) Account(ctx context.Context, id AccountID) (Account, error) {
	if t.opts.Accounts.Authenticate != nil {
		return Account{}, ErrNotFound
	}
	a, err := t.store.AccountByID(ctx, id)
	return a, unavailable(err)
}

// TypeOf returns the account's type, which says what it may do. [ErrForbidden] if the
// Tracker does not know the type: then the account may do nothing.
func (t *Tracker) TypeOf(a Account) (AccountType, error) {
	typ, ok := t.types[a.Type]
	if !ok {
		return AccountType{}, fmt.Errorf("%w: account type %q is not known", ErrForbidden, a.Type)
	}
	return typ, nil
}

// HostsOf returns the hosts on which the account may make links, in the Tracker's
// order. A [NewLink] without a Host is made on the first of them.
func (t *Tracker) HostsOf(a Account) []string {
	var names []string
	for _, h := range t.hosts.list {
		if a.mayUse(h.name) {
			names = append(names, h.name)
		}
	}
	return names
}
