package program

import (
	"flag"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/notify/smtp"
	"github.com/linktrackhq/linktrack/notify/webhook"
	"github.com/linktrackhq/linktrack/pages"
)

func serviceFlags() *flag.FlagSet {
	flags := flag.NewFlagSet("linktrack", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	addFlags(flags, new(config))
	return flags
}

func TestEveryOptionOfTheLibraryHasItsFlagOrAReason(t *testing.T) {
	doc, err := os.ReadFile("../../docs/flags.md")
	require.NoError(t, err)
	flags := serviceFlags()
	for name, options := range map[string]any{
		"linktrack.Options": linktrack.Options{}, "linktrack.LinkOptions": linktrack.LinkOptions{}, "linktrack.AccountOptions": linktrack.AccountOptions{},
		"linktrack.VisitorOptions": linktrack.VisitorOptions{}, "linktrack.ProxyOptions": linktrack.ProxyOptions{},
		"linktrack.RecordingOptions": linktrack.RecordingOptions{}, "linktrack.Privacy": linktrack.Privacy{}, "pages.Options": pages.Options{},
		"journal.Options": journal.Options{}, "smtp.Options": smtp.Options{}, "webhook.Options": webhook.Options{},
	} {
		_, table, found := strings.Cut(string(doc), "\n### "+name+"\n")
		require.True(t, found, "docs/flags.md has no table of %s", name)
		table, _, _ = strings.Cut(table, "\n#")
		rows := map[string]string{}
		for _, row := range regexp.MustCompile(`(?m)^\| (\w+) \| (.+) \|$`).FindAllStringSubmatch(table, -1) {
			rows[row[1]] = row[2]
		}
		delete(rows, "option")
		fields := reflect.VisibleFields(reflect.TypeOf(options))
		for _, field := range fields {
			is := rows[field.Name]
			reason := strings.HasPrefix(is, "none: ") || strings.HasPrefix(is, "see ") && strings.Contains(string(doc), "\n### "+strings.TrimPrefix(is, "see ")+"\n")
			named := regexp.MustCompile("`-([a-z-]+)`").FindAllStringSubmatch(is, -1)
			assert.True(t, reason || len(named) > 0, "%s.%s has neither a flag nor a reason in docs/flags.md, but %q", name, field.Name, is)
			for _, flag := range named {
				assert.NotNil(t, flags.Lookup(flag[1]), "%s.%s: there is no flag -%s", name, field.Name, flag[1])
			}
		}
		assert.Len(t, rows, len(fields), "docs/flags.md has options that %s does not have", name)
	}
	flags.VisitAll(func(f *flag.Flag) {
		assert.Contains(t, string(doc), "`-"+f.Name+"`", "docs/flags.md does not have the flag")
	})
}

func TestFlagsSetTheOptionsAndTheEnvironmentDoesSoToo(t *testing.T) {
	values := map[string]string{
		"reserved": "news, shop", "schemes": "mailto,myapp", "path-length": "12", "account-types": "team=title,vanity_link; guest=",
		"forward-query": "true", "cache-ttl": "30s", "ack-timeout": "150ms", "flush-interval": "1s", "max-pending": "5000",
		"journal": "x", "journal-os-buffered": "true", "journal-max-bytes": "1000000", "cookieless": "true", "bots-as-people": "true",
		"name": "Example Links", "accent": "#123456", "type": "team", "zone": "Europe/Berlin",
	}
	var args []string
	env := map[string]string{}
	for name, value := range values {
		args = append(args, "-"+name+"="+value)
		env[variable(name)] = value
	}
	for how, read := range map[string]func() (config, error){
		"flags":       func() (config, error) { return parseFlags(args, environment(nil), io.Discard) },
		"environment": func() (config, error) { return parseFlags(nil, environment(env), io.Discard) },
	} {
		c, err := read()
		require.NoError(t, err, how)
		o := c.trackerOptions(nil)
		assert.Equal(t, []string{"news", "shop"}, o.Links.Reserved, how)
		assert.Equal(t, []string{"mailto", "myapp"}, o.Links.Schemes, how)
		assert.Equal(t, map[string]linktrack.AccountType{"team": {Params: []string{"title", "vanity_link"}}, "guest": {}}, o.Accounts.Types, how)
		assert.Equal(t, []any{12, 5000, true, true, true}, []any{o.Links.PathLength, o.Recording.MaxPending, o.Links.ForwardQuery, o.Visitors.Cookieless, o.Visitors.BotsAsPeople}, how)
		assert.Equal(t, "30s 150ms 1s", o.Links.CacheTTL.String()+" "+o.Recording.AckTimeout.String()+" "+o.Recording.FlushInterval.String(), how)
		assert.Equal(t, "Europe/Berlin", o.TimeZone.String(), how)
		assert.Equal(t, journal.Options{OSBuffered: true, MaxBytes: 1_000_000}, c.journalOptions, how)
		assert.Equal(t, []string{"Example Links", "#123456", "team"}, []string{c.pageOptions.Name, c.pageOptions.Accent, c.accountType}, how)
	}
}

func TestAWrongFlagIsNamedWithItsRule(t *testing.T) {
	for want, args := range map[string][]string{
		"-pass must have at least 8 characters":                                                                              {"-pass", "hush"},
		"-email must be a mail address such as ada@example.com":                                                              {"-email", "Ada <ada@example.com>"},
		`-zone must be the name of a time zone such as Europe/Berlin or UTC, not "Mars/Base"`:                                {"-zone", "Mars/Base"},
		`-zone must be the name of a time zone such as Europe/Berlin or UTC, not "Local"`:                                    {"-zone", "Local"},
		"-cache-ttl: must be a duration above 0":                                                                             {"-cache-ttl", "0"},
		"-ack-timeout: must be a duration above 0":                                                                           {"-ack-timeout", "2"},
		"-flush-interval: must be a duration above 0":                                                                        {"-flush-interval", "-1s"},
		"-alert-timeout: must be a duration above 0":                                                                         {"-alert-timeout", "soon"},
		"-max-pending: must be a whole number above 0":                                                                       {"-max-pending", "0"},
		"-journal-max-bytes: must be a whole number above 0":                                                                 {"-journal-max-bytes", "1G"},
		"-path-length: Links.PathLength must be from 5 to 32":                                                                {"-path-length", "33"},
		`-reserved: "a b" cannot be the path of a link`:                                                                      {"-reserved", "news,a b"},
		`-schemes: Links.Schemes must not have "javascript"`:                                                                 {"-schemes", "javascript"},
		`-account-types: "team" is not an account type`:                                                                      {"-account-types", "team"},
		"-account-types: the account type team is given twice":                                                               {"-account-types", "team=;team=title"},
		`-account-types: Accounts.Types has "titel" for accounts of type team, but must have parameters of makeLink: host, `: {"-account-types", "team=titel"},
		`-type must be free, professional, guest or team, not "gold"`:                                                        {"-account-types", "team=;guest=", "-type", "gold"},
		"-accent: Accent must be":                                                                                            {"-accent", "red"},
		"-templates: stat /nowhere: no such file":                                                                            {"-templates", "/nowhere"},
		"-templates: flags.go is not a folder":                                                                               {"-templates", "flags.go"},
		"-texts: flags.go is not a JSON object of texts by key":                                                              {"-texts", "flags.go"},
		"-journal-os-buffered and -journal-max-bytes require -journal":                                                       {"-journal-os-buffered"},
		"-home must be an absolute http or https URL":                                                                        {"-home", "www.example.com"},
		"-not-found must be an absolute http or https URL such as":                                                           {"-not-found", "https://me:hush@www.example.com/"},
		"-alert-proxy must be an http, https, or socks5 URL":                                                                 {"-alert-webhook", testHook, "-alert-proxy", "hush"},
		"-alert-proxy requires -alert-private":                                                                               {"-alert-webhook", testHook, "-alert-proxy", "http://proxy.example.com:3128"},
		"-alert-webhook must be https, unless -alert-private is set":                                                         {"-alert-webhook", "http://hooks.example.com/x"},
	} {
		status, out, errs := transferring(t, nil, append(args, "-addr", "127.0.0.1:0")...)
		assert.Equal(t, 2, status, "%v", args)
		assert.Contains(t, errs, want, "%v", args)
		assert.NotContains(t, out+errs, "hush", "%v", args)
	}
	status, _, errs := transferring(t, map[string]string{"TZ": "Mars/Base"}, "-addr", "127.0.0.1:0")
	assert.Equal(t, 2, status)
	assert.Contains(t, errs, `TZ must be the name of a time zone such as Europe/Berlin or UTC, not "Mars/Base"`)
}

func TestHelpIsShownEvenIfTheEnvironmentIsWrong(t *testing.T) {
	status, out, _ := transferring(t, map[string]string{"LINKTRACK_MAX_PENDING": "many"}, "-h")
	assert.Equal(t, 0, status)
	assert.Contains(t, out, "-max-pending")
}
