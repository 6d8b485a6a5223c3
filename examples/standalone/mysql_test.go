package main

import (
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestKeepsLinksClicksAndAccountInMySQL(t *testing.T) {
	dsn := testmysql.DSN(t)
	bin := testprogram.Build(t, ".")
	// The port changes from run to run; the links' host must not.
	args := []string{"-addr", "127.0.0.1:0", "-base-url", "http://go.example.com"}
	env := []string{"LINKTRACK_MYSQL=" + dsn}
	stop := func(p *testprogram.Program) {
		t.Helper()
		if status := p.Stop(t); status != 0 {
			t.Errorf("exit status after SIGTERM = %d", status)
		}
	}

	p := testprogram.Start(t, bin, env, args...)
	if state := p.Line(t, "account linktrack:"); !strings.HasPrefix(state, "new, pass ") {
		t.Errorf("the first run says of the account: %s", state)
	}
	first := p.Line(t, "  curl ")
	link := curl(t, first)
	click(t, first, link)
	if n := countTotal(t, first, link); n != 1 {
		t.Errorf("count_total after one click = %d", n)
	}
	stop(p)
	pass := credentials(t, first).Get("pass")

	p = testprogram.Start(t, bin, env, args...)
	if state := p.Line(t, "account linktrack:"); !strings.HasPrefix(state, "as it was") {
		t.Errorf("the second run says of the account: %s", state)
	}
	line := p.Line(t, "  curl ")
	if strings.Contains(line, pass) {
		t.Error("the second run shows the pass again")
	}
	click(t, line, link)
	line = strings.Replace(line, "pass=PASS", "pass="+pass, 1)
	if n := countTotal(t, line, link); n != 2 {
		t.Errorf("count_total after a click in each run = %d", n)
	}
	stop(p)

	p = testprogram.Start(t, bin, env, append(args, "-pass", "another-pass-0123456789")...)
	if state := p.Line(t, "account linktrack:"); state != "has the pass that was given from now on" {
		t.Errorf("the run with another pass says of the account: %s", state)
	}
	line = p.Line(t, "  curl ")
	if n := countTotal(t, line, link); n != 2 {
		t.Errorf("count_total with the new pass = %d", n)
	}
	stop(p)

	for _, secret := range []string{pass, "another-pass"} {
		if strings.Contains(p.Stderr(), secret) {
			t.Errorf("the log has a pass:\n%s", p.Stderr())
		}
	}
}
