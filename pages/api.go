package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// A call is one of the API.
type call struct {
	name, path string // path is behind the base
	free       bool   // asks for no login and pass, and is by GET only
	postOnly   bool
	changes    bool // it makes or counts something
	params     []string
	required   string // one of params; "" none
	fields     []string
}

var (
	linkFields = []string{
		"redirect_hash", "link", "external_url", "host", "vanity_link", "title", "description", "notes", "group", "is_active", "is_public",
		"has_plus_tracking", "has_public_tracking", "has_conversion_tracking", "has_alert_email", "has_password", "alert_at", "deactivate_at",
		"expires_at", "created_at", "updated_at", "count_day", "count_total", "count_unique", "count_bot", "count_conversion",
	}
	clickFields = []string{
		"id", "created_at", "ip_address", "referrer", "referrer_host", "user_agent", "browser", "platform", "is_unique", "is_bot", "query",
	}
	reportFields = []string{
		"redirect_hash", "link", "title", "from", "to", "by", "count_total", "count_unique", "count_bot", "count_conversion",
		"values", "periods", "referrer_hosts", "browsers", "platforms", "countries",
	}
	conversionFields = []string{"click_id", "order_id", "value", "currency", "counted"}
)

// calls are the API, as it describes itself at openapi.json.
var calls = []call{
	{name: "makeLink", path: "v1_0/makeLink", changes: true, required: "external_url", params: []string{
		"external_url", "host", "title", "vanity_link", "description", "notes", "alert_at", "deactivate_at", "has_alert_email", "password",
		"is_active", "is_public", "has_plus_tracking", "has_public_tracking", "has_conversion_tracking", "expires_at", "group",
	}},
	{name: "getLink", path: "v1_0/getLink", params: []string{"redirect_hash", "sort", "order", "limit", "links", "groups", "format"}, fields: linkFields},
	{name: "getLinks", path: "v1_0/getLinks", params: []string{"sort", "order", "limit", "links", "groups", "format"}, fields: linkFields},
	{name: "getLinkHistory", path: "v1_0/getLinkHistory", required: "redirect_hash", params: []string{
		"redirect_hash", "sort", "order", "limit", "start_date", "end_date", "before", "after", "format",
	}, fields: clickFields},
	{name: "getReport", path: "v1_0/getReport", required: "redirect_hash", params: []string{"redirect_hash", "from", "to", "by", "format"}, fields: reportFields},
	{name: "exportHistory", path: "v1_0/exportHistory", required: "redirect_hash", params: []string{
		"redirect_hash", "start_date", "end_date", "after", "format",
	}, fields: clickFields},
	{name: "conversion", path: "v1_0/conversion", postOnly: true, changes: true, required: "click_id", params: []string{
		"click_id", "order_id", "value", "currency", "format",
	}, fields: conversionFields},
	{name: "getOptOutLink", path: "v1_0/getOptOutLink", params: []string{"host"}},
	{name: "ping", path: "ping", free: true},
}

// methods are those by which the call may be made.
func (c call) methods() string {
	switch {
	case c.free:
		return http.MethodGet
	case c.postOnly:
		return http.MethodPost
	}
	return http.MethodGet + ", " + http.MethodPost
}

// values returns the values that a parameter can have, the default first; nil if
// it can have any.
func (c call) values(param string) []string {
	switch {
	case param == "sort" && c.name == "getLinkHistory":
		return []string{"h.created_at"}
	case param == "sort":
		var names []string
		for _, s := range sorts {
			names = append(names, string(s))
		}
		return names
	case param == "order":
		return []string{"desc", "asc"}
	case param == "by":
		return []string{string(linktrack.ByDay), string(linktrack.ByHour)}
	case param == "format" && c.name == "exportHistory":
		return []string{"csv", "json"}
	case param == "format" && (c.name == "getLinkHistory" || c.name == "getReport"):
		return []string{"xml", "json", "csv"}
	case param == "format":
		return []string{"xml", "json"}
	case param == "is_active":
		return []string{"1", "0"}
	case strings.HasPrefix(param, "is_") || strings.HasPrefix(param, "has_"):
		return []string{"0", "1"}
	}
	return nil
}

// example are parameters of a call, to show it.
func (c call) example(link, click string) [][2]string {
	switch {
	case c.required == "external_url":
		return [][2]string{{"external_url", "https://example.com/spring"}}
	case c.required == "click_id":
		return [][2]string{{"click_id", click}, {"order_id", "1042"}, {"value", "12.34"}, {"currency", "EUR"}}
	case c.name == "getLinks":
		return [][2]string{{"sort", "lc.count_total"}, {"limit", "10"}, {"format", "json"}}
	case c.name == "exportHistory":
		return [][2]string{{"redirect_hash", link}, {"format", "csv"}}
	case slices.Contains(c.params, "redirect_hash"):
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
		Base: base, OpenAPI: base + "openapi.json", Login: r.account.Login, Renews: p.sessions != nil,
		ShortWay: base + "v1_0/makeLink?login=" + url.QueryEscape(p.loginOf(r)) + "&pass=" + p.theme.text("api.sample.pass") + "&external_url=https://example.com/spring",
	}
	allowed := p.allowed(r.account)
	for _, c := range calls {
		part := view.Call{
			Name: c.name, URL: base + c.path, Methods: c.methods(), Fields: c.fields,
			Text: p.theme.text("api.call." + c.name), Returns: p.theme.text("api.returns." + c.name),
			Samples: samples(base+c.path, p.credentials(r, c), c.example(link, p.theme.text("api.sample.click"))),
		}
		for _, name := range c.params {
			part.Params = append(part.Params, view.Param{
				Name: name, Text: p.paramText(c, name), Values: c.values(name),
				Required: name == c.required, Barred: c.name == "makeLink" && !allowed[name],
			})
		}
		page.Calls = append(page.Calls, part)
	}
	return p.render(w, r, http.StatusOK, "api", p.theme.text("api.title"), page)
}

// paramText returns the description of a parameter. A call can have its own.
func (p *Pages) paramText(c call, name string) string {
	if key := "api.param." + c.name + "." + name; p.theme.text(key) != key {
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
func (p *Pages) credentials(r *request, c call) [][2]string {
	if c.free {
		return nil
	}
	return [][2]string{{"login", p.loginOf(r)}, {"pass", p.theme.text("api.sample.pass")}}
}
