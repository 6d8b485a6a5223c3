package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// An account is the first account, with what the program prints about it.
type account struct {
	linktrack.Account
	pass  string // "" unless it was generated just now
	state string // a description to print
}

// openAccount makes the account that the flags name if the store has none with
// that login. An existing account is left as it is, except that it gets a given
// pass, also to replace a lost one, and a given mail address.
func openAccount(ctx context.Context, t *linktrack.Tracker, c config) (account, error) {
	a, err := t.AccountByLogin(ctx, c.login)
	if errors.Is(err, linktrack.ErrNotFound) {
		made, pass, cause := t.CreateAccount(ctx, linktrack.NewAccount{Login: c.login, Pass: c.pass, Type: c.accountType, Email: c.email})
		switch {
		case cause == nil && c.pass == "":
			return account{made, pass, "new, pass " + pass + " (shown only once)"}, nil
		case cause == nil:
			return account{made, "", "new, with the given pass"}, nil
		case !errors.Is(cause, linktrack.ErrTaken):
			return account{}, ofAccount("make", c.login, cause)
		}
		a, err = t.AccountByLogin(ctx, c.login) // another process made it just now
		if errors.Is(err, linktrack.ErrNotFound) {
			return account{}, fmt.Errorf("the login %s belongs to a key of another account: name another one with -login", c.login)
		}
	}
	switch {
	case err != nil:
		return account{}, ofAccount("look up", c.login, err)
	case a.Disabled:
		return account{a, "", "switched off"}, nil
	case c.email != "" && c.email != a.Email:
		if a, err = t.SetEmail(ctx, a, c.email); err != nil {
			return account{}, ofAccount("change", c.login, err)
		}
	}
	if c.pass == "" {
		return account{a, "", "unchanged, with its previous pass"}, nil
	}
	// If the pass is the same, nothing is changed, so that sessions go on.
	_, err = t.Authenticate(ctx, c.login, c.pass, "")
	switch {
	case err == nil:
		return account{a, "", "unchanged"}, nil
	case !errors.Is(err, linktrack.ErrUnauthorized):
		return account{}, ofAccount("look up", c.login, err)
	}
	if a, err = t.SetPass(ctx, a, c.pass); err != nil {
		return account{}, ofAccount("change", c.login, err)
	}
	return account{a, "", "now has the given pass"}, nil
}

// ofAccount returns an error about an action on the account. If a flag breaks a
// rule, the error names the flag.
func ofAccount(op, login string, err error) error {
	var invalid *linktrack.InvalidError
	if errors.As(err, &invalid) {
		return refused(fmt.Errorf("-%s %s", invalid.Param, invalid.Reason))
	}
	return fmt.Errorf("can't %s the account %s: %w", op, login, err)
}

// greet prints where the server listens and how to make a first link.
func greet(w io.Writer, c config, local, kept string, a account, mail string, days *time.Location) {
	fmt.Fprintf(w, "linktrack listens on %s (links begin with %s, kept in %s)\n", local, c.baseURL, kept)
	if host, port, _ := net.SplitHostPort(c.addr); host == "localhost" || net.ParseIP(host).IsLoopback() {
		fmt.Fprintf(w, "only this machine can connect; -addr :%s listens on all its addresses\n", port)
	}
	fmt.Fprintf(w, "account %s: %s\n", a.Login, a.state)
	if mail != "" {
		fmt.Fprintf(w, "alerts by mail: %s\n", mail)
	}
	fmt.Fprintf(w, "time zone: %s, from %s\n", c.zone, cmp.Or(c.zoneFrom, "the API's documentation; -zone changes it"))
	if days.String() != c.zone.String() {
		fmt.Fprintf(w, "days and hours of reports: in %s, the time zone at the first click\n", days)
	}
	fmt.Fprintf(w, "pages for people: %s%s\n", local, pagesPrefix(c.baseURL))
	if c.anonymousLinks {
		front := strings.TrimSuffix(pagesPrefix(c.baseURL), "account/")
		if !c.hasFront() {
			front = pagesPrefix(c.baseURL) + "quick"
		}
		fmt.Fprintf(w, "anonymous links for anyone: %s%s\n", local, front)
	}
	fmt.Fprintf(w, "make a link%s:\n  %s\n", map[bool]string{true: " (replace PASS with the account's pass)"}[a.pass == ""], curlLine(c.baseURL, local, a))
}

// mailState returns a remark about mails for the account's alerts, "" if there is
// nothing to say.
func mailState(ctx context.Context, t *linktrack.Tracker, c config, a linktrack.Account) string {
	_, err := t.AlertEmail(ctx, a)
	switch {
	case errors.Is(err, linktrack.ErrNoAddress):
		return "none to account " + a.Login + ", which has no mail address; -email or its account page sets one"
	case errors.Is(err, linktrack.ErrNoMailer) && a.Email != "":
		return "none, because -smtp is not set; account " + a.Login + " has a mail address"
	case err == nil:
		return "to the address of account " + a.Login + ", for links with has_alert_email"
	}
	return ""
}

// curlLine returns a shell command that makes a link. It calls the address that
// the server listens on, which may differ from the one that visitors see.
func curlLine(baseURL, local string, a account) string {
	pass := url.QueryEscape(a.pass)
	if pass == "" {
		pass = "PASS"
	}
	host, path := "", ""
	if base, err := url.Parse(baseURL); err == nil {
		path = strings.TrimSuffix(base.EscapedPath(), "/")
		if !strings.HasSuffix(local, "//"+base.Host) {
			host = "-H " + quote("Host: "+base.Host) + " "
		}
	}
	// external_url comes last: unencoded, it runs to the end of the query.
	return "curl " + host + quote(local+path+"/api/v1_0/makeLink?login="+url.QueryEscape(a.Login)+
		"&pass="+pass+"&external_url=https://example.com/")
}

// quote quotes a text for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
