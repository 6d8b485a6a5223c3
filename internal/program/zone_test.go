package program

import (
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
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
				assert.Equal(t, tt.zone, moved.trackerOptions(nil).TimeZone.String(), verb)
			}
		})
	}
}

func TestTimesAreInTheZoneThatIsSaidAtStart(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for want, tt := range map[string]struct {
		env, args []string
		offset    string
	}{
		"Asia/Kathmandu, from -zone": {args: []string{"-zone", "Asia/Kathmandu"}, offset: `\+05:45$`},
		"Asia/Tokyo, from TZ":        {env: []string{"TZ=Asia/Tokyo"}, offset: `\+09:00$`},
		"America/Chicago, from the API's documentation; -zone changes it": {offset: `-0[56]:00$`},
	} {
		p := start(t, bin, tt.env, append(tt.args, "-addr", "127.0.0.1:0")...)
		require.Equal(t, want, p.Line(t, "time zone:"))
		address := strings.TrimSuffix(p.Line(t, "pages for people: "), "account/")
		_, _, ping := testprogram.Get(t, address+"api/ping")
		assert.Regexp(t, tt.offset, ping)
		assert.Equal(t, 0, p.Stop(t))
	}
}

func TestAZoneThatIsChangedLaterIsSaidAndMovesNoDays(t *testing.T) {
	dsn := testmysql.DSN(t)
	bin := testprogram.Build(t, programFolder)
	env := []string{"LINKTRACK_MYSQL=" + dsn, "LINKTRACK_PASS=" + testPass, "LINKTRACK_BASE_URL=http://go.example.com"}
	start := func(zone string) (p *testprogram.Program, line string) {
		p = start(t, bin, env, "-addr", "127.0.0.1:0", "-zone", zone)
		return p, strings.Replace(p.Line(t, "  curl "), "PASS", testPass, 1)
	}
	p, line := start("America/Chicago")
	link := curl(t, line)
	assert.Equal(t, 0, p.Stop(t))

	p, line = start("Pacific/Kiritimati")
	assert.NotContains(t, p.Stdout(), "days and hours of reports", "nothing is counted yet")
	click(t, line, link)
	assert.Equal(t, 0, p.Stop(t))

	p, line = start("Pacific/Pago_Pago")
	assert.Contains(t, p.Stdout(), "time zone: Pacific/Pago_Pago, from -zone\n"+
		"days and hours of reports: in Pacific/Kiritimati, the time zone at the first click\n")
	p.WaitForStderr(t, "days=Pacific/Kiritimati")
	click(t, line, link)
	address, host := request(t, line)
	api := address[:strings.Index(address, "/makeLink")]
	form := url.Values{"login": {"linktrack"}, "pass": {testPass}, "redirect_hash": {link}, "format": {"json"}, "by": {"hour"}}
	_, _, report := testprogram.GetHost(t, api+"/getReport?"+form.Encode(), host)
	assert.Contains(t, report, time.Now().UTC().Add(14*time.Hour).Format(time.DateOnly))
	assert.Contains(t, report, `"count_total":2`)
	assert.Equal(t, 0, p.Stop(t))

	status, _, errs := transferring(t, map[string]string{"LINKTRACK_MYSQL": dsn, "TZ": "Asia/Tokyo"}, "export")
	assert.Equal(t, 0, status, errs)
}
