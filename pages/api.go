package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/apispec"
	"github.com/linktrackhq/linktrack/pages/view"
)

// calls returns the calls of the API that an owner's programs make.
var calls = sync.OnceValue(func() []apispec.Call {
	return slices.DeleteFunc(slices.Clone(apispec.Calls()), func(c apispec.Call) bool {
		return c.Name == "optOut" || c.Name == "openapi" || c.Name == "goal"
	})
})

// pathOf returns the path of a call, without the base.
func pathOf(c apispec.Call) string { return strings.TrimPrefix(c.Path, "/api/") }

// valuesOf returns the values that a parameter can have, the default first; nil
// if it can have any value. For a flag, it returns only 1 and 0, not words such
// as true.
func valuesOf(p apispec.Param) []string {
	if !slices.Contains(p.Values, "true") {
		return p.Values
	}
	return slices.DeleteFunc(slices.Clone(p.Values), func(v string) bool { return v != "1" && v != "0" })
}

// exampleOf returns the parameters that the examples of a call use.
func exampleOf(c apispec.Call, link, click string) [][2]string {
	switch c.Name {
	case "makeLink":
		return [][2]string{{"external_url", "https://example.com/spring"}}
	case "conversion":
		return [][2]string{{"click_id", click}, {"order_id", "1042"}, {"value", "12.34"}, {"currency", "EUR"}}
	case "getLinks":
		return [][2]string{{"sort", "lc.count_total"}, {"limit", "10"}, {"format", "json"}}
	case "exportHistory":
		return [][2]string{{"redirect_hash", link}, {"format", "csv"}}
	}
	if slices.ContainsFunc(c.Params, func(p apispec.Param) bool { return p.Name == "redirect_hash" }) {
		return [][2]string{{"redirect_hash", link}, {"format", "json"}}
	}
	return nil
}

// apiBase returns the common beginning of the addresses of the API, with a slash
// at the end.
func (p *Pages) apiBase() string {
	return p.t.TrackingURL(linktrack.Link{Host: p.t.HostsOf(linktrack.Account{})[0], Path: "api/"})
}

func (p *Pages) showAPI(w http.ResponseWriter, r *request) error {
	base, link := p.apiBase(), p.theme.text("api.sample.link")
	newest, err := p.t.Links(r.Context(), r.account, linktrack.LinksQuery{Limit: 1})
	if err != nil {
		return err
	}
	if len(newest) > 0 {
		link = newest[0].Path
	}
	page := view.API{
		Base: base, OpenAPI: base + "openapi.json", Login: r.account.Login, Renews: p.sessions != nil, Zone: p.t.TimeZone().String(),
		ShortWay: base + "v1_0/makeLink?login=" + url.QueryEscape(p.loginOf(r)) + "&pass=" + p.theme.text("api.sample.pass") + "&external_url=https://example.com/spring",
	}
	page.Errors = p.statuses("api.error.", apispec.Errors())
	allowed := p.allowed(r.account)
	for _, c := range calls() {
		at := base + pathOf(c)
		part := view.Call{
			Name: c.Name, URL: at, Methods: strings.Join(c.Methods, ", "), Fields: c.Fields,
			Text: p.theme.text("api.call." + c.Name), Returns: p.statuses("api.returns."+c.Name+".", c.Answers),
			Samples: samples(at, p.credentials(r, c), exampleOf(c, link, p.theme.text("api.sample.click"))),
		}
		for _, q := range c.Params {
			part.Params = append(part.Params, view.Param{
				Name: q.Name, Text: p.paramText(c, q.Name), Values: valuesOf(q),
				Required: q.Required, Barred: c.Name == "makeLink" && !allowed[q.Name],
			})
		}
		page.Calls = append(page.Calls, part)
	}
	return p.render(w, r, http.StatusOK, "api", p.theme.text("api.title"), page)
}

func (p *Pages) statuses(key string, answers []apispec.Answer) (statuses []view.Status) {
	for _, a := range answers {
		statuses = append(statuses, view.Status{Code: a.Status, Text: p.theme.text(key + a.Status)})
	}
	return statuses
}

// paramText returns the description of a parameter. A call can have its own.
func (p *Pages) paramText(c apispec.Call, name string) string {
	if key := "api.param." + c.Name + "." + name; p.theme.text(key) != key {
		return p.theme.text(key)
	}
	return p.theme.text("api.param." + name)
}

func (p *Pages) loginOf(r *request) string {
	if r.account.Login == "" {
		return p.theme.text("api.sample.login")
	}
	return r.account.Login
}

// credentials returns the login and a placeholder for the pass, which is not
// known: only a hash of it is kept.
func (p *Pages) credentials(r *request, c apispec.Call) [][2]string {
	if c.Open {
		return nil
	}
	return [][2]string{{"login", p.loginOf(r)}, {"pass", p.theme.text("api.sample.pass")}}
}
