package pages

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/apispec"
)

// What is not shown is for browsers, or is a link to the description itself.
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

func TestThereIsATextForAllThatIsSaidAboutACall(t *testing.T) {
	used := map[string]bool{}
	for _, c := range calls() {
		for _, key := range []string{"api.call." + c.Name, "api.returns." + c.Name} {
			require.NotEmpty(t, english[key], key)
			used[key] = true
		}
		for _, p := range c.Params {
			own, key := "api.param."+c.Name+"."+p.Name, "api.param."+p.Name
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
