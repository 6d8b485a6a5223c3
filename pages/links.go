package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// pageSize is the number of links on a page. maxPage is the last page that can be
// requested; links beyond it can be found by a search.
const (
	pageSize = 50
	maxPage  = 2000
)

func (p *Pages) row(a linktrack.Account, l linktrack.Link) view.Link {
	state := "state.active"
	switch err := l.State(time.Now()); err {
	case nil:
	case linktrack.ErrExpired:
		state = "state.expired"
	case linktrack.ErrUsedUp:
		state = "state.usedup"
	case linktrack.ErrNotYet:
		state = "state.notyet"
	default:
		state = "state.inactive"
	}
	row := view.Link{Link: l, URL: p.t.TrackingURL(l), State: state, MaySwitch: p.allowed(a)["is_active"], Row: rowID(l)}
	if scheme, _, _ := strings.Cut(strings.ToLower(l.ExternalURL), "://"); scheme == "http" || scheme == "https" {
		row.Leads = l.ExternalURL
	}
	return row
}

// allowed returns the parameters that the account's type allows.
func (p *Pages) allowed(a linktrack.Account) map[string]bool {
	allowed := map[string]bool{"external_url": true, "forward_query": true}
	typ, _ := p.t.TypeOf(a) // an unknown type allows nothing, and its forms are refused
	for _, name := range typ.Params {
		allowed[name] = true
	}
	allowed["has_public_revenue"] = allowed["has_public_tracking"]
	return allowed
}

func (p *Pages) showLinks(w http.ResponseWriter, r *request) error {
	given := r.URL.Query()
	page := view.Links{
		Search: given.Get("q"), Group: given.Get("group"),
		Sort: given.Get("sort"), Order: given.Get("order"),
		Depth: linktrack.SearchDepth,
	}
	number, err := strconv.Atoi(given.Get("page"))
	number = min(max(number, 1), maxPage)
	if err != nil {
		number = 1
	}
	if page.Sort == "" {
		page.Sort = string(linktrack.SortCreated)
	}
	if page.Order == "" {
		page.Order = "desc"
	}
	for _, s := range sorts {
		page.Sorts = append(page.Sorts, choice(string(s), p.theme.text("sort."+string(s)), string(s) == page.Sort))
	}
	if page.Groups, err = p.t.Groups(r.Context(), r.account); err != nil {
		return err
	}
	if page.Group != "" && !slices.Contains(page.Groups, page.Group) {
		page.Groups = append(page.Groups, page.Group)
	}
	page.Filtered = page.Search != "" || page.Group != ""

	links, err := p.search(r.Context(), r.account, page, (number-1)*pageSize)
	status := http.StatusOK
	var invalid *linktrack.InvalidError
	switch {
	case errors.As(err, &invalid):
		page.Error, status = p.theme.reason(p.theme.text("param."+invalid.Param), invalid), http.StatusBadRequest
		page.SearchError = invalid.Param == "search"
	case err != nil:
		return err
	}
	if len(links) > pageSize {
		links = links[:pageSize]
		page.Next = p.linksAt(given, number+1)
	}
	if number > 1 {
		page.Prev = p.linksAt(given, number-1)
	}
	for _, l := range links {
		page.Links = append(page.Links, p.row(r.account, l))
	}
	p.addSparks(r, page.Links)
	page.First, page.Last = int64((number-1)*pageSize+1), int64((number-1)*pageSize+len(links))
	page.Made, page.Saved = p.noted(r, "made"), p.noted(r, "saved")
	for i := range page.Links {
		if page.Saved != nil && page.Links[i].ID == page.Saved.ID {
			page.Links[i].Saved, page.Saved = true, nil // its row shows the message
		}
	}
	page.Query = listQuery(given.Encode()).Encode()
	page.Back = "?back=" + url.QueryEscape(page.Query)
	return p.render(w, r, status, "links", p.theme.text("links.title"), page)
}

// sorts are the sort keys, in the order in which the page offers them.
var sorts = []linktrack.Sort{
	linktrack.SortCreated, linktrack.SortLastClick, linktrack.SortTotal, linktrack.SortDay,
	linktrack.SortTitle, linktrack.SortExternalURL, linktrack.SortPath, linktrack.SortGroup,
}

// search returns the links of the page, and one more if there are more.
func (p *Pages) search(ctx context.Context, a linktrack.Account, page view.Links, offset int) ([]linktrack.Link, error) {
	text := strings.TrimSpace(page.Search)
	if strings.Contains(text, "/") && page.Group == "" { // the address of a link finds that link, also without the dot
		if l, err := p.t.Link(ctx, a, text); err == nil && offset == 0 {
			return []linktrack.Link{l}, nil
		}
	}
	q := linktrack.LinksQuery{
		Search:    text,
		Sort:      linktrack.Sort(page.Sort),
		Ascending: page.Order == "asc",
		Limit:     pageSize + 1,
		Offset:    offset,
	}
	if page.Group != "" {
		q.Groups = []string{page.Group}
	}
	return p.t.Links(ctx, a, q)
}

// linksAt returns the address of another page of the same list.
func (p *Pages) linksAt(given url.Values, number int) string {
	values := listQuery(given.Encode())
	values.Del("page")
	if number > 1 {
		values.Set("page", strconv.Itoa(number))
	}
	return p.o.Prefix + "links?" + values.Encode()
}

// listQuery returns the parameters of a query that select a part of a list.
func listQuery(query string) url.Values {
	given, _ := url.ParseQuery(query) // a malformed query gives what can be read
	values := url.Values{}
	for _, name := range []string{"q", "group", "sort", "order", "page"} {
		if v := given.Get(name); v != "" {
			values.Set(name, v)
		}
	}
	return values
}

// listAt returns the address of the list with a query.
func (p *Pages) listAt(query url.Values) string {
	if len(query) == 0 {
		return p.o.Prefix + "links"
	}
	return p.o.Prefix + "links?" + query.Encode()
}

// rowID returns the id of a link's row in the list.
func rowID(l linktrack.Link) string { return "link-" + strconv.FormatInt(l.ID, 10) }

// noted returns the link that the form before this page made or edited, nil if
// there is none. what is the parameter that names the link: made or saved.
func (p *Pages) noted(r *request, what string) *view.Link {
	host, path, ok := strings.Cut(r.URL.Query().Get(what), "/")
	if !ok {
		return nil
	}
	l, _, err := p.find(r.Context(), r.account, host, path)
	if err != nil {
		return nil
	}
	row := p.row(r.account, l)
	return &row
}

// find returns the account's link on a host at a path, and its tracking URL,
// which names it in calls of [linktrack.Tracker].
func (p *Pages) find(ctx context.Context, a linktrack.Account, host, path string) (l linktrack.Link, name string, err error) {
	name = p.t.TrackingURL(linktrack.Link{Host: host, Path: path})
	l, err = p.t.Link(ctx, a, name)
	if err == nil && l.Host != host {
		err = linktrack.ErrNotFound
	}
	if err != nil {
		return linktrack.Link{}, "", err
	}
	return l, name, nil
}

// switchLink switches a link on or off and returns to the list. The address to
// which the form is sent ends with # and the id of the link's row; browsers keep
// that part when they are redirected.
func (p *Pages) switchLink(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	on := form.Get("active") == "1"
	if !on && form.Get("active") != "0" {
		return errBadForm
	}
	_, name, err := p.find(r.Context(), r.account, r.PathValue("host"), r.PathValue("path"))
	if err != nil {
		return err
	}
	if !r.resumed {
		if _, err := p.t.UpdateLink(r.Context(), r.account, name, func(e *linktrack.LinkEdit) { e.Disabled = !on }); err != nil {
			return err
		}
	}
	http.Redirect(w, r.Request, p.listAt(listQuery(form.Get("back"))), http.StatusSeeOther)
	return nil
}
