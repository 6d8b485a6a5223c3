package pages

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// Quick returns the form on which anyone makes a quick link, for a host that
// shows it somewhere else than at Prefix + "quick": on its front page. What
// comes behind it, and the static files, are below the prefix all the same, on
// the host that the request is for. It answers 404 without [Options.Quick].
func (p *Pages) Quick() http.Handler {
	show, make := p.public(p.showQuick), p.public(p.makeQuick)
	return p.protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !p.o.Quick:
			p.public(notFound).ServeHTTP(w, r)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			show.ServeHTTP(w, r)
		case r.Method == http.MethodPost:
			make.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		}
	}))
}

func notFound(http.ResponseWriter, *request) error { return linktrack.ErrNotFound }

// trap is a field that people do not see and leave empty.
const trap = "comment"

func (p *Pages) showQuick(w http.ResponseWriter, r *request) error {
	return p.renderQuick(w, r, http.StatusOK, view.AnonymousForm{})
}

func (p *Pages) renderQuick(w http.ResponseWriter, r *request, status int, form view.AnonymousForm) error {
	form.Days = int(linktrack.AnonymousLinkLife / (24 * time.Hour))
	return p.render(w, r, status, "quick", p.theme.text("quick.title"), form)
}

func (p *Pages) makeQuick(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	if form.Get(trap) != "" {
		return errBadForm
	}
	page := view.AnonymousForm{ExternalURL: form.Get("external_url")}
	_, claim, err := p.t.MakeAnonymousLink(r.Context(), p.t.ClientOf(r.Request), page.ExternalURL)
	if err == nil {
		http.Redirect(w, r.Request, p.quickAt(claim), http.StatusSeeOther)
		return nil
	}
	problem, at, status := p.problem(r, err)
	if status == 0 {
		return err
	}
	page.Error, page.AtField = problem, at == "external_url"
	if throttled := (*linktrack.ThrottledError)(nil); errors.As(err, &throttled) {
		page.Error = p.theme.text("quick.throttled", int64((throttled.RetryAfter+time.Minute-1)/time.Minute))
	}
	retryAfter(w, err)
	return p.renderQuick(w, r, status, page)
}

// quickAt is the address of a quick link's page, which is for who has the claim.
func (p *Pages) quickAt(claim string) string {
	return p.theme.to(append([]string{"quick"}, strings.Split(claim, "/")...)...)
}

func claimOf(r *request) string {
	return r.PathValue("host") + "/" + r.PathValue("path") + "/" + r.PathValue("signature")
}

// showQuickLink answers the page of a claim, whether somebody is signed in or
// not.
func (p *Pages) showQuickLink(w http.ResponseWriter, r *request) error {
	page := view.AnonymousLink{Page: p.quickAt(claimOf(r))}
	err := p.identify(r)
	switch {
	case errors.Is(err, linktrack.ErrUnauthorized):
		page.SignIn = p.signIn(r)
	case err != nil:
		return err
	default:
		page.May, page.Login = true, r.account.Login
	}
	l, err := p.t.AnonymousLink(r.Context(), claimOf(r))
	if errors.Is(err, linktrack.ErrTaken) && r.signedIn {
		own, _, e := p.find(r.Context(), r.account, r.PathValue("host"), r.PathValue("path"))
		if !errors.Is(e, linktrack.ErrNotFound) {
			l, err, page.Own = own, e, true
		}
	}
	status, title := http.StatusOK, "quick.made"
	if page.Own {
		title = "quick.own"
	}
	switch {
	case errors.Is(err, linktrack.ErrTaken):
		status, title = http.StatusGone, "quick.claimed"
	case errors.Is(err, linktrack.ErrExpired):
		status, title, page.Ended = http.StatusGone, "quick.expired", true
	case err != nil:
		return err
	default:
		row := p.row(r.account, l)
		page.Link = &row
	}
	return p.render(w, r, status, "quicklink", p.theme.text(title), page)
}

// claimQuickLink moves the link into the account of who is signed in.
func (p *Pages) claimQuickLink(w http.ResponseWriter, r *request) error {
	if r.resumed {
		return p.showQuickLink(w, r)
	}
	_, err := p.t.ClaimLink(r.Context(), r.account, claimOf(r))
	if err != nil && !errors.Is(err, linktrack.ErrTaken) && !errors.Is(err, linktrack.ErrExpired) {
		return err
	}
	http.Redirect(w, r.Request, p.quickAt(claimOf(r)), http.StatusSeeOther) // which says what became of it
	return nil
}
