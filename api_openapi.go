package linktrack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The API describes itself, at api/openapi.json, by OpenAPI 3.1: the calls are
// the table of openapicalls.go, the fields of answers those of the models.

// openAPI answers the description. Programs of other sites may read it: it is
// the same for all.
func (h *handler) openAPI(w http.ResponseWriter, r *http.Request) {
	body := h.t.openAPI()
	sum := sha256.Sum256(body)
	header := w.Header()
	header.Set("Content-Type", typeJSON)
	header.Set("Cache-Control", "public, max-age=300")
	header.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	header["Access-Control-Allow-Origin"] = anyone
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (t *Tracker) encodeOpenAPI() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(t.describeAPI()); err != nil {
		panic(err) // it is made of texts and numbers
	}
	return b.Bytes()
}

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := e.Encode(m.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := e.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func ref(kind, name string) object { return object{{"$ref", "#/components/" + kind + "/" + name}} }

func (t *Tracker) describeAPI() object {
	paths := object{}
	for _, c := range apiCalls {
		path := object{}
		if c.get != nil {
			path = append(path, member{"get", c.operation(http.MethodGet)})
		}
		if c.post != nil {
			path = append(path, member{"post", c.operation(http.MethodPost)})
		}
		paths = append(paths, member{"/" + c.path, path})
	}
	parameters := object{}
	for _, p := range apiParams {
		parameters = append(parameters, member{p.key, object{
			{"name", p.name}, {"in", "query"}, {"description", p.description}, {"schema", p.schema},
		}})
	}
	return object{
		{"openapi", "3.1.0"},
		{"info", object{
			{"title", "Linktrack API"},
			{"version", "1.0"},
			{"description", apiDescription + " Times are in the zone " + t.opts.TimeZone.String() + "."},
		}},
		{"servers", []object{{{"url", strings.TrimSuffix(t.hosts.list[0].base, "/")}}}},
		{"paths", paths},
		{"components", object{
			{"securitySchemes", object{
				{"basic", object{{"type", "http"}, {"scheme", "basic"}, {"description", "login and pass, if neither is a parameter. This keeps them out of addresses. A call that makes or changes something is refused with 403 if another site makes a browser send it."}}},
				{"login", object{{"type", "apiKey"}, {"in", "query"}, {"name", "login"}}},
				{"pass", object{{"type", "apiKey"}, {"in", "query"}, {"name", "pass"}}},
			}},
			{"parameters", parameters},
			{"schemas", apiSchemas()},
		}},
	}
}

// operation describes a call by a method.
func (c apiCall) operation(method string) object {
	id, names := c.id, c.get
	security := []object{{{"basic", []string{}}}, {{"login", []string{}}, {"pass", []string{}}}}
	if method == http.MethodPost {
		id, names = c.id+"ByPost", c.post
		security = append(security, object{}) // as fields of the form
	}
	if c.open {
		security = []object{}
	}
	o := object{
		{"operationId", id}, {"summary", c.summary}, {"description", c.description}, {"security", security},
	}
	if method == http.MethodPost {
		o = append(o, member{"requestBody", c.form(names)})
	} else if len(names) > 0 {
		var parameters []object
		for _, name := range names {
			parameters = append(parameters, c.parameter(name))
		}
		o = append(o, member{"parameters", parameters})
	}
	return append(o, member{"responses", c.responses(method)})
}

// parameter is one of the query, by its key.
func (c apiCall) parameter(key string) object {
	if !slices.Contains(c.required, key) {
		return ref("parameters", key)
	}
	p := paramOf(key)
	return object{{"name", p.name}, {"in", "query"}, {"required", true}, {"description", p.description}, {"schema", p.schema}}
}

// form is the body of a POST. All its fields may stand in the query, too.
func (c apiCall) form(names []string) object {
	fields := object{}
	if !c.open {
		fields = object{
			{"login", object{{"type", "string"}, {"description", "of the account"}}},
			{"pass", object{{"type", "string"}, {"format", "password"}, {"description", "of the account"}}},
		}
	}
	for _, name := range names {
		p := paramOf(name)
		fields = append(fields, member{p.name, append(slices.Clip(slices.Clone(p.schema)), member{"description", p.description})})
	}
	schema := object{{"type", "object"}, {"properties", fields}}
	if len(c.required) > 0 {
		schema = append(schema, member{"required", c.required})
	}
	body := object{{"schema", schema}}
	return object{{"content", object{
		{"application/x-www-form-urlencoded", body},
		{"multipart/form-data", body},
	}}}
}

func paramOf(key string) apiParam {
	return apiParams[slices.IndexFunc(apiParams, func(p apiParam) bool { return p.key == key })]
}

// responses describes the answers to a method.
func (c apiCall) responses(method string) object {
	o := object{}
	for _, a := range c.answers {
		if a.method == "" || a.method == method {
			answer := object{{"description", a.description}}
			if a.as != nil {
				answer = append(answer, member{"content", contentOf(a.as, a.schema)})
			}
			o = append(o, member{strconv.Itoa(a.status), answer})
		}
	}
	for _, e := range apiErrors {
		if !slices.Contains(c.errors, e.status) || e.post && method != http.MethodPost {
			continue
		}
		answer := object{{"description", e.description}}
		if e.header != "" {
			answer = append(answer, member{"headers", object{{e.header, object{{"schema", object{{"type", "string"}}}}}}})
		}
		answer = append(answer, member{"content", contentOf(c.errorsAs, "Error")})
		o = append(o, member{strconv.Itoa(e.status), answer})
	}
	return o
}

// contentOf lists the media types of an answer: in JSON and XML of that schema.
func contentOf(types []string, schema string) object {
	o := object{}
	for _, mediaType := range types {
		s := object{{"type", "string"}}
		switch mediaType {
		case "application/json":
			s = ref("schemas", schema+"JSON")
		case "application/xml":
			s = ref("schemas", schema+"XML")
		case "text/plain":
			if schema == "Error" {
				s = ref("schemas", "ErrorText")
			}
		}
		o = append(o, member{mediaType, object{{"schema", s}}})
	}
	return o
}

// apiSchemas are the models, and the documents in each format.
func apiSchemas() object {
	o := object{
		{"ErrorText", object{{"type", "string"}, {"pattern", "^Error: "}}},
		{"DescriptionJSON", object{{"type", "object"}}},
	}
	for _, m := range []struct {
		name, element string
		model         any
	}{
		{"Link", "link", linkModel{}},
		{"Click", "item", clickModel{}},
		{"Conversion", "conversion", conversionModel{}},
		{"Report", "report", reportModel{}},
		{"Value", "item", valueModel{}},
		{"Period", "item", periodModel{}},
		{"Breakdown", "", breakdownModel{}},
		{"Count", "item", countModel{}},
		{"Error", "error", errorModel{}},
	} {
		o = append(o, member{m.name, modelSchema(m.element, reflect.TypeOf(m.model))})
	}
	for _, name := range []string{"Link", "Conversion", "Report", "Error"} {
		o = append(o,
			member{name + "JSON", wrapped(strings.ToLower(name), ref("schemas", name), "")},
			member{name + "XML", ref("schemas", name)})
	}
	links, clicks := object{{"type", "array"}, {"items", ref("schemas", "Link")}}, object{{"type", "array"}, {"items", ref("schemas", "Click")}}
	either := func(format string) object {
		return object{{"oneOf", []object{ref("schemas", "Link"+format), ref("schemas", "Links"+format)}}}
	}
	return append(o,
		member{"LinksJSON", wrapped("links", links, "")},
		member{"LinksXML", wrapped("link", links, "links")},
		member{"HistoryJSON", wrapped("history", clicks, "")},
		member{"HistoryXML", wrapped("item", clicks, "history")},
		member{"LinkOrLinksJSON", either("JSON")},
		member{"LinkOrLinksXML", either("XML")},
	)
}

// wrapped is an object with one property; element is its name in XML.
func wrapped(property string, value object, element string) object {
	o := object{{"type", "object"}, {"required", []string{property}}, {"properties", object{{property, value}}}}
	if element != "" {
		o = append(o, member{"xml", object{{"name", element}}})
	}
	return o
}

// modelSchema describes a model as it is encoded. All its fields are always
// there.
func modelSchema(element string, model reflect.Type) object {
	properties, required := object{}, []string{}
	for f := range model.Fields() {
		name := f.Tag.Get("json")
		schema := fieldSchema(f.Type)
		if about := fieldTexts[name]; about != "" && schema[0].name != "$ref" {
			schema = append(schema, member{"description", about})
		}
		properties, required = append(properties, member{name, schema}), append(required, name)
	}
	o := object{{"type", "object"}, {"required", required}, {"properties", properties}}
	if element != "" {
		o = append(o, member{"xml", object{{"name", element}}})
	}
	return o
}

func fieldSchema(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[text]():
		return object{{"type", []string{"string", "null"}}}
	case reflect.TypeFor[flag]():
		return object{{"type", "integer"}, {"enum", []int{0, 1}}}
	case reflect.TypeFor[amount]():
		return object{{"type", "number"}}
	case reflect.TypeFor[breakdownModel]():
		return ref("schemas", "Breakdown")
	}
	if t.Kind() != reflect.Slice {
		return object{{"type", "integer"}}
	}
	item := map[reflect.Type]string{
		reflect.TypeFor[valueModel]():  "Value",
		reflect.TypeFor[periodModel](): "Period",
		reflect.TypeFor[countModel]():  "Count",
	}[t.Elem()]
	return object{{"type", "array"}, {"items", ref("schemas", item)}, {"xml", object{{"wrapped", true}}}}
}
