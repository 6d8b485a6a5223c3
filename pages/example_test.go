package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing/fstest"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

// A host with users of its own mounts the pages behind its own login.
func ExampleNew() {
	options := pages.Options{Name: "Example Links", Accent: "#0a7d4f"}
	visitors, err := pages.ForVisitors(options)
	if err != nil {
		panic(err)
	}
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com", Visitors: linktrack.VisitorOptions{Pages: visitors}})
	if err != nil {
		panic(err)
	}
	defer t.Close(context.Background())

	options.Session = func(r *http.Request) (linktrack.Account, error) {
		user := r.Header.Get("X-User") // set by the host's own middleware
		if user == "" {
			return linktrack.Account{}, linktrack.ErrUnauthorized
		}
		return linktrack.Account{ID: 7, Login: user, Type: linktrack.AccountTypeProfessional}, nil
	}
	options.SignIn = "/login"
	account, err := pages.New(t, options)
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

// A host adds a style sheet with a file of its own, an entry of the menu, and a
// text, and replaces a template. If one of them is wrong, New returns an error.
func ExampleOptions() {
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
	if err != nil {
		panic(err)
	}
	defer t.Close(context.Background())
	files := fstest.MapFS{ // or fs.Sub of an embed.FS, or os.DirFS
		"extra.css":       {Data: []byte(".owner .brand { background: url(logo.svg) no-repeat; padding-left: 2rem }")},
		"static/logo.svg": {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		"error.html":      {Data: []byte(`{{define "main"}}<p>{{.Text}} <a href="/help">Help</a></p>{{end}}`)},
	}
	_, err = pages.New(t, pages.Options{
		Name:      "Example Links",
		Menu:      []pages.MenuEntry{{Text: "Help", URL: "/help"}},
		Templates: files,
		Texts:     map[string]string{"login.title": "Welcome"},
	})
	fmt.Println(err)

	_, err = pages.New(t, pages.Options{Texts: map[string]string{"login.titel": "Welcome"}})
	fmt.Println(err)

	files["error.html"] = &fstest.MapFile{Data: []byte(`{{define "main"}}<p>{{.Txt}}</p>{{end}}`)}
	_, err = pages.New(t, pages.Options{Templates: files})
	fmt.Println(err)
	// Output:
	// <nil>
	// Texts has the key "login.titel", which no text has, did you mean login.title?
	// pages: error.html:1:22: {{.Txt}}: Error has no field Txt, did you mean Text?
}
