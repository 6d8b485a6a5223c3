package program

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestAnUnknownNameIsRefusedWithTheNearestOne(t *testing.T) {
	for want, tt := range map[string]struct {
		env  map[string]string
		args []string
	}{
		`there is no command "srve", did you mean serve? (there are serve, account, `:           {args: []string{"srve"}},
		`there is no command "entirely-different" (there are serve, account, `:                  {args: []string{"entirely-different"}},
		`help: there is no command "exprot", did you mean export? (there are serve, account, `:  {args: []string{"help", "exprot"}},
		"not defined: -adr, did you mean -addr?":                                                {args: []string{"-adr", ":1"}},
		"import: flag provided but not defined: -dryrun, did you mean -dry-run?":                {args: []string{"import", "-dryrun"}},
		`version: takes no arguments, not "x"`:                                                  {args: []string{"version", "x"}},
		"LINKTRACK_BASURL in the environment sets no flag, did you mean LINKTRACK_BASE_URL?":    {env: map[string]string{"LINKTRACK_BASURL": "hush"}},
		"export: LINKTRACK_MYSQ in the environment sets no flag, did you mean LINKTRACK_MYSQL?": {env: map[string]string{"LINKTRACK_MYSQ": "hush"}, args: []string{"export"}},
		"LINKTRACK_ENTIRELY_DIFFERENT in the environment sets no flag (-h":                      {env: map[string]string{"LINKTRACK_ENTIRELY_DIFFERENT": ""}},
		"LINKTRACK_PORT in the environment sets no flag":                                        {env: map[string]string{"LINKTRACK_PORT": "8080"}},
	} {
		status, out, errs := transferring(t, tt.env, tt.args...)
		assert.Equal(t, 2, status, want)
		assert.Contains(t, errs, "linktrack: ", want)
		assert.Contains(t, errs, want)
		assert.NotContains(t, out+errs, "hush")
	}
}

func TestVariablesOfOthersAreLeftAlone(t *testing.T) {
	assert.NoError(t, environment{
		"LINKTRACK_ADDR": "x", "LINKTRACK_DRY_RUN": "1", "LINKTRACK": "x", "HOME": "/root",
		"LINKTRACK_TEST_MYSQL_DSN": "x", "LINKTRACK_TEST_MYSQLD": "x",
		"LINKTRACK_SERVICE_HOST": "10.0.0.1", "LINKTRACK_SERVICE_PORT": "80", "LINKTRACK_SERVICE_PORT_HTTP": "80",
		"LINKTRACK_PORT": "tcp://10.0.0.1:80", "LINKTRACK_PORT_80_TCP": "tcp://10.0.0.1:80", "LINKTRACK_PORT_80_TCP_ADDR": "10.0.0.1",
	}.check())
}

func TestHelpShowsEachCommandAndItsFlags(t *testing.T) {
	for _, arg := range []string{"-h", "--help", "help"} {
		status, out, errs := transferring(t, map[string]string{"LINKTRACK_WRONG": "1"}, arg)
		assert.Equal(t, 0, status, arg)
		assert.Empty(t, errs, arg)
		assert.True(t, strings.HasPrefix(out, "Usage: linktrack "), out)
		for _, c := range commands() {
			assert.Contains(t, out, "\n  "+c.name+" ", arg)
			assert.Contains(t, out, "\n"+c.group+":\n", arg)
		}
		assert.Contains(t, out, "\nExamples:\n")
	}
	for _, c := range commands() {
		status, out, _ := transferring(t, nil, c.name, "-h")
		assert.Equal(t, 0, status, c.name)
		assert.NotEmpty(t, out, c.name)
		if c.name != "help" {
			_, same, _ := transferring(t, nil, "help", c.name)
			assert.Equal(t, out, same, c.name)
		}
	}
}

func TestTheVersionSaysWhatWasBuilt(t *testing.T) {
	system := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}
	assert.Equal(t, "linktrack v1.2.3\n"+system, versionText(info))
	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.time", Value: "2026-03-01T12:00:00Z"}, {Key: "vcs.modified", Value: "true"}}
	assert.Equal(t, "linktrack v1.2.3\ncommit 0123abc of 2026-03-01T12:00:00Z, with changes that are not committed\n"+system, versionText(info))
	assert.Equal(t, "linktrack of an unknown version\n"+system, versionText(new(debug.BuildInfo)))
	status, out, _ := transferring(t, nil, "version")
	assert.Equal(t, 0, status)
	assert.True(t, strings.HasSuffix(out, system), out)
}

func TestTheLogCanBeJSONAndTheGreetingSaysWhoCanConnect(t *testing.T) {
	p := start(t, testprogram.Build(t, programFolder), []string{"LINKTRACK_LOG_FORMAT=json"}, "serve", "-addr", "127.0.0.1:0")
	require.Equal(t, "-addr :0 listens on all its addresses", p.Line(t, "only this machine can connect; "))
	p.Line(t, "  curl ")
	require.Equal(t, 0, p.Stop(t))
	require.NotEmpty(t, p.Stderr())
	for line := range strings.Lines(p.Stderr()) {
		require.True(t, json.Valid([]byte(line)), line)
	}
	_, err := parseFlags([]string{"-log-format", "xml"}, nil, nil)
	require.ErrorContains(t, err, "-log-format: must be text or json")
	c, err := parseFlags(nil, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", c.addr)
}
