package pages

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/apispec"
)

// The other calls are for browsers, or return the description itself.
func TestEveryCallForProgramsIsShown(t *testing.T) {
	var names []string
	for _, c := range calls() {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{
		"makeLink", "getLink", "getLinks", "getLinkHistory", "getReport", "exportHistory", "conversion", "getOptOutLink", "ping",
	}, names)
	require.Len(t, apispec.Calls(), len(names)+3, "optOut, openapi, and goal are not shown")
}

func TestTheDefaultOfAParameterIsShownFirst(t *testing.T) {
	shown := map[string]string{}
	for _, c := range calls() {
		for _, p := range c.Params {
			shown[c.Name+" "+p.Name] = strings.Join(valuesOf(p), " ")
		}
	}
	for param, want := range map[string]string{
		"makeLink is_active": "1 0", "makeLink is_public": "0 1", "makeLink has_alert_email": "0 1", "makeLink title": "",
		"getLinks order": "desc asc", "getLinkHistory sort": "h.created_at", "getReport by": "day hour",
		"getLinks format": "xml json", "getReport format": "xml json csv", "exportHistory format": "csv json",
	} {
		require.Equal(t, want, shown[param], param)
	}
	require.True(t, strings.HasPrefix(shown["getLinks sort"], string(linktrack.SortCreated)+" "))
	require.Len(t, strings.Fields(shown["getLinks sort"]), len(sorts))
}

// What the page of the API says about calls is what openapi.json says. The test
// TestEachRouteIsDescribedAndEachDescribedCallHasARoute of package linktrack
// holds that to the calls that are served.
func TestThePageOfTheAPISaysWhatItsDescriptionSays(t *testing.T) {
	said := map[string]bool{}
	says := func(key, want string) {
		require.NotEmpty(t, want, key)
		require.Equal(t, want, english[key], key)
		said[key] = true
	}
	says("api.intro", apispec.Summary())
	says("api.rules", apispec.Rules("%s"))
	for _, e := range apispec.Errors() {
		says("api.error."+e.Status, e.Text)
	}
	p := &Pages{theme: &theme{}}
	for _, c := range calls() {
		says("api.call."+c.Name, c.Text)
		require.NotEmpty(t, c.Answers, c.Name)
		for _, a := range c.Answers {
			says("api.returns."+c.Name+"."+a.Status, a.Text)
		}
		for _, q := range c.Params {
			require.Equal(t, q.Text, p.paramText(c, q.Name), "%s of %s", q.Name, c.Name)
			own, shared := "api.param."+c.Name+"."+q.Name, "api.param."+q.Name
			if _, ok := english[own]; ok {
				require.NotEqual(t, english[shared], english[own], "%s needs no text of its own", own)
				shared = own
			}
			says(shared, q.Text)
		}
	}
	for key := range english {
		for _, family := range []string{"api.call.", "api.returns.", "api.param.", "api.error."} {
			require.True(t, !strings.HasPrefix(key, family) || said[key], "%s is of no use", key)
		}
	}
}
