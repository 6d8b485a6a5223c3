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

// If a form arrives after its sender's session has ended, the page that asks to
// sign in keeps the values of the form in hidden fields. So they are not in an
// address, in a cookie, or on the server. After the sign-in, the form is shown
// again with its values and must be sent again, because another person may have
// signed in.

// keptPrefix is the beginning of the names of kept values.
const keptPrefix = "kept."

// keptForm returns the values of a form that was posted, nil if there are none.
// It also returns nil for a form with a file, because a page cannot keep files.
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

// keepForm asks to sign in, on a page that keeps the form.
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

// kept returns the values that a form has kept, nil if there are none.
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
// has just signed in. The page shows the form again and does nothing else.
// showKept returns false if the page at next does not support that: a page that
// is open to everybody would carry out the form.
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
