package program

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/memstore"
)

// post sends a form and returns the body of the answer.
func post(t *testing.T, address string, form url.Values) string {
	t.Helper()
	res, err := http.PostForm(address, form)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Less(t, res.StatusCode, 300, "%s", body)
	return string(body)
}

func TestTheFirstAccountIsMadeOnceAndGetsWhatIsGiven(t *testing.T) {
	store := memstore.New()
	tracker, err := linktrack.New(store, linktrack.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(context.Background()) })
	open := func(pass, email string) (account, error) {
		return openAccount(t.Context(), tracker, config{login: "ada", pass: pass, email: email, accountType: linktrack.AccountTypeProfessional})
	}
	kept := func() linktrack.Account {
		_, a, err := store.KeyByLogin(t.Context(), "ada")
		require.NoError(t, err)
		return a
	}

	a, err := open("", "")
	require.NoError(t, err)
	require.Contains(t, a.state, a.pass, "a pass that is generated is shown once")
	_, err = tracker.Authenticate(t.Context(), "ada", a.pass, "")
	require.NoError(t, err)
	first := kept()

	for _, step := range []struct{ pass, email, state, wantEmail, wantErr string }{
		{"", "", "unchanged, with its previous pass", "", ""},
		{"", "ada@example.com", "unchanged, with its previous pass", "ada@example.com", ""},
		{"", "", "unchanged, with its previous pass", "ada@example.com", ""},
		{"x", "", "", "ada@example.com", "-pass must have at least 8 characters"},
		{"", "ada", "", "ada@example.com", "-email must be a mail address such as ada@example.com"},
		{"given-12", "", "now has the given pass", "ada@example.com", ""},
		{"given-12", "bob@example.com", "unchanged", "bob@example.com", ""},
	} {
		a, err := open(step.pass, step.email)
		if step.wantErr != "" {
			require.EqualError(t, err, step.wantErr)
			require.ErrorAs(t, err, new(*usageError))
		} else {
			require.NoError(t, err)
		}
		assert.Equal(t, step.state, a.state)
		assert.Empty(t, a.pass, "nothing that was given is shown")
		assert.Equal(t, step.wantEmail, kept().Email)
	}
	assert.NotEqual(t, first.PassHash, kept().PassHash)
	again := kept()
	_, err = open("given-12", "")
	require.NoError(t, err)
	assert.Equal(t, again, kept(), "the same pass again ends no session")

	edit := func(change func(*linktrack.Account)) {
		_, err := store.UpdateAccount(t.Context(), kept().ID, func(a *linktrack.Account) error { change(a); return nil })
		require.NoError(t, err)
	}
	edit(func(a *linktrack.Account) { a.SetPass("x") })
	a, err = open("x", "")
	require.NoError(t, err, "an account that has a short pass keeps it")
	assert.Equal(t, "unchanged", a.state)

	edit(func(a *linktrack.Account) { a.Disabled = true })
	off := kept()
	a, err = open("given-34", "eve@example.com")
	require.NoError(t, err)
	assert.Equal(t, "switched off", a.state)
	assert.Equal(t, off, kept())
}

func TestTheFirstAddressThatIsPrintedLeadsToThePages(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for _, args := range [][]string{nil, {"-base-url", "http://localhost/l"}} {
		p := start(t, bin, nil, append(args, "-addr", "127.0.0.1:0")...)
		var address string
		for _, c := range p.Line(t, "linktrack listens on ") {
			if c == ' ' {
				break
			}
			address += string(c)
		}
		res, err := http.Get(address)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, http.StatusOK, res.StatusCode)
		assert.Regexp(t, "/account/login$", res.Request.URL.Path)
		assert.Equal(t, 0, p.Stop(t))
	}
}

func TestTheLoginOfAKeyNamesNoAccount(t *testing.T) {
	store := memstore.New()
	tracker, err := linktrack.New(store, linktrack.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(context.Background()) })
	ada, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "ada"})
	require.NoError(t, err)
	key, pass, err := tracker.CreateKey(t.Context(), ada, linktrack.NewKey{Scope: linktrack.ScopeAll})
	require.NoError(t, err)
	_, err = openAccount(t.Context(), tracker, config{login: key.Login, pass: "given-12", email: "eve@example.com", accountType: linktrack.AccountTypeFree})
	require.EqualError(t, err, "the login "+key.Login+" belongs to a key of another account: name another one with -login")
	kept, err := tracker.Account(t.Context(), ada.ID)
	require.NoError(t, err)
	assert.Equal(t, ada, kept, "the account of the key has neither the pass nor the address")
	_, err = tracker.Authenticate(t.Context(), key.Login, pass, "")
	require.NoError(t, err)
}
