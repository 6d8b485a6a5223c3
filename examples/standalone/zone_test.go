package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestTheZoneIsTheFlagsElseTheEnvironmentsElseChicago(t *testing.T) {
	for name, tt := range map[string]struct {
		env, args  []string
		zone, from string
	}{
		"by default":        {zone: "America/Chicago", from: ""},
		"TZ":                {env: []string{"TZ=Europe/Berlin"}, zone: "Europe/Berlin", from: "TZ"},
		"TZ with a colon":   {env: []string{"TZ=:Europe/Berlin"}, zone: "Europe/Berlin", from: "TZ"},
		"TZ as a file":      {env: []string{"TZ=/usr/share/zoneinfo/Asia/Tokyo"}, zone: "Asia/Tokyo", from: "TZ"},
		"TZ that is empty":  {env: []string{"TZ="}, zone: "America/Chicago", from: ""},
		"the flag":          {args: []string{"-zone", "Asia/Kathmandu"}, zone: "Asia/Kathmandu", from: "-zone"},
		"the flag and TZ":   {env: []string{"TZ=Mars/Base"}, args: []string{"-zone", "UTC"}, zone: "UTC", from: "-zone"},
		"its variable":      {env: []string{"TZ=Europe/Berlin", "LINKTRACK_ZONE=Asia/Tokyo"}, zone: "Asia/Tokyo", from: "-zone"},
		"the flag and both": {env: []string{"LINKTRACK_ZONE=Asia/Tokyo"}, args: []string{"-zone", "Europe/Berlin"}, zone: "Europe/Berlin", from: "-zone"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for _, v := range tt.env {
				key, value, _ := strings.Cut(v, "=")
				env[key] = value
			}
			c, err := parseFlags(tt.args, environment(env), io.Discard)
			require.NoError(t, err)
			assert.Equal(t, tt.zone, c.zone.String())
			assert.Equal(t, tt.from, c.zoneFrom)
			for _, verb := range []string{"import", "export"} {
				args := append([]string{"-mysql", "me@/links"}, tt.args...)
				if verb == "import" {
					args = append(args, "links.csv")
				}
				moved, err := parseTransferFlags(verb, args, environment(env), io.Discard)
				require.NoError(t, err)
				assert.Equal(t, tt.zone, moved.trackerOptions(nil).Location.String(), verb)
			}
		})
	}
}

func TestTimesAreInTheZoneThatIsSaidAtStart(t *testing.T) {
	bin := testprogram.Build(t, ".")
	for want, tt := range map[string]struct {
		env, args []string
		offset    string
	}{
		"Asia/Kathmandu, from -zone": {args: []string{"-zone", "Asia/Kathmandu"}, offset: `\+05:45$`},
		"Asia/Tokyo, from TZ":        {env: []string{"TZ=Asia/Tokyo"}, offset: `\+09:00$`},
		"America/Chicago, from the API's documentation; -zone sets another": {offset: `-0[56]:00$`},
	} {
		p := testprogram.Start(t, bin, tt.env, append(tt.args, "-addr", "127.0.0.1:0")...)
		require.Equal(t, want, p.Line(t, "time zone:"))
		address := strings.TrimSuffix(p.Line(t, "pages for people: "), "account/")
		_, _, ping := testprogram.Get(t, address+"api/ping")
		assert.Regexp(t, tt.offset, ping)
		assert.Equal(t, 0, p.Stop(t))
	}
}
