package pages

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// The bookmarklet opens a small window with a form that makes a link for the
// page on which it was clicked. It contains only the address of that form; the
// cookie of the window says whose link it will be. Since it only opens a window,
// it also works on pages with a Content-Security-Policy.

func (p *Pages) showBookmarklet(w http.ResponseWriter, r *request) error {
	code := bookmarklet(p.origin(r) + p.o.Prefix + "mark")
	return p.render(w, r, http.StatusOK, "bookmarklet", p.theme.text("bookmarklet.title"), view.Bookmarklet{
		Name: p.theme.text("bookmarklet.name", p.theme.o.Name), Code: template.URL(code), Text: code,
	})
}

// bookmarklet returns the program as a javascript: URL. If the browser does not
// let it open a window, it opens the form in place of the page. Every character
// that could end a string, an attribute, or a URL is escaped.
func bookmarklet(form string) string {
	quoted, _ := json.Marshal(form) // a string never fails
	return "javascript:" + url.PathEscape("void function(){"+
		"var a="+string(quoted)+"+'?url='+encodeURIComponent(location.href)+'&title='+encodeURIComponent(document.title.slice(0,255));"+
		"window.open(a,'_blank','width=560,height=680')||(location.href=a)"+
		"}()")
}

var hostHeader = regexp.MustCompile(`^[A-Za-z0-9._-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

// origin returns the scheme and the host at which the browser finds the pages.
func (p *Pages) origin(r *request) string {
	base, err := url.Parse(p.apiBase())
	if err != nil || !hostHeader.MatchString(r.Host) {
		return strings.TrimSuffix(p.apiBase(), "/api/")
	}
	if r.TLS != nil {
		base.Scheme = "https"
	}
	return base.Scheme + "://" + r.Host
}

func (p *Pages) showBookmarkletForm(w http.ResponseWriter, r *request) error {
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin") // the page that opened the window cannot control it
	if made := p.noted(r, "made"); made != nil {
		return p.render(w, r, http.StatusOK, "bookmarkletform", p.theme.text("bookmarklet.form.made"), view.BookmarkletForm{Made: made})
	}
	given := r.URL.Query()
	return p.renderBookmarkletForm(w, r, map[string]string{"external_url": given.Get("url"), "title": p.titleFor(r, given.Get("title"))}, nil)
}

func (p *Pages) makeBookmarked(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	values := map[string]string{"external_url": form.Get("external_url"), "title": form.Get("title")}
	if r.resumed {
		return p.renderBookmarkletForm(w, r, values, nil)
	}
	in, err := p.t.ParseNewLink(values)
	if err == nil {
		var l linktrack.Link
		if l, err = p.t.MakeLink(r.Context(), r.account, in); err == nil {
			to := p.o.Prefix + "mark?" + url.Values{"made": {l.Host + "/" + l.Path}}.Encode()
			http.Redirect(w, r.Request, to, http.StatusSeeOther)
			return nil
		}
	}
	return p.renderBookmarkletForm(w, r, values, err)
}

func (p *Pages) renderBookmarkletForm(w http.ResponseWriter, r *request, values map[string]string, err error) error {
	page, status := view.BookmarkletForm{}, http.StatusOK
	problem, at := "", ""
	if err != nil {
		if problem, at, status = p.problem(r, err); status == 0 {
			return err
		}
		retryAfter(w, err)
	}
	whole, shown := url.Values{}, false
	for _, spec := range []struct{ name, kind string }{{"external_url", "url"}, {"title", "line"}} {
		if !p.allowed(r.account)[spec.name] {
			continue
		}
		f := p.field(spec.name, spec.kind, values[spec.name])
		f.Hint = ""
		if spec.name == at {
			f.Error, shown = problem, true
		}
		page.Fields = append(page.Fields, f)
		whole.Set(spec.name, f.Value)
	}
	if !shown {
		page.Error = problem
	}
	page.More = p.o.Prefix + "links/new?" + whole.Encode()
	return p.render(w, r, status, "bookmarkletform", p.theme.text("bookmarklet.form.title"), page)
}

// titleFor makes the title of a link from that of a page. It returns "" if the
// account may not set titles.
func (p *Pages) titleFor(r *request, title string) string {
	if !p.allowed(r.account)["title"] {
		return ""
	}
	title = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(title, ""))
	runes := []rune(strings.Join(strings.Fields(title), " "))
	return string(runes[:min(len(runes), 255)])
}
