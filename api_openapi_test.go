package linktrack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A description is the API's, as it describes itself.
type description struct {
	t    *testing.T
	root map[string]any
}

func describe(t *testing.T, s *trackertest.Service) description {
	t.Helper()
	r := s.Get("/api/openapi.json")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
	d := description{t: t}
	trackertest.Decode(t, r, &d.root)
	return d
}

// at returns what stands at a path of keys; a $ref is followed. Nil: nothing.
func (d description) at(from any, keys ...string) any {
	for _, key := range keys {
		o, _ := d.follow(from).(map[string]any)
		from = o[key]
	}
	return d.follow(from)
}

func (d description) follow(v any) any {
	o, _ := v.(map[string]any)
	to, ok := o["$ref"].(string)
	if !ok {
		return v
	}
	path, ok := strings.CutPrefix(to, "#/")
	require.True(d.t, ok, to)
	found := d.at(d.root, strings.Split(path, "/")...)
	require.NotNil(d.t, found, "%s leads nowhere", to)
	return found
}

// operations are all that the description has, by path and method.
func (d description) operations() map[[2]string]map[string]any {
	found := map[[2]string]map[string]any{}
	for path, item := range d.root["paths"].(map[string]any) {
		for method, o := range item.(map[string]any) {
			found[[2]string{path, strings.ToUpper(method)}] = o.(map[string]any)
		}
	}
	return found
}

// parameters are those of an operation, by name, with their schemas.
func (d description) parameters(operation map[string]any) map[string]map[string]any {
	found := map[string]map[string]any{}
	list, _ := operation["parameters"].([]any)
	for _, p := range list {
		p := d.follow(p).(map[string]any)
		found[p["name"].(string)] = d.follow(p["schema"]).(map[string]any)
	}
	form, _ := d.at(operation, "requestBody", "content", "application/x-www-form-urlencoded", "schema", "properties").(map[string]any)
	for name, schema := range form {
		found[name] = schema.(map[string]any)
	}
	return found
}

// fits holds an answer to its schema: its type, all of its fields and no other.
func (d description) fits(schema, value any, where string) {
	d.t.Helper()
	s := d.follow(schema).(map[string]any)
	if either, ok := s["oneOf"].([]any); ok {
		for _, one := range either {
			if _, fits := value.(map[string]any)[d.at(one, "required").([]any)[0].(string)]; fits {
				d.fits(one, value, where)
				return
			}
		}
		require.Fail(d.t, "no schema fits", where)
	}
	types, _ := s["type"].([]any)
	if one, ok := s["type"].(string); ok {
		types = []any{one}
	}
	switch v := value.(type) {
	case map[string]any:
		require.Contains(d.t, types, "object", where)
		properties := d.at(s, "properties").(map[string]any)
		require.ElementsMatch(d.t, slices.Collect(maps.Keys(properties)), slices.Collect(maps.Keys(v)), where)
		for name, schema := range properties {
			d.fits(schema, v[name], where+"."+name)
		}
	case []any:
		require.Contains(d.t, types, "array", where)
		for i, item := range v {
			d.fits(s["items"], item, fmt.Sprintf("%s[%d]", where, i))
		}
	case string:
		require.Contains(d.t, types, "string", where)
	case nil:
		require.Contains(d.t, types, "null", where)
	case float64:
		if v != float64(int64(v)) {
			require.Contains(d.t, types, "number", where)
		} else {
			require.True(d.t, slices.Contains(types, "integer") || slices.Contains(types, "number"), where)
		}
		if enum, ok := s["enum"].([]any); ok {
			require.Contains(d.t, enum, value, where)
		}
	default:
		require.Fail(d.t, "of no known type", where)
	}
}

func TestTheDescriptionIsThatOfThisService(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "https://go.example.com/l", TimeZone: time.UTC})
	r := s.Get("https://go.example.com/l/api/openapi.json")
	body := trackertest.Text(t, r)
	require.Contains(t, body, `"url": "https://go.example.com/l"`)
	require.Contains(t, body, "in the zone UTC")
	again := s.Get("https://go.example.com/l/api/openapi.json", "If-None-Match", r.Header.Get("ETag"))
	require.Equal(t, 304, again.StatusCode)
	require.Equal(t, 405, s.Post("https://go.example.com/l/api/openapi.json", nil).StatusCode)
	require.NotContains(t, body, trackertest.Login)
}

// What OpenAPI 3.1 lets stand in its objects, as far as they are used here: with
// an exclamation mark what must.
var openAPIObjects = map[string]string{
	"root":           "openapi! info! servers paths! components",
	"info":           "title! version! summary description",
	"server":         "url!",
	"operation":      "operationId summary description security parameters requestBody responses!",
	"parameter":      "name! in! required description schema!",
	"requestBody":    "content!",
	"response":       "description! headers content",
	"header":         "schema",
	"mediaType":      "schema",
	"securityScheme": "type! scheme in name description",
	"schema": "type enum default description format pattern minimum maximum maxLength examples " +
		"properties required items oneOf xml",
	"xml":        "name wrapped",
	"components": "securitySchemes parameters responses schemas",
}

func (d description) is(kind string, v any) map[string]any {
	d.t.Helper()
	o, ok := d.follow(v).(map[string]any)
	require.True(d.t, ok, "%s: %v", kind, v)
	allowed := map[string]bool{}
	for _, name := range strings.Fields(openAPIObjects[kind]) {
		name, must := strings.CutSuffix(name, "!")
		allowed[name] = true
		require.True(d.t, !must || o[name] != nil, "%s lacks %s: %v", kind, name, o)
	}
	for name := range o {
		require.True(d.t, allowed[name], "%s has %s", kind, name)
	}
	return o
}

func (d description) isSchema(v any) {
	d.t.Helper()
	o := d.is("schema", v)
	for _, name := range []string{"minimum", "maximum", "maxLength"} {
		if o[name] != nil {
			require.IsType(d.t, 0.0, o[name])
		}
	}
	if pattern, ok := o["pattern"].(string); ok {
		require.NotNil(d.t, regexp.MustCompile(pattern))
	}
	properties, _ := o["properties"].(map[string]any)
	for _, p := range properties {
		d.isSchema(p)
	}
	required, _ := o["required"].([]any)
	for _, name := range required {
		require.Contains(d.t, properties, name)
	}
	if enum, ok := o["enum"].([]any); ok && o["default"] != nil {
		require.Contains(d.t, enum, o["default"])
	}
	if o["type"] == "array" {
		d.isSchema(o["items"])
	}
	either, _ := o["oneOf"].([]any)
	for _, one := range either {
		d.isSchema(one)
	}
	if o["xml"] != nil {
		d.is("xml", o["xml"])
	}
}

func TestTheDescriptionIsOpenAPI(t *testing.T) {
	d := describe(t, trackertest.NewService(t, memstore.New(), linktrack.Options{}))
	require.Equal(t, "3.1.0", d.is("root", d.root)["openapi"])
	d.is("info", d.root["info"])
	for _, s := range d.root["servers"].([]any) {
		u, err := url.Parse(d.is("server", s)["url"].(string))
		require.NoError(t, err)
		require.True(t, u.IsAbs())
	}
	components := d.is("components", d.root["components"])
	for name, s := range components["schemas"].(map[string]any) {
		require.Regexp(t, `^[A-Za-z0-9._-]+$`, name)
		d.isSchema(s)
	}
	for _, s := range components["securitySchemes"].(map[string]any) {
		d.is("securityScheme", s)
	}
	for _, p := range components["parameters"].(map[string]any) {
		d.isSchema(d.is("parameter", p)["schema"])
	}
	for name, r := range components["responses"].(map[string]any) {
		require.Regexp(t, `^[A-Za-z0-9._-]+$`, name)
		d.is("response", r)
	}
	ids := map[string]bool{}
	for at, o := range d.operations() {
		require.True(t, strings.HasPrefix(at[0], "/"))
		d.is("operation", o)
		id := o["operationId"].(string)
		require.False(t, ids[id], "%s twice", id)
		ids[id] = true
		for _, s := range o["security"].([]any) {
			for name := range s.(map[string]any) {
				require.Contains(t, components["securitySchemes"], name)
			}
		}
		seen := map[string]bool{}
		list, _ := o["parameters"].([]any)
		for _, p := range list {
			name := d.is("parameter", p)["name"].(string)
			require.False(t, seen[name], "%s: %s twice", id, name)
			seen[name] = true
		}
		if o["requestBody"] != nil {
			require.Equal(t, "POST", at[1])
			for _, m := range d.is("requestBody", o["requestBody"])["content"].(map[string]any) {
				d.isSchema(d.is("mediaType", m)["schema"])
			}
		}
		for status, r := range o["responses"].(map[string]any) {
			require.Regexp(t, `^[2-5]\d\d$`, status)
			headers, _ := d.is("response", r)["headers"].(map[string]any)
			for _, h := range headers {
				d.is("header", h)
			}
			content, _ := d.at(r, "content").(map[string]any)
			for _, m := range content {
				d.isSchema(d.is("mediaType", m)["schema"])
			}
		}
	}
	require.Greater(t, len(ids), 15)
}

// A probe sends requests and holds the answers to what is described.
type probe struct {
	*trackertest.Service
	description
	seen   map[string]map[int]bool // statuses, by operation
	client string                  // where the requests come from
}

// send sends parameters to a described operation, in the query or as a form.
func (p *probe) send(at [2]string, form url.Values) *http.Response {
	p.Service.T.Helper()
	r := trackertest.Request("GET", at[0]+"?"+form.Encode(), "")
	if at[1] == "POST" {
		r = trackertest.Request("POST", at[0], form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = p.client
	answer := p.Do(r)
	p.check(at, answer)
	return answer
}

func (p *probe) check(at [2]string, r *http.Response) {
	p.Service.T.Helper()
	where := fmt.Sprint(at, r.StatusCode)
	body := trackertest.Text(p.Service.T, r)
	r.Body = io.NopCloser(strings.NewReader(body))
	o := p.operations()[at]
	answer := p.at(o, "responses", strconv.Itoa(r.StatusCode))
	require.NotNil(p.Service.T, answer, "%s: this status is not described: %s", where, body)
	id := o["operationId"].(string)
	if p.seen[id] == nil {
		p.seen[id] = map[int]bool{}
	}
	p.seen[id][r.StatusCode] = true
	if body == "" {
		require.Nil(p.Service.T, p.at(answer, "content"), where)
		return
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	content := p.at(answer, "content").(map[string]any)
	require.Contains(p.Service.T, content, mediaType, where)
	switch schema := p.at(content, mediaType, "schema"); {
	case mediaType == "application/json" && at[0] != "/api/openapi.json":
		var value any
		require.NoError(p.Service.T, json.Unmarshal([]byte(body), &value), where)
		p.fits(schema, value, where)
	case mediaType == "text/plain":
		if pattern, ok := schema.(map[string]any)["pattern"].(string); ok {
			require.Regexp(p.Service.T, pattern, body, where)
		}
	case mediaType == "application/xml":
		root := regexp.MustCompile(`^<\?xml[^>]*>\s*<(\w+)>`).FindStringSubmatch(body)
		names := []any{p.at(schema, "xml", "name")}
		either, _ := p.at(schema, "oneOf").([]any)
		for _, one := range either {
			names = append(names, p.at(one, "xml", "name"))
		}
		require.Contains(p.Service.T, names, root[1], where)
	}
	headers, _ := p.at(answer, "headers").(map[string]any)
	for name := range headers {
		require.NotEmpty(p.Service.T, r.Header.Get(name), "%s: %s", where, name)
	}
}

// fine are parameters with which each call succeeds; the link is there.
func (p *probe) fine(path string) url.Values {
	form := trackertest.Values("login", trackertest.Login, "pass", trackertest.Pass)
	switch {
	case path == "/api/optout":
		u, err := url.Parse(p.optOut())
		require.NoError(p.Service.T, err)
		return u.Query()
	case !strings.HasPrefix(path, "/api/v1_0/"):
		return url.Values{}
	case strings.HasSuffix(path, "makeLink"):
		form.Set("external_url", "https://example.com/")
	case strings.HasSuffix(path, "conversion"):
		form.Set("click_id", trackertest.ClickOf(p.Click(p.MakeConvertibleLink())))
	case !strings.HasSuffix(path, "getLinks"):
		form.Set("redirect_hash", "spring")
	}
	return form
}

func (p *probe) optOut() string {
	address, err := p.Tracker.OptOutURL(p.Account, "")
	require.NoError(p.Service.T, err)
	return address
}

func newProbe(t *testing.T) (*probe, *trackertest.FaultyStore) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{Logger: slog.New(slog.DiscardHandler)})
	s.Get(s.MakeConvertibleLink("vanity_link", "spring", "title", "Spring"))
	return &probe{s, describe(t, s), map[string]map[int]bool{}, "192.0.2.1:1"}, store
}

func TestTheHandlerAnswersAsItIsDescribed(t *testing.T) {
	p, store := newProbe(t)
	taken := p.MakeLink("vanity_link", "taken")
	require.NotEmpty(t, taken)
	bob, _, err := p.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	l, err := p.Tracker.MakeLink(t.Context(), bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", HasConversionTracking: true}})
	require.NoError(t, err)
	others := trackertest.ClickOf(p.Click(p.Tracker.TrackingURL(l)))
	clients := 1
	for at := range p.operations() {
		path := at[0]
		clients++
		p.client = fmt.Sprintf("192.0.2.%d:1", clients) // one alone would be throttled
		isCall := strings.HasPrefix(path, "/api/v1_0/")
		change := func(pairs ...string) url.Values {
			form := p.fine(path)
			for i := 0; i < len(pairs); i += 2 {
				form.Set(pairs[i], pairs[i+1])
			}
			return form
		}
		status := p.send(at, p.fine(path)).StatusCode
		require.True(t, status >= 200 && status < 300, "%v: %d", at, status)
		for _, format := range []string{"json", "xml", "csv", "pdf"} {
			p.send(at, change("format", format))
			p.send(at, change("format", format, "redirect_hash", "none"))
			p.send(at, change("format", format, "pass", "wrong"))
		}
		if path == "/api/optout" {
			p.send(at, change("undo", "1"))
			p.send(at, change("token", "x"))
		}
		if !isCall {
			continue
		}
		p.send(at, change("redirect_hash", ""))
		p.send(at, url.Values{})
		p.send(at, change("redirect_hash", "spring", "by", "hour", "click_id", "x", "external_url", "x", "host", "none.example"))
		p.send(at, change("click_id", others))
		if at[1] == "POST" {
			p.send(at, change("vanity_link", "taken"))
			p.check(at, p.Do(trackertest.Request("POST", path, "{}", "Content-Type", "application/json")))
			p.check(at, p.Do(trackertest.Request("POST", path, "x="+strings.Repeat("x", 2<<20), "Content-Type", "application/x-www-form-urlencoded")))
			if path == "/api/v1_0/conversion" {
				form := p.fine(path)
				p.send(at, form)
				require.Equal(t, 200, p.send(at, form).StatusCode)
			}
		}
		form := p.fine(path)
		store.Down.Store(true)
		require.Equal(t, 503, p.send(at, form).StatusCode)
		store.Down.Store(false)
		trackertest.SetDisabled(t, store, p.Account, true)
		require.Equal(t, 403, p.send(at, form).StatusCode)
		trackertest.SetDisabled(t, store, p.Account, false)
	}
	for range 12 {
		p.send([2]string{"/api/v1_0/getLinks", "POST"}, trackertest.Values("login", trackertest.Login, "pass", "wrong"))
	}
	for at := range p.operations() {
		if strings.HasPrefix(at[0], "/api/v1_0/") {
			require.Equal(t, 429, p.send(at, trackertest.Values("login", trackertest.Login, "pass", "wrong")).StatusCode)
		}
	}
	for at, o := range p.operations() { // and nothing is described that never comes
		id := o["operationId"].(string)
		for status := range o["responses"].(map[string]any) {
			n, _ := strconv.Atoi(status)
			if n != 500 {
				require.True(t, p.seen[id][n], "%v %s was not seen", at, status)
			}
		}
	}
}

// junk is a value that no rule of a schema takes; "" if any text is right.
func junk(schema map[string]any) string {
	switch {
	case schema["enum"] != nil || schema["pattern"] != nil, schema["type"] == "integer", schema["format"] == "uri", schema["format"] == "uuid", schema["format"] == "date":
		return "!?"
	case schema["maxLength"] != nil:
		return strings.Repeat("x", int(schema["maxLength"].(float64))+1)
	}
	return ""
}

func TestAParameterIsDescribedAlikeInTheQueryAndInTheForm(t *testing.T) {
	d := describe(t, trackertest.NewService(t, memstore.New(), linktrack.Options{}))
	compared := 0
	for at, o := range d.operations() {
		list, _ := o["parameters"].([]any)
		form, ok := d.operations()[[2]string{at[0], "POST"}]
		for _, p := range list {
			if p := d.follow(p).(map[string]any); ok {
				want := maps.Clone(p["schema"].(map[string]any))
				want["description"] = p["description"]
				require.Equal(t, want, d.parameters(form)[p["name"].(string)], at)
				compared++
			}
		}
	}
	require.Greater(t, compared, 30)
}

// telling are values that change an answer of a call, of parameters that take
// any text.
var telling = map[string]string{
	"external_url": "x", "redirect_hash": "none", "links": "none", "groups": "none", "host": "none.example", "click_id": "x",
	"account": "7", "token": "x", "undo": "1",
}

func TestEachParameterOfACallChangesItsAnswer(t *testing.T) {
	p, _ := newProbe(t)
	for at, o := range p.operations() {
		for name, schema := range p.parameters(o) {
			switch {
			case name == "login" || name == "pass" || name == "password":
				continue
			case at[0] == "/c.gif": // tells nobody: see TestTheImageIsAnsweredWhateverHappens and TestTheNewestClickWinsWithinAnAccount
				continue
			case junk(schema) != "" && strings.HasPrefix(at[0], "/api/v1_0/"): // is refused, in the next test
				continue
			}
			require.NotEmpty(t, telling[name], "%v: %s has no value that tells", at, name)
			form := p.fine(at[0])
			if at[0] == "/api/v1_0/getLink" && name != "redirect_hash" {
				form.Del("redirect_hash")
			}
			plain := p.send(at, form)
			form.Set(name, telling[name])
			told := p.send(at, form)
			require.Less(t, plain.StatusCode, 300, at)
			if at[0] == "/api/v1_0/makeLink" { // which answers another link each time
				require.Equal(t, 400, told.StatusCode, "%v does not read %s", at, name)
				continue
			}
			require.NotEqual(t, trackertest.Text(t, plain), trackertest.Text(t, told), "%v does not read %s", at, name)
		}
	}
	require.EqualValues(t, 1, p.Link(p.MakeLink("password", "x"))["has_password"])
}

func TestEachCallKnowsTheParametersThatItIsDescribedWithAndNoOther(t *testing.T) {
	p, _ := newProbe(t)
	all := map[string]map[string]any{}
	for _, o := range p.operations() {
		maps.Copy(all, p.parameters(o))
	}
	refused := 0
	for at, o := range p.operations() {
		if !strings.HasPrefix(at[0], "/api/v1_0/") {
			continue
		}
		known := p.parameters(o)
		for name, schema := range all {
			if name == "login" || name == "pass" || name == "external_url" && at[1] == "GET" {
				continue // the last is read to the end of the query, if it is not encoded
			}
			form := p.fine(at[0])
			if known[name] == nil {
				form.Set(name, "!?")
				if at == [2]string{"/api/v1_0/makeLink", "GET"} && p.parameters(p.operations()[[2]string{at[0], "POST"}])[name] != nil {
					require.Equal(t, 400, p.send(at, form).StatusCode, "%s is for POST", name)
					continue
				}
				require.Less(t, p.send(at, form).StatusCode, 300, "%v knows %s", at, name)
				continue
			}
			if at[0] == "/api/v1_0/getLink" && name != "redirect_hash" && name != "format" {
				form.Del("redirect_hash")
			}
			if name == "currency" {
				form.Set("value", "1")
			}
			value := junk(known[name])
			if value == "" {
				continue
			}
			form.Set(name, value)
			r := p.Do(trackertest.Request(at[1], at[0]+"?"+form.Encode(), ""))
			body := trackertest.Text(t, r)
			require.Equal(t, 400, r.StatusCode, "%v takes %s=%.20s: %s, against %v", at, name, value, body, schema)
			require.Contains(t, body, name+" ", at)
			refused++
		}
	}
	require.Greater(t, refused, 60)
}

func TestTheFieldsStandInTheOrderOfTheAnswers(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	s.Get(s.MakeLink("vanity_link", "spring"))
	schemas := trackertest.Text(t, s.Get("/api/openapi.json"))
	for name, c := range map[string]struct{ call, document string }{
		"Link": {"getLink", "link"}, "Click": {"getLinkHistory", "history"}, "Report": {"getReport", "report"},
	} {
		answer := s.Call(c.call, trackertest.Values("redirect_hash", "spring", "format", "json"))
		_, list, ok := strings.Cut(schemas, `"`+name+`": {`)
		require.True(t, ok)
		var described struct{ Required []string }
		require.NoError(t, json.NewDecoder(strings.NewReader("{"+list)).Decode(&described))
		require.Equal(t, described.Required, keysInOrder(t, trackertest.Text(t, answer)), name)
	}
}

// keysInOrder are the keys of the first object within a document.
func keysInOrder(t *testing.T, document string) (keys []string) {
	t.Helper()
	_, inner, _ := strings.Cut(document[1:], "{")
	d := json.NewDecoder(bytes.NewReader([]byte("{" + inner)))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		keys = append(keys, key.(string))
		var value json.RawMessage
		require.NoError(t, d.Decode(&value))
	}
	return keys
}
