package apispec

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"
)

// A Call is a path of the API with its methods.
type Call struct {
	Name    string   // the operationId of the first method
	Path    string   // begins with a slash
	Methods []string // in capitals: GET, POST, or both in this order
	Open    bool     // asks for no login and pass
	Changes bool     // makes or counts something: 201 is among the answers
	Params  []Param  // of all methods, beside login and pass
	Fields  []string // of the object that it answers, in order; nil: it answers none
}

// A Param is a parameter of a call.
type Param struct {
	Name     string
	Methods  []string // that it is taken with
	Required bool
	Values   []string // all that are allowed, the default first; nil: any
}

// Calls returns the calls in the order of the description. The slice is shared.
var Calls = sync.OnceValue(func() []Call {
	var d description
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		panic("openapi.json: " + err.Error()) // a test reads it
	}
	var calls []Call
	for _, p := range d.Paths {
		calls = append(calls, d.call(p.name, p.value))
	}
	return calls
})

func (d *description) call(at string, operations ordered[operation]) Call {
	c := Call{Path: at}
	for _, method := range operations {
		o, name := method.value, strings.ToUpper(method.name)
		if c.Name == "" {
			c.Name = strings.TrimSuffix(o.ID, "ByPost")
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
		params = append(params, Param{Name: p.Name, Required: p.Required, Values: p.Schema.values()})
	}
	form := d.follow(o.RequestBody.Content["application/x-www-form-urlencoded"].Schema)
	for _, p := range form.Properties {
		if p.name != "login" && p.name != "pass" {
			params = append(params, Param{Name: p.name, Required: slices.Contains(form.Required, p.name), Values: p.value.values()})
		}
	}
	return params
}
