package linktrack

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// eachSetting calls f with settings in which only one field is set, for every
// field of LinkSettings.
func eachSetting(t *testing.T, f func(t *testing.T, field string, s LinkSettings)) {
	for field := range reflect.TypeFor[LinkSettings]().Fields() {
		t.Run(field.Name, func(t *testing.T) {
			var s LinkSettings
			switch p := reflect.ValueOf(&s).Elem().FieldByIndex(field.Index).Addr().Interface().(type) {
			case *string:
				*p = "https://example.com/" + field.Name
			case *bool:
				*p = true
			case *int64:
				*p = 7
			case *time.Time:
				*p = time.Date(2199, 12, 24, 10, 35, 16, 0, time.UTC)
			case *[]string:
				*p = []string{"A, \"b\"", "c"}
			case *Confirm:
				*p = ConfirmAlways
			default:
				t.Fatalf("linkProperty does not know the type %T", p)
			}
			f(t, field.Name, s)
		})
	}
}

func TestEverySettingIsOnePropertyAndReadsBackAsItWasWritten(t *testing.T) {
	names := map[string]string{}
	eachSetting(t, func(t *testing.T, field string, s LinkSettings) {
		changed := differences(&LinkSettings{}, &s)
		require.Len(t, changed, 1, "linkProperties describes each field once")
		name := changed[0]
		require.Empty(t, names[name], "two fields have this name")
		names[name] = field

		written := params{}
		for _, p := range linkProperties {
			name := p.name
			switch v := p.value(&s).(type) {
			case []string:
				if v != nil {
					written[name] = `"A, ""b""", c`
				}
			case time.Time:
				if !v.IsZero() {
					written[name] = v.Format(timeLayout)
				}
			default:
				written[name] = fmt.Sprint(v)
			}
		}
		in, err := written.newLink(time.UTC)
		require.NoError(t, err)
		require.Equal(t, NewLink{LinkSettings: s}, in)
		in, err = params{name: written[name]}.newLink(time.UTC)
		require.NoError(t, err)
		require.Equal(t, NewLink{LinkSettings: s}, in, "the other parameters are absent")
	})
	require.Len(t, names, len(linkProperties))
}

func TestEverySettingOfTheAPIIsAParameterAndAFieldOfALink(t *testing.T) {
	tr := encodingTracker(t)
	fields := func(s LinkSettings) []string {
		b, err := encodeJSON(linkDocument{tr.linkModel(Link{Host: "go.example.com", Path: "x", LinkSettings: s})})
		require.NoError(t, err)
		return strings.Split(strings.Trim(string(b), "{}\n"), `,"`)
	}
	eachSetting(t, func(t *testing.T, _ string, s LinkSettings) {
		changed := differences(&LinkSettings{}, &s)
		require.Len(t, changed, 1)
		name := changed[0]
		p := linkProperties[slices.IndexFunc(linkProperties, func(p linkProperty) bool { return p.name == name })]
		require.Equal(t, !p.free, slices.Contains(linkParams, name), "the rule of account types has every parameter that is not free")
		without, with := fields(LinkSettings{}), fields(s)
		differ := 0
		for i := range with {
			if with[i] != without[i] {
				differ++
				require.True(t, strings.HasPrefix(with[i], name+`":`), "%s is written by its name", with[i])
			}
		}
		if p.internal {
			require.Zero(t, differ)
			return
		}
		require.Equal(t, 1, differ)
	})
}
