package pages

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

func (p *Pages) showAccount(w http.ResponseWriter, r *request) error {
	return p.renderAccount(w, r, http.StatusOK, view.Account{Email: r.account.Email, Saved: r.URL.Query().Has("saved")})
}

// setEmail changes the mail address of the account.
func (p *Pages) setEmail(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	email := strings.TrimSpace(form.Get("email"))
	if r.resumed {
		return p.renderAccount(w, r, http.StatusOK, view.Account{Email: email})
	}
	_, err = p.t.SetEmail(r.Context(), r.account, email)
	if err == nil {
		http.Redirect(w, r.Request, p.o.Prefix+"account?saved", http.StatusSeeOther)
		return nil
	}
	problem, _, status := p.problem(r, err)
	if status == 0 {
		return err
	}
	retryAfter(w, err)
	return p.renderAccount(w, r, status, view.Account{Email: email, EmailError: problem})
}

func (p *Pages) renderAccount(w http.ResponseWriter, r *request, status int, page view.Account) error {
	page.Login, page.Type, page.Renews = r.account.Login, r.account.Type, p.sessions != nil
	kept, reason, err := p.mail(r)
	if err != nil && page.EmailError == "" {
		return err
	}
	page.Keeps = !errors.Is(reason, linktrack.ErrHostsAccount)
	if page.Email == "" && page.EmailError == "" && !r.resumed {
		page.Email = kept
	}
	if !errors.Is(reason, linktrack.ErrNoAddress) {
		page.MailNote = p.mailNote(reason)
	}
	for _, host := range p.t.HostsOf(r.account) {
		row, err := p.browserRow(r, host)
		if err != nil {
			return err
		}
		page.Browsers = append(page.Browsers, row)
	}
	return p.render(w, r, status, "account", p.theme.text("account.title"), page)
}

// mail returns the address to which alerts are mailed, or the reason why they are
// not mailed.
func (p *Pages) mail(r *request) (email string, reason, err error) {
	email, err = p.t.AlertEmail(r.Context(), r.account)
	for _, reason := range []error{linktrack.ErrHostsAccount, linktrack.ErrNoMailer, linktrack.ErrNoAddress} {
		if errors.Is(err, reason) {
			return email, reason, nil
		}
	}
	return email, nil, err
}

// mailNote returns the text for such a reason, "" for none.
func (p *Pages) mailNote(reason error) string {
	switch reason {
	case linktrack.ErrHostsAccount:
		return p.theme.text("mail.hosts")
	case linktrack.ErrNoMailer:
		return p.theme.text("mail.nomailer")
	case linktrack.ErrNoAddress:
		return p.theme.text("mail.noaddress", p.theme.text("menu.account"))
	}
	return ""
}

// browserRow describes how to exclude this browser's clicks on the links of a
// host. A cookie excludes them, and only the host itself can set that cookie.
func (p *Pages) browserRow(r *request, host string) (view.Browser, error) {
	row := view.Browser{Host: host}
	if row.Here = p.isHere(r, host); row.Here {
		row.Out = p.t.OptedOut(r.Request, r.account)
		return row, nil
	}
	address, err := p.t.OptOutURL(r.account, host)
	row.Leave, row.Undo = address, address+"&undo=1"
	return row, err
}

// isHere reports whether the browser is on the host, so that it sends the cookies
// of this answer to the links there. Cookies do not depend on the port.
func (p *Pages) isHere(r *request, host string) bool {
	base, err := url.Parse(p.t.TrackingURL(linktrack.Link{Host: host}))
	if err != nil || !strings.HasPrefix(p.o.Prefix, base.EscapedPath()) {
		return false
	}
	here := url.URL{Host: r.Host}
	return strings.EqualFold(here.Hostname(), base.Hostname())
}

// optOut excludes this browser's clicks from the counts, or includes them again.
func (p *Pages) optOut(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	if r.resumed {
		return p.showAccount(w, r)
	}
	var from time.Time
	switch form.Get("out") {
	case "1":
		from = time.Now()
	case "0":
	default:
		return errBadForm
	}
	w.Header().Add("Set-Cookie", p.t.OptOutCookie(r.account, r.Host, from))
	http.Redirect(w, r.Request, p.o.Prefix+"account#clicks", http.StatusSeeOther)
	return nil
}
