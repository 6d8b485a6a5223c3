package program

import (
	"context"
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// A slowStore finds no account at the first look-up, as if another process made it
// just after that.
type slowStore struct {
	linktrack.Store
	lookedUp bool
}

func (s *slowStore) KeyByLogin(ctx context.Context, login string) (linktrack.Key, linktrack.Account, error) {
	if !s.lookedUp {
		s.lookedUp = true
		return linktrack.Key{}, linktrack.Account{}, linktrack.ErrNotFound
	}
	return s.Store.KeyByLogin(ctx, login)
}

func TestAnAccountThatAnotherProcessMakesMeanwhileIsTaken(t *testing.T) {
	store := &slowStore{Store: memstore.New()}
	tracker, err := linktrack.New(store, linktrack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close(t.Context())
	c := config{login: "linktrack", accountType: linktrack.AccountTypeFree}
	if _, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: c.login}); err != nil {
		t.Fatal(err)
	}
	a, err := openAccount(t.Context(), tracker, c)
	if err != nil {
		t.Fatal(err)
	}
	if a.pass != "" {
		t.Error("it has a pass of its own already")
	}
}
