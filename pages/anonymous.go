package pages

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// AnonymousForm returns the form on which anyone can make a link without an
// account, for a host that shows it at a place of its own, such as its front page.
// The pages that follow the form, and the static files, are still below the
// prefix, on the host of the request. Without [Options.AnonymousLinks], it answers
// 404.
func (p *Pages) AnonymousForm() http.Handler {
	show, make := p.public(p.showAnonymousForm), p.public(p.makeAnonymous)
	return p.protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !p.o.AnonymousLinks:
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

// trap is the name of a hidden form field. People leave it empty; a program that
// fills in every field is refused.
const trap = "comment"

func (p *Pages) showAnonymousForm(w http.ResponseWriter, r *request) error {
	return p.renderAnonymousForm(w, r, http.StatusOK, view.AnonymousForm{})
}

func (p *Pages) renderAnonymousForm(w http.ResponseWriter, r *request, status int, form view.AnonymousForm) error {
	form.Days = int(linktrack.AnonymousLinkLife / (24 * time.Hour))
	return p.render(w, r, status, "anonymous", p.theme.text("anonymous.title"), form)
}

func (p *Pages) makeAnonymous(w http.ResponseWriter, r *request) error {
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
		http.Redirect(w, r.Request, p.anonymousAt(claim), http.StatusSeeOther)
		return nil
	}
	problem, at, status := p.problem(r, err)
	if status == 0 {
		return err
	}
	page.Error, page.AtField = problem, at == "external_url"
	if throttled := (*linktrack.ThrottledError)(nil); errors.As(err, &throttled) {
		page.Error = p.theme.text("anonymous.throttled", int64((throttled.RetryAfter+time.Minute-1)/time.Minute))
	}
	retryAfter(w, err)
	return p.renderAnonymousForm(w, r, status, page)
}

// anonymousAt returns the address of the page of a link without an account. The
// address contains the claim.
func (p *Pages) anonymousAt(claim string) string {
	return p.theme.to(append([]string{"quick"}, strings.Split(claim, "/")...)...)
}

func claimOf(r *request) string {
	return r.PathValue("host") + "/" + r.PathValue("path") + "/" + r.PathValue("signature")
}

// showAnonymousLink shows the page of a link that was made without an account, to
// anyone who has its address.
func (p *Pages) showAnonymousLink(w http.ResponseWriter, r *request) error {
	page := view.AnonymousLink{Page: p.anonymousAt(claimOf(r))}
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
	status, title := http.StatusOK, "anonymous.made"
	if page.Own {
		title = "anonymous.own"
	}
	switch {
	case errors.Is(err, linktrack.ErrTaken):
		status, title = http.StatusGone, "anonymous.claimed"
	case errors.Is(err, linktrack.ErrExpired):
		status, title, page.Ended = http.StatusGone, "anonymous.expired", true
	case err != nil:
		return err
	default:
		row := p.row(r.account, l)
		page.Link = &row
	}
	return p.render(w, r, status, "anonymouslink", p.theme.text(title), page)
}

// claimAnonymousLink moves the link to the signed-in account.
func (p *Pages) claimAnonymousLink(w http.ResponseWriter, r *request) error {
	if r.resumed {
		return p.showAnonymousLink(w, r)
	}
	_, err := p.t.ClaimLink(r.Context(), r.account, claimOf(r))
	if err != nil && !errors.Is(err, linktrack.ErrTaken) && !errors.Is(err, linktrack.ErrExpired) {
		return err
	}
	http.Redirect(w, r.Request, p.anonymousAt(claimOf(r)), http.StatusSeeOther) // that page shows the result
	return nil
}
