package apispec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"sync"
)

// A description is what of openapi.json is read.
type description struct {
	Info       struct{ Summary, Description string }
	Paths      ordered[ordered[operation]]
	Components struct {
		Parameters map[string]parameter
		Responses  ordered[body]
		Schemas    map[string]schema
	}
}

var read = sync.OnceValue(func() *description {
	d := new(description)
	if err := json.Unmarshal([]byte(document), d); err != nil {
		panic("openapi.json: " + err.Error()) // a test reads it
	}
	return d
})

type operation struct {
	ID          string `json:"operationId"`
	Description string
	Security    []any
	Parameters  []parameter
	RequestBody body
	Responses   ordered[body]
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name        string
	Description string
	Required    bool
	Schema      schema
}

type body struct {
	Description string
	Content     map[string]struct{ Schema schema }
}

type schema struct {
	Ref         string `json:"$ref"`
	Description string
	Properties  ordered[schema]
	Required    []string
	Enum        []any
	Default     any
	Items       *schema
	OneOf       []schema
}

// follow returns the schema that a reference leads to.
func (d *description) follow(s schema) schema {
	if s.Ref == "" {
		return s
	}
	return d.Components.Schemas[path.Base(s.Ref)]
}

// fields are the names of an object's fields: of the first alternative, and
// without the object or the list around it.
func (d *description) fields(s schema) []string {
	s = d.follow(s)
	switch {
	case len(s.OneOf) > 0:
		return d.fields(s.OneOf[0])
	case s.Items != nil:
		return d.fields(*s.Items)
	case len(s.Properties) == 1:
		return d.fields(s.Properties[0].value)
	}
	return s.Required
}

// values are the texts that a parameter may have, the default first; nil: any.
func (s schema) values() (values []string) {
	for _, v := range s.Enum {
		if v == s.Default {
			values = slices.Insert(values, 0, fmt.Sprint(v))
		} else {
			values = append(values, fmt.Sprint(v))
		}
	}
	return values
}

// ordered are the members of a JSON object as they stand there.
type ordered[T any] []member[T]

type member[T any] struct {
	name  string
	value T
}

// UnmarshalJSON implements json.Unmarshaler. A name that comes twice is an
// error.
func (o *ordered[T]) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := member[T]{name: fmt.Sprint(name)}
		if err := d.Decode(&m.value); err != nil {
			return err
		}
		if slices.ContainsFunc(*o, func(other member[T]) bool { return other.name == m.name }) {
			return fmt.Errorf("%s stands there twice", m.name)
		}
		*o = append(*o, m)
	}
	return nil
}
