package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// An account is the first one, as the program introduces it.
type account struct {
	login string
	pass  string // "": not known, it was shown when it was made
	state string // what to tell about it
}

// openAccount makes the account that the flags name, if the store has none of
// that login. One that exists stays as it is; a pass that was given becomes
// its own, which is also the way out when the pass is lost.
func openAccount(ctx context.Context, t *linktrack.Tracker, store linktrack.Store, c config) (account, error) {
	made, pass, err := t.CreateAccount(ctx, linktrack.NewAccount{Login: c.login, Pass: c.pass, Type: c.accountType})
	if err == nil {
		state := "new, with the pass that was given"
		if c.pass == "" {
			state = "new, pass " + pass + " (shown this once)"
		}
		return account{made.Login, pass, state}, nil
	}
	if errors.As(err, new(*linktrack.InvalidError)) {
		return account{}, refused(fmt.Errorf("the account can't be made: %w", err))
	}
	if !errors.Is(err, linktrack.ErrTaken) {
		return account{}, fmt.Errorf("can't make the account %s: %w", c.login, err)
	}
	if c.pass == "" {
		return account{login: c.login, state: "as it was, with the pass that was shown when it was made"}, nil
	}
	existing, err := t.Authenticate(ctx, c.login, c.pass, "")
	switch {
	case err == nil:
		return account{existing.Login, c.pass, "as it was"}, nil
	case errors.Is(err, linktrack.ErrForbidden):
		return account{login: c.login, state: "switched off"}, nil
	case !errors.Is(err, linktrack.ErrUnauthorized):
		return account{}, fmt.Errorf("can't look up the account %s: %w", c.login, err)
	}
	existing, err = store.AccountByLogin(ctx, c.login)
	if err == nil {
		existing.PassHash = linktrack.HashPass(c.pass)
		err = store.UpdateAccount(ctx, existing)
	}
	if err != nil {
		return account{}, fmt.Errorf("can't give the account %s its new pass: %w", c.login, err)
	}
	return account{existing.Login, c.pass, "has the pass that was given from now on"}, nil
}

// greet prints where the server listens and how to make a first link.
func greet(w io.Writer, c config, local string, a account) {
	kept := "memory: nothing outlives this process"
	if c.mysql != "" {
		kept = "MySQL"
	}
	fmt.Fprintf(w, "linktrack listens on %s (links begin with %s, kept in %s)\n", local, c.baseURL, kept)
	fmt.Fprintf(w, "account %s: %s\n", a.login, a.state)
	fmt.Fprintf(w, "pages for people: %s%s\n", local, pagesPrefix(c.baseURL))
	if c.quick {
		fmt.Fprintf(w, "quick links for anyone: %s%s\n", local, strings.TrimSuffix(pagesPrefix(c.baseURL), "account/"))
	}
	fmt.Fprintf(w, "make a link:\n  %s\n", curlLine(c.baseURL, local, a))
}

// curlLine is a shell command that makes a link. It calls the address that the
// server listens on, which may not be the one that visitors see.
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
	return "curl " + host + quote(local+path+"/api/v1_0/makeLink?login="+url.QueryEscape(a.login)+
		"&pass="+pass+"&external_url=https://example.com/")
}

// quote quotes for a shell. Query escaping leaves no quote in what it
// escaped; a path may have one.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
