package linktrack

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/apispec"
)

// routes are all that the description tells about, by path.
func routes() map[string]route {
	found := map[string]route{"/" + goalRoute.name: goalRoute}
	for _, c := range apiRoutes {
		found["/api/"+c.name] = c
	}
	return found
}

func TestEachRouteIsDescribedAndEachDescribedCallHasARoute(t *testing.T) {
	require.Len(t, apispec.Calls(), len(routes()))
	for _, c := range apispec.Calls() {
		r, ok := routes()[c.Path]
		require.True(t, ok, "%s has no route", c.Path)
		without := slices.DeleteFunc(slices.Clone(r.methods), func(m string) bool { return m == http.MethodHead })
		require.Equal(t, without, c.Methods, c.Path)
		for _, method := range c.Methods {
			var described []string
			for _, p := range c.Params {
				if slices.Contains(p.Methods, method) {
					described = append(described, p.Name)
				}
				if p.Name == "format" {
					require.Equal(t, r.formats, formatsOf(p.Values), c.Path)
				}
			}
			read := r.params
			if method == http.MethodPost {
				read = slices.Concat(r.params, r.posted)
			}
			require.ElementsMatch(t, read, described, "%s %s", method, c.Path)
		}
		require.Equal(t, slices.Contains(r.params, "format"), r.formats != nil, c.Path)
	}
}

func formatsOf(names []string) (formats []Format) {
	for _, name := range names {
		formats = append(formats, Format(name))
	}
	return formats
}

func TestARouteReadsNoOtherParameterThanItsOwn(t *testing.T) {
	for at, c := range routes() {
		own := slices.Concat(c.params, c.posted)
		var query []string
		for _, name := range allNames {
			query = append(query, name+"=x")
		}
		p, err := readParams(nil, httptest.NewRequest("GET", "/?"+strings.Join(query, "&"), nil), own)
		require.NoError(t, err)
		require.ElementsMatch(t, own, slices.Collect(maps.Keys(p)), at)
	}
}

// described is what of the document these tests read.
type described struct {
	Components struct {
		Parameters map[string]struct{ Schema describedValue }
		Responses  map[string]any
		Schemas    map[string]describedObject
	}
}

type describedObject struct {
	Required   []string
	Properties map[string]describedValue
}

type describedValue struct {
	Type  any
	Ref   string `json:"$ref"`
	Items struct {
		Ref string `json:"$ref"`
	}
	Enum      []any
	Default   any
	Maximum   int
	MaxLength int
}

func readDescription(t *testing.T) (d described) {
	require.NoError(t, json.Unmarshal(apispec.Document("", ""), &d))
	return d
}

func TestEveryStatusOfAnErrorIsDescribed(t *testing.T) {
	known := []int{http.StatusMethodNotAllowed, http.StatusGone} // of other methods, and of links
	for name := range readDescription(t).Components.Responses {
		status, err := strconv.Atoi(name[:3])
		require.NoError(t, err)
		known = append(known, status)
	}
	for _, err := range []error{
		&InvalidError{}, ErrUnauthorized, ErrForbidden, ErrWrongPassword, ErrNotFound, ErrTaken, ErrGone,
		errMethod, errTooLarge, errMediaType, ErrThrottled, ErrUnavailable, ErrRejected,
	} {
		require.Contains(t, known, statusOf(err), err)
	}
}

func TestTheBoundsOfParametersAreDescribed(t *testing.T) {
	d := readDescription(t).Components
	limit := d.Parameters["limit"].Schema
	require.Equal(t, []any{maxLimit, defaultLimit}, []any{limit.Maximum, int(limit.Default.(float64))})
	require.Equal(t, joinSorts(), joinAny(d.Parameters["sort"].Schema.Enum))
	require.EqualValues(t, SortCreated, d.Parameters["sort"].Schema.Default)
	require.Equal(t, string(ByDay)+", "+string(ByHour), joinAny(d.Parameters["by"].Schema.Enum))
	link := d.Schemas["MakeLinkForm"].Properties
	for name, want := range map[string]int{"title": maxTitle, "description": maxDescription, "notes": maxNotes, "group": maxGroup} {
		require.Equal(t, want, link[name].MaxLength, name)
	}
	require.Equal(t, maxOrderID, d.Schemas["ConversionForm"].Properties["order_id"].MaxLength)
}

func joinAny(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.(string)
	}
	return strings.Join(texts, ", ")
}

func TestTheFieldsOfEachModelAreDescribedInTheirOrder(t *testing.T) {
	schemas := readDescription(t).Components.Schemas
	check := func(name string, fields []string, types []reflect.Type) {
		for i, field := range fields {
			require.Equal(t, kindOf(types[i]), schemas[name].Properties[field].kind(), "%s of %s", field, name)
		}
		require.Equal(t, fields, schemas[name].Required)
		require.ElementsMatch(t, fields, slices.Collect(maps.Keys(schemas[name].Properties)), name)
	}
	for name, model := range map[string]any{
		"Click": clickModel{}, "Conversion": conversionModel{}, "Report": reportModel{}, "Value": valueModel{},
		"Period": periodModel{}, "Breakdown": breakdownModel{}, "Count": countModel{}, "Error": errorModel{},
	} {
		var fields []string
		var types []reflect.Type
		for f := range reflect.TypeOf(model).Fields() {
			require.Equal(t, f.Tag.Get("json"), f.Tag.Get("xml"), name)
			fields, types = append(fields, f.Tag.Get("json")), append(types, f.Type)
		}
		check(name, fields, types)
	}
	var fields []string
	var types []reflect.Type
	for _, f := range linkFields {
		fields, types = append(fields, f.name), append(types, reflect.TypeOf(f.value(encodingTracker(t).linkModel(Link{}))))
	}
	check("Link", fields, types)
}

// kindOf says how a value of a model's field is described.
func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[text]():
		return "[string null]"
	case t == reflect.TypeFor[flag]():
		return "integer [0 1]"
	case t == reflect.TypeFor[amount]():
		return "number"
	case t.Kind() == reflect.Slice:
		return "array of " + kindOf(t.Elem())
	case t.Kind() == reflect.Struct:
		return t.Name()
	}
	return "integer"
}

func (v describedValue) kind() string {
	model := func(ref string) string {
		name := path.Base(ref)
		return strings.ToLower(name[:1]) + name[1:] + "Model"
	}
	switch {
	case v.Ref != "":
		return model(v.Ref)
	case v.Items.Ref != "":
		return "array of " + model(v.Items.Ref)
	case v.Enum != nil:
		return fmt.Sprint(v.Type, " ", v.Enum)
	}
	return fmt.Sprint(v.Type)
}
