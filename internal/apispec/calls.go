package apispec

import (
	"path"
	"slices"
	"strings"
	"sync"
)

// A Call is a path of the API with its methods.
type Call struct {
	Name    string   // the operationId of the first method
	Path    string   // begins with a slash
	Text    string   // what it does
	Methods []string // in capitals: GET, POST, or both in this order
	Open    bool     // asks for no login and pass
	Changes bool     // makes or counts something: 201 is among the answers
	Params  []Param  // of all methods, beside login and pass
	Answers []Answer // if it succeeds, in the order of the description
	Fields  []string // of the object that it answers, in order; nil: it answers none
}

// An Answer is the meaning of a status.
type Answer struct {
	Status string // 200
	Text   string
}

// A Param is a parameter of a call.
type Param struct {
	Name     string
	Text     string   // what it means
	Methods  []string // that it is taken with
	Required bool
	Values   []string // all that are allowed, the default first; nil: any
}

// Calls returns the calls in the order of the description. The slice is shared.
var Calls = sync.OnceValue(func() (calls []Call) {
	d := read()
	for _, p := range d.Paths {
		calls = append(calls, d.call(p.name, p.value))
	}
	return calls
})

// Errors returns the statuses of failed calls in ascending order. The slice is
// shared.
var Errors = sync.OnceValue(func() (errors []Answer) {
	for _, r := range read().Components.Responses { // "400.text", "400.document", …
		status, _, _ := strings.Cut(r.name, ".")
		if !slices.ContainsFunc(errors, func(a Answer) bool { return a.Status == status }) {
			errors = append(errors, Answer{status, r.value.Description})
		}
	}
	slices.SortFunc(errors, func(a, b Answer) int { return strings.Compare(a.Status, b.Status) })
	return errors
})

// Summary returns what the API is for, in one sentence.
func Summary() string { return read().Info.Summary }

// Rules returns what holds for all calls of a service whose times are in that
// zone.
func Rules(zone string) string { return strings.ReplaceAll(read().Info.Description, "{{zone}}", zone) }

func (d *description) call(at string, operations ordered[operation]) Call {
	c := Call{Path: at}
	for _, method := range operations {
		o, name := method.value, strings.ToUpper(method.name)
		if c.Name == "" {
			c.Name, c.Text = strings.TrimSuffix(o.ID, "ByPost"), o.Description
		}
		c.Methods = append(c.Methods, name)
		c.Open = len(o.Security) == 0
		for _, p := range d.params(o) {
			i := slices.IndexFunc(c.Params, func(q Param) bool { return q.Name == p.Name })
			if i < 0 {
				i, c.Params = len(c.Params), append(c.Params, p)
			}
			c.Params[i].Methods = append(c.Params[i].Methods, name)
		}
		for _, r := range o.Responses {
			if r.name == "200" || r.name == "201" {
				c.Changes = c.Changes || r.name == "201"
				c.Fields = d.fields(r.value.Content["application/json"].Schema)
				if answer := (Answer{r.name, r.value.Description}); !slices.Contains(c.Answers, answer) {
					c.Answers = append(c.Answers, answer)
				}
			}
		}
	}
	return c
}

// params are those of the query, or of the form without login and pass.
func (d *description) params(o operation) (params []Param) {
	for _, p := range o.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[path.Base(p.Ref)]
		}
		params = append(params, Param{Name: p.Name, Text: p.Description, Required: p.Required, Values: p.Schema.values()})
	}
	form := d.follow(o.RequestBody.Content["application/x-www-form-urlencoded"].Schema)
	for _, p := range form.Properties {
		if p.name != "login" && p.name != "pass" {
			params = append(params, Param{Name: p.name, Text: p.value.Description, Required: slices.Contains(form.Required, p.name), Values: p.value.values()})
		}
	}
	return params
}
