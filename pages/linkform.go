package pages

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// formSections are the sections of the form. The fields have the names of the
// API's parameters.
var formSections = []struct {
	title  string
	fields []struct{ name, kind string }
}{
	{"form.destination", []struct{ name, kind string }{
		{"external_url", "url"}, {"host", "choice"}, {"vanity_link", "word"}, {"forward_query", "box"},
	}},
	{"form.about", []struct{ name, kind string }{
		{"title", "line"}, {"group", "suggest"}, {"description", "lines"}, {"notes", "lines"},
	}},
	{"form.limits", []struct{ name, kind string }{
		{"is_active", "box"}, {"expires_at", "time"}, {"deactivate_at", "number"}, {"password", "password"}, {"password_clear", "box"},
	}},
	{"form.alerts", []struct{ name, kind string }{
		{"alert_at", "number"}, {"has_alert_email", "box"}, {"has_conversion_tracking", "box"},
	}},
	{"form.public", []struct{ name, kind string }{
		{"is_public", "box"}, {"has_plus_tracking", "box"}, {"has_public_tracking", "box"}, {"has_public_revenue", "box"},
	}},
}

func (p *Pages) showNewLink(w http.ResponseWriter, r *request) error {
	given := r.URL.Query()
	values := map[string]string{"is_active": "1", "external_url": given.Get("external_url"), "title": p.titleFor(r, given.Get("title"))}
	return p.renderForm(w, r, http.StatusOK, nil, values, nil)
}

func (p *Pages) makeLink(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	values := p.values(form, p.allowed(r.account))
	if r.resumed {
		return p.renderForm(w, r, http.StatusOK, nil, values, nil)
	}
	in, err := p.t.ParseNewLink(values)
	if err == nil {
		var l linktrack.Link
		if l, err = p.t.MakeLink(r.Context(), r.account, in); err == nil {
			return p.leaveForm(w, r, "made", l)
		}
	}
	return p.renderForm(w, r, 0, nil, values, err)
}

func (p *Pages) showEditLink(w http.ResponseWriter, r *request) error {
	l, _, err := p.find(r.Context(), r.account, r.PathValue("host"), r.PathValue("path"))
	if err != nil {
		return err
	}
	return p.renderForm(w, r, http.StatusOK, &l, p.valuesOf(l), nil)
}

func (p *Pages) editLink(w http.ResponseWriter, r *request) error {
	l, name, err := p.find(r.Context(), r.account, r.PathValue("host"), r.PathValue("path"))
	if err != nil {
		return err
	}
	form, err := r.form()
	if err != nil {
		return err
	}
	allowed := p.allowed(r.account)
	values := p.values(form, allowed)
	if r.resumed {
		return p.renderForm(w, r, http.StatusOK, &l, values, nil)
	}
	edit, err := p.t.ParseLinkEdit(changes(p.valuesOf(l), values, allowed))
	if err == nil {
		if _, err = p.t.UpdateLink(r.Context(), r.account, name, edit); err == nil {
			return p.leaveForm(w, r, "saved", l)
		}
	}
	return p.renderForm(w, r, 0, &l, values, err)
}

// leaveForm redirects to the list of links, which shows the link that was made or
// saved. If the form was opened from a list, it returns to the same place there.
func (p *Pages) leaveForm(w http.ResponseWriter, r *request, what string, l linktrack.Link) error {
	given, place := listQuery(r.PostForm.Get("back")), ""
	given.Set(what, l.Host+"/"+l.Path)
	if r.PostForm.Has("back") {
		place = "#" + rowID(l)
	}
	http.Redirect(w, r.Request, p.o.Prefix+"links?"+given.Encode()+place, http.StatusSeeOther)
	return nil
}

// values returns the parameters in a form, as the API writes them. A browser does
// not send a box that is not checked, so a missing box means 0, unless the
// account may not use it.
func (p *Pages) values(form url.Values, allowed map[string]bool) map[string]string {
	values := make(map[string]string)
	for _, s := range formSections {
		for _, f := range s.fields {
			v := strings.ReplaceAll(form.Get(f.name), "\r\n", "\n")
			switch f.kind {
			case "box":
				if v == "" && (allowed[f.name] || f.name == "password_clear") {
					v = "0"
				}
			case "number":
				v = strings.TrimSpace(v)
			case "time":
				v = strings.Replace(strings.TrimSpace(v), "T", " ", 1)
				if len(v) == len("2006-01-02 15:04") {
					v += ":00"
				}
			}
			values[f.name] = v
		}
	}
	return values
}

const formTime = "2006-01-02 15:04:05"

// valuesOf returns the values with which the form of a link begins.
func (p *Pages) valuesOf(l linktrack.Link) map[string]string {
	values := map[string]string{"host": l.Host, "vanity_link": l.Vanity()}
	for name, value := range l.Properties() {
		switch v := value.(type) {
		case string:
			values[name] = strings.ReplaceAll(v, "\r\n", "\n")
		case bool:
			values[name] = "0"
			if v {
				values[name] = "1"
			}
		case int64:
			if v != 0 {
				values[name] = strconv.FormatInt(v, 10)
			}
		case time.Time:
			if !v.IsZero() {
				values[name] = v.In(p.t.TimeZone()).Format(formTime)
			}
		}
	}
	return values
}

// changes returns the fields that the form has changed. Only these are written,
// because somebody else may have changed the others in the meantime.
func changes(before, after map[string]string, allowed map[string]bool) map[string]string {
	changed := make(map[string]string)
	for name, value := range after {
		if allowed[name] && value != before[name] {
			changed[name] = value
		}
	}
	if allowed["password"] && after["password_clear"] == "1" { // an empty field keeps the password
		changed["password"] = ""
	}
	return changed
}

// renderForm shows the form of a link with its values and the error. l is nil for
// a new link. A password that was entered stays in the form: otherwise the link
// would be made without it at the next attempt. If status is 0, it follows from
// the error.
func (p *Pages) renderForm(w http.ResponseWriter, r *request, status int, l *linktrack.Link, values map[string]string, err error) error {
	page := view.LinkForm{Action: r.URL.EscapedPath(), Resumed: r.resumed, List: p.o.Prefix + "links"}
	given := r.URL.Query()
	if r.Method == http.MethodPost {
		given = r.PostForm
	}
	title := p.theme.text("form.new")
	if l != nil && given.Has("back") {
		back := listQuery(given.Get("back"))
		page.FromList, page.Back = true, back.Encode()
		page.List = p.listAt(back) + "#" + rowID(*l)
	}
	if l != nil {
		row := p.row(r.account, *l)
		page.Link, title = &row, p.theme.text("form.edit")
	}
	problem, at := "", ""
	if err != nil {
		var code int
		if problem, at, code = p.problem(r, err); code == 0 {
			return err
		}
		if status == 0 {
			status = code
		}
		retryAfter(w, err)
	}
	allowed := p.allowed(r.account)
	groups, err := p.t.Groups(r.Context(), r.account)
	if err != nil && problem == "" {
		return err
	}
	email, noMail, err := p.mail(r)
	if err != nil && problem == "" {
		return err
	}
	shown := false
	for _, s := range formSections {
		part := view.Section{Title: p.theme.text(s.title)}
		for _, spec := range s.fields {
			f := p.field(spec.name, spec.kind, values[spec.name])
			switch spec.name {
			case "host":
				for _, h := range p.t.HostsOf(r.account) {
					f.Options = append(f.Options, choice(h, h, h == f.Value))
				}
				if len(f.Options) < 2 || l != nil {
					continue
				}
			case "vanity_link":
				if l != nil {
					continue
				}
			case "group":
				for _, g := range groups {
					f.Options = append(f.Options, view.Option{Value: g})
				}
			case "password":
				if l != nil && l.HasPassword() {
					f.Hint = p.theme.text("hint.password.kept")
				}
			case "password_clear":
				if l == nil || !l.HasPassword() {
					continue
				}
			case "has_alert_email":
				if noMail != nil {
					// A box that is checked can be cleared.
					f.Disabled, f.Hint = f.Value != "1", p.mailNote(noMail)
				} else if email != "" {
					f.Hint = p.theme.text("hint.has_alert_email.to", email)
				}
			case "deactivate_at":
				if l != nil && l.Counts.Passed() > 0 {
					passed := count(l.Counts.Passed())
					f.Hint = p.theme.text("hint.deactivate_at.passed", passed)
					if n, err := strconv.ParseInt(f.Value, 10, 64); err == nil && n > 0 && n <= l.Counts.Passed() {
						page.Reached = p.theme.text("form.reached", passed, count(n))
					}
				}
			case "expires_at":
				f.Hint = p.theme.text("hint.expires_at", p.theme.zoneLine(p.t.TimeZone(), time.Now()))
				f.Value = strings.Replace(f.Value, " ", "T", 1)
			}
			if !allowed[spec.name] && spec.name != "password_clear" {
				f.Disabled, f.Hint, page.Limited = true, p.theme.text("form.notallowed"), r.account.Type
			}
			if spec.name == at {
				f.Error, shown = problem, true
			}
			part.Fields = append(part.Fields, f)
		}
		page.Sections = append(page.Sections, part)
	}
	if !shown {
		page.Error = problem
	}
	return p.render(w, r, status, "linkform", title, page)
}

// choice returns an option of a select element.
func choice(value, text string, chosen bool) view.Option {
	return view.Option{Value: value, Text: text, Chosen: chosen}
}

func (p *Pages) field(name, kind, value string) view.Field {
	f := view.Field{Name: name, Kind: kind, Label: p.theme.text("param." + name), Value: value}
	if hint := "hint." + name; p.theme.text(hint) != hint {
		f.Hint = p.theme.text(hint)
	}
	return f
}

// problem returns a sentence about the error, the parameter that is wrong ("" if
// none is), and the status. If the status is 0, the error does not belong in a
// form.
func (p *Pages) problem(r *request, err error) (sentence, param string, status int) {
	var invalid *linktrack.InvalidError
	switch {
	case errors.As(err, &invalid):
		return p.theme.reason(p.theme.text("param."+invalid.Param), invalid), invalid.Param, http.StatusBadRequest
	case errors.Is(err, linktrack.ErrTaken):
		return p.theme.text("form.taken"), "vanity_link", http.StatusConflict
	case errors.Is(err, linktrack.ErrForbidden):
		return p.theme.text("form.forbidden", err.Error()), "", http.StatusForbidden
	case errors.Is(err, linktrack.ErrThrottled):
		return p.theme.text("form.throttled"), "", http.StatusTooManyRequests
	case errors.Is(err, linktrack.ErrUnavailable):
		p.note(r, err)
		return p.theme.text("form.unavailable"), "", http.StatusServiceUnavailable
	}
	return "", "", 0
}
