package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/apispec"
	"github.com/linktrackhq/linktrack/pages/view"
)

// The page that tries a call makes it on the server, through the API's own handler,
// for the account that is signed in. So it needs no JavaScript and works wherever
// the API is. It does not ask for the pass: the pass was shown only once, and a
// page that often asks for it would teach people to type it.

// maxAnswer limits the bytes of an answer that are shown.
const maxAnswer = 64 << 10

var errTruncated = errors.New("the rest of the answer is not shown")

func callOf(r *request) (apispec.Call, error) {
	i := slices.IndexFunc(calls(), func(c apispec.Call) bool { return c.Name == r.PathValue("call") })
	if i < 0 {
		return apispec.Call{}, linktrack.ErrNotFound
	}
	return calls()[i], nil
}

func (p *Pages) showTry(w http.ResponseWriter, r *request) error {
	c, err := callOf(r)
	if err != nil {
		return err
	}
	return p.renderTry(w, r, c, r.URL.Query(), nil)
}

func (p *Pages) try(w http.ResponseWriter, r *request) error {
	c, err := callOf(r)
	if err != nil {
		return err
	}
	form, err := r.form()
	if err != nil {
		return err
	}
	if r.resumed {
		return p.renderTry(w, r, c, form, nil)
	}
	answer, err := p.callAPI(r, c, form)
	if err != nil {
		return err
	}
	return p.renderTry(w, r, c, form, answer)
}

func (p *Pages) renderTry(w http.ResponseWriter, r *request, c apispec.Call, values url.Values, answer *view.Answer) error {
	page := view.Try{Name: c.Name, Text: p.theme.text("api.call." + c.Name), Changes: c.Changes, Answer: answer}
	allowed := p.allowed(r.account)
	for _, q := range c.Params {
		name := q.Name
		f := view.Field{Name: name, Kind: "word", Label: name, Hint: p.paramText(c, name), Value: values.Get(name)}
		switch {
		case valuesOf(q) != nil:
			f.Kind, f.Options = "choice", []view.Option{{Text: p.theme.text("api.try.default")}}
			for _, v := range valuesOf(q) {
				f.Options = append(f.Options, choice(v, v, v == f.Value))
			}
		case name == "password":
			f.Kind = "password"
		case name == "description" || name == "notes":
			f.Kind = "lines"
		case name == "title" || name == "group":
			f.Kind = "line"
		}
		if c.Name == "makeLink" && !allowed[name] {
			f.Disabled, f.Hint = true, p.theme.text("form.notallowed")
		}
		page.Fields = append(page.Fields, f)
	}
	if answer != nil {
		page.Curl = curlSample(p.apiBase()+pathOf(c), slices.Concat(p.credentials(r, c), given(c, values)))
	}
	return p.render(w, r, http.StatusOK, "apitry", p.theme.text("api.try.title", c.Name), page)
}

// given returns the parameters of a call that a form sets. It replaces a password
// by "…".
func given(c apispec.Call, values url.Values) (pairs [][2]string) {
	for _, q := range c.Params {
		v := values.Get(q.Name)
		if q.Name == "password" && v != "" {
			v = "…"
		}
		if v != "" {
			pairs = append(pairs, [2]string{q.Name, v})
		}
	}
	return pairs
}

// callAPI makes a call for the account that is signed in.
func (p *Pages) callAPI(r *request, c apispec.Call, form url.Values) (answer *view.Answer, err error) {
	method, body := http.MethodPost, url.Values{}
	for _, q := range c.Params {
		body.Set(q.Name, strings.ReplaceAll(form.Get(q.Name), "\r\n", "\n"))
	}
	if c.Open {
		method = http.MethodGet
	}
	made, err := http.NewRequestWithContext(r.Context(), method, p.apiBase()+pathOf(c), strings.NewReader(body.Encode()))
	if err != nil {
		return nil, err
	}
	made.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	made.RemoteAddr = r.RemoteAddr
	kept := &keptAnswer{header: make(http.Header)}
	defer func() {
		// The API ends an export that it cannot write to its end with
		// http.ErrAbortHandler. Here that means that the answer was truncated.
		if broken := recover(); broken != nil && broken != http.ErrAbortHandler {
			panic(broken)
		}
		answer = kept.answer()
	}()
	p.t.API(r.account).ServeHTTP(kept, made)
	return nil, nil
}

// A keptAnswer keeps the beginning of an answer.
type keptAnswer struct {
	header    http.Header
	status    int
	body      []byte
	truncated bool
}

func (k *keptAnswer) Header() http.Header { return k.header }

func (k *keptAnswer) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
}

// Write fails when maxAnswer bytes are kept.
func (k *keptAnswer) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	n := min(len(b), maxAnswer-len(k.body))
	k.body = append(k.body, b[:n]...)
	if n < len(b) {
		k.truncated = true
		return n, errTruncated
	}
	return n, nil
}

func (k *keptAnswer) answer() *view.Answer {
	return &view.Answer{
		Status: k.status, Reason: http.StatusText(k.status), ContentType: k.header.Get("Content-Type"),
		Body: strings.ToValidUTF8(string(k.body), "\uFFFD"), Truncated: k.truncated,
	}
}
