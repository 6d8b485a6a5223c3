package pages

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

func (p *Pages) showLogin(w http.ResponseWriter, r *request) error {
	if p.identify(r) == nil {
		return p.showHome(w, r)
	}
	return p.renderLogin(w, r, http.StatusOK, view.Login{Next: p.local(r.URL.Query().Get("next"))})
}

func (p *Pages) renderLogin(w http.ResponseWriter, r *request, status int, page view.Login) error {
	r.signedIn = false
	return p.render(w, r, status, "login", p.theme.text("login.title"), page)
}

func (p *Pages) login(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	page := view.Login{Login: form.Get("login"), Next: p.local(form.Get("next"))}
	values := kept(form)
	page.Kept = keptValues(values)
	a, err := p.t.Authenticate(r.Context(), page.Login, form.Get("pass"), p.t.ClientOf(r.Request))
	switch {
	case errors.Is(err, linktrack.ErrUnauthorized):
		page.Error = p.theme.text("login.wrong")
		return p.renderLogin(w, r, http.StatusForbidden, page)
	case errors.Is(err, linktrack.ErrForbidden):
		page.Error = p.theme.text("login.disabled")
		return p.renderLogin(w, r, http.StatusForbidden, page)
	case errors.Is(err, linktrack.ErrThrottled):
		page.Error = p.theme.text("login.throttled")
		retryAfter(w, err)
		return p.renderLogin(w, r, http.StatusTooManyRequests, page)
	case err != nil:
		return err
	}
	if kept, err := p.sessions.keeps(r.Context(), a); err != nil {
		return err
	} else if !kept {
		return errors.New("the account that signed in is not one of the store's: Options.Session must be set")
	}
	if err := p.sessions.begin(w, r.Request, a); err != nil {
		return err
	}
	if values != nil && p.showKept(w, r, a, page.Next, values) {
		return nil
	}
	to := page.Next
	if to == "" {
		to = p.o.Prefix + "links"
	}
	http.Redirect(w, r.Request, to, http.StatusSeeOther)
	return nil
}

// logout ends the session. If the store fails, the browser stays signed in and
// gets an error.
func (p *Pages) logout(w http.ResponseWriter, r *request) error { return p.signOut(w, r, false) }

// logoutEverywhere ends all sessions of the account.
func (p *Pages) logoutEverywhere(w http.ResponseWriter, r *request) error {
	return p.signOut(w, r, true)
}

func (p *Pages) signOut(w http.ResponseWriter, r *request, everywhere bool) error {
	if err := p.sessions.end(w, r.Request, everywhere); err != nil {
		return err
	}
	http.Redirect(w, r.Request, p.o.Prefix+"login", http.StatusSeeOther)
	return nil
}

// local returns to if it is the address of one of these pages, otherwise "". It
// refuses an address that leaves the pages by "..", because links beside the
// pages lead to other sites.
func (p *Pages) local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, p.o.Prefix) || strings.ContainsAny(to, "\\\r\n\t") {
		return ""
	}
	if !strings.HasPrefix(path.Clean(u.Path)+"/", p.o.Prefix) || strings.HasPrefix(to, "//") {
		return ""
	}
	return to
}
