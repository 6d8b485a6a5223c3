package pages

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// A described is the API as it describes itself.
type described struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema objectSchema }
		}
	}
	Components struct{ Schemas map[string]objectSchema }
}

type objectSchema struct {
	Properties map[string]struct {
		Enum    []any
		Default any
	}
	Required []string
}

func TestWhatIsSaidAboutTheAPIIsWhatItSaysItself(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	w := httptest.NewRecorder()
	tracker.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/api/openapi.json", nil))
	var d described
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &d))

	all := map[string]bool{"/api/optout": true, "/api/openapi.json": true, "/c.gif": true} // no program of the owner's calls them
	for _, c := range calls {
		path := d.Paths["/api/"+c.path]
		all["/api/"+c.path] = true
		var methods []string
		for _, m := range slices.Sorted(maps.Keys(path)) {
			methods = append(methods, strings.ToUpper(m))
		}
		require.Equal(t, c.methods(), strings.Join(methods, ", "), c.name)
		if c.free {
			continue
		}
		form := path["post"].RequestBody.Content["application/x-www-form-urlencoded"].Schema
		names := slices.DeleteFunc(slices.Collect(maps.Keys(form.Properties)), func(name string) bool { return name == "login" || name == "pass" })
		require.ElementsMatch(t, names, c.params, c.name)
		require.Equal(t, c.required, strings.Join(form.Required, " "), c.name)
		for name, p := range form.Properties {
			values := c.values(name)
			require.Equal(t, len(p.Enum) > 0, len(values) > 0, "%s of %s", name, c.name)
			for _, v := range values {
				require.Contains(t, p.Enum, v)
			}
			if len(values) > 0 {
				require.Equal(t, p.Default, values[0], "%s of %s: the default is the first", name, c.name)
				require.True(t, len(values) == len(p.Enum) || len(p.Enum) == 8, "%s of %s", name, c.name) // a flag has other words, too
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(d.Paths)), slices.Collect(maps.Keys(all)))
	for name, fields := range map[string][]string{"Link": linkFields, "Click": clickFields, "Report": reportFields, "Conversion": conversionFields} {
		require.Equal(t, d.Components.Schemas[name].Required, fields)
	}
}

func TestThereIsATextForAllThatIsSaidAboutACall(t *testing.T) {
	used := map[string]bool{}
	for _, c := range calls {
		for _, key := range []string{"api.call." + c.name, "api.returns." + c.name} {
			require.NotEmpty(t, english[key], key)
			used[key] = true
		}
		for _, name := range c.params {
			own, key := "api.param."+c.name+"."+name, "api.param."+name
			require.NotEmpty(t, english[own]+english[key], own)
			used[own], used[key] = true, true
		}
	}
	for key := range english {
		if strings.HasPrefix(key, "api.call.") || strings.HasPrefix(key, "api.returns.") || strings.HasPrefix(key, "api.param.") {
			require.True(t, used[key], "%s is of no use", key)
		}
	}
}
