package pages

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// A form that is sent when its sender's session has ended is kept: its values
// are in the page that asks to sign in, and come back with it, so that they are
// in no address, in no cookie and not on the server. Who has signed in sees the
// form with them, and sends it again: it may be another person.

// keptPrefix is the beginning of the names of kept values.
const keptPrefix = "kept."

// keptForm are the values of a form that was posted; nil if there are none, or
// it has a file, which no page can keep.
func (r *request) keptForm() url.Values {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	form, err := r.form()
	if err != nil {
		return nil
	}
	return form
}

// keepForm asks to sign in, and keeps a form meanwhile.
func (p *Pages) keepForm(w http.ResponseWriter, r *request, form url.Values) error {
	if p.sessions != nil {
		page := view.Login{Next: r.URL.RequestURI(), Ended: true, Kept: keptValues(form)}
		return p.renderLogin(w, r, http.StatusUnauthorized, page)
	}
	page := view.Ended{SignIn: p.o.SignIn, Action: r.URL.RequestURI(), Kept: keptValues(form)}
	return p.render(w, r, http.StatusUnauthorized, "ended", p.theme.text("ended.title"), page)
}

func keptValues(form url.Values) []view.Kept {
	var kept []view.Kept
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, v := range form[name] {
			kept = append(kept, view.Kept{Name: keptPrefix + strings.TrimPrefix(name, keptPrefix), Value: v})
		}
	}
	return kept
}

// kept are the values that a form brings back; nil if it has none.
func kept(form url.Values) url.Values {
	var values url.Values
	for name := range form {
		if own, ok := strings.CutPrefix(name, keptPrefix); ok {
			if values == nil {
				values = url.Values{}
			}
			values[own] = form[name]
		}
	}
	return values
}

// resumedBy is the key of a context's value: the account that has just signed in.
type resumedBy struct{}

// showKept serves the page at next for a form that was kept, to the account that
// has just signed in. The page shows the form again and does nothing else. It
// returns false if the page at next keeps no forms, as the pages that are open to
// everybody do not: they would carry out the form.
func (p *Pages) showKept(w http.ResponseWriter, r *request, a linktrack.Account, next string, values url.Values) bool {
	to, err := url.Parse(next)
	if err != nil || next == "" {
		return false
	}
	again := r.Request.Clone(context.WithValue(r.Context(), resumedBy{}, a))
	again.URL.Path, again.URL.RawPath, again.URL.RawQuery = to.Path, to.RawPath, to.RawQuery
	again.RequestURI = next
	again.Form, again.PostForm = values, values
	if _, pattern := p.mux.Handler(again); !p.keeping[pattern] {
		return false
	}
	p.mux.ServeHTTP(w, again)
	return true
}
