package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

// A host with users of its own mounts the pages behind its own login.
func ExampleNew() {
	look := pages.Options{Name: "Example Links", Accent: "#0a7d4f"}
	visitors, err := pages.ForVisitors(look)
	if err != nil {
		panic(err)
	}
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com", VisitorPages: visitors})
	if err != nil {
		panic(err)
	}
	defer t.Close(context.Background())

	look.Session = func(r *http.Request) (linktrack.Account, error) {
		user := r.Header.Get("X-User") // as the host's own middleware sets it
		if user == "" {
			return linktrack.Account{}, linktrack.ErrUnauthorized
		}
		return linktrack.Account{ID: 7, Login: user, Type: linktrack.AccountTypeProfessional}, nil
	}
	look.SignIn = "/login"
	account, err := pages.New(t, look)
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/account/", account)
	mux.Handle("/", account.QR(t.Handler()))

	for _, user := range []string{"", "ada"} {
		r := httptest.NewRequest("GET", "/account/links", nil)
		r.Header.Set("X-User", user)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	// Output:
	// 303 /login
	// 200
}
