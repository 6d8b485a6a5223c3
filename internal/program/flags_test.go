package program

import (
	"io"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack/notify"
	"github.com/linktrackhq/linktrack/notify/smtp"
	"github.com/linktrackhq/linktrack/notify/webhook"
)

const (
	testMail   = "smtp://links:hush@mail.example.com?from=alerts@example.com"
	testHook   = "https://hook.example.com/alerts"
	testSecret = "0123456789abcdef"
)

func TestAlertsGoWhereTheFlagsSay(t *testing.T) {
	is := func(n any) string {
		switch n.(type) {
		case nil:
			return "nobody"
		case *smtp.Mailer:
			return "mail"
		case *webhook.Hook:
			return "hook"
		case *notify.Group:
			return "both"
		}
		return "?"
	}
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"nowhere by default":           {want: "nobody"},
		"by mail":                      {args: []string{"-smtp", testMail}, want: "mail"},
		"to a hook":                    {args: []string{"-alert-webhook", testHook, "-alert-secret", testSecret}, want: "hook"},
		"to both":                      {args: []string{"-smtp", testMail, "-alert-webhook", testHook}, want: "both"},
		"to a private hook":            {args: []string{"-alert-webhook", "http://127.0.0.1:9/", "-alert-private"}, want: "hook"},
		"by TLS":                       {args: []string{"-smtp", "smtps://links:hush@mail.example.com?from=alerts@example.com"}, want: "mail"},
		"by this machine":              {args: []string{"-smtp", "smtp://localhost:25?from=alerts@example.com&helo=links.example.com"}, want: "mail"},
		"by this machine with a login": {args: []string{"-smtp", "smtp://links:a%40b%2F@[::1]:25/?from=alerts@example.com"}, want: "mail"},
		"by plain mail":                {args: []string{"-smtp", "smtp://mail.example.com:25?from=alerts@example.com&tls=none"}, want: "mail"},
		"as the environment says": {
			env: map[string]string{
				"LINKTRACK_SMTP": testMail, "LINKTRACK_ALERT_WEBHOOK": "http://10.0.0.1/",
				"LINKTRACK_ALERT_SECRET": testSecret, "LINKTRACK_ALERT_PRIVATE": "1",
			},
			want: "both",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := parseFlags(tt.args, environment(tt.env), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if got := is(c.notify); got != tt.want {
				t.Errorf("alerts go to %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAlertFlagsThatAreWrongAreNamedWithoutTheirSecrets(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no mail URL":                 {[]string{"-smtp", "hush@mail.example.com"}, "-smtp must be smtp://"},
		"another scheme":              {[]string{"-smtp", "https://links:hush@mail.example.com"}, "-smtp must be smtp://"},
		"a pass with a slash":         {[]string{"-smtp", "smtp://links:hu/sh@mail.example.com?from=a@example.com"}, "-smtp must be smtp://"},
		"a pass with a percent sign":  {[]string{"-smtp", "smtp://links:hush%zz@mail.example.com?from=a@example.com"}, "-smtp must be smtp://"},
		"a pass with a question mark": {[]string{"-smtp", "smtp://links:hu?hush@mail.example.com?from=a@example.com"}, "-smtp"},
		"no sender":                   {[]string{"-smtp", "smtp://links:hush@mail.example.com"}, "-smtp: from must be a mail address"},
		"no such port":                {[]string{"-smtp", "smtp://links:hush@mail.example.com:99999?from=a@example.com"}, "-smtp: host must be host:port"},
		"a parameter that is none":    {[]string{"-smtp", testMail + "&hush=1"}, "-smtp takes only the parameters"},
		"a query that is none":        {[]string{"-smtp", testMail + "&from=%hush"}, "-smtp has an invalid query"},
		"a pass for all to read":      {[]string{"-smtp", testMail + "&tls=none"}, "-smtp: user requires TLS"},
		"TLS of an unknown kind":      {[]string{"-smtp", testMail + "&tls=hush"}, "-smtp: tls must be starttls or none"},
		"TLS twice":                   {[]string{"-smtp", "smtps://mail.example.com?from=a@example.com&tls=none"}, "-smtp: tls must be starttls or none"},
		"no hook URL":                 {[]string{"-alert-webhook", "hook.example.com/?key=hush"}, "-alert-webhook must be an absolute https URL"},
		"an http hook":                {[]string{"-alert-webhook", "http://me:hush@hook.example.com/"}, "-alert-webhook must be https"},
		"a short secret":              {[]string{"-alert-webhook", testHook, "-alert-secret", "hush"}, "-alert-secret must have at least 16 bytes"},
		"a key that is no base64":     {[]string{"-alert-webhook", testHook, "-alert-secret", "whsec_hush"}, "-alert-secret must have the base64 of 24 to 64 bytes after whsec_"},
		"a secret for nothing":        {[]string{"-alert-secret", "hush"}, "-alert-secret, -alert-private, and -alert-proxy require -alert-webhook"},
		"private for nothing":         {[]string{"-alert-private"}, "-alert-secret, -alert-private, and -alert-proxy require -alert-webhook"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseFlags(tt.args, environment(nil), io.Discard)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("the error is %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hu/sh") || strings.Contains(err.Error(), "hush") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

func TestAWrongVariableIsNamed(t *testing.T) {
	_, err := parseFlags(nil, environment(map[string]string{"LINKTRACK_ALERT_PRIVATE": "perhaps"}), io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "LINKTRACK_ALERT_PRIVATE: ") {
		t.Errorf("the error is %v", err)
	}
}

func TestHelpShowsNoSecretOfTheEnvironment(t *testing.T) {
	var help strings.Builder
	_, err := parseFlags([]string{"-h"}, environment(map[string]string{
		"LINKTRACK_SMTP": testMail, "LINKTRACK_ALERT_WEBHOOK": testHook, "LINKTRACK_ALERT_SECRET": "hush " + testSecret,
	}), &help)
	if err != errHelp || !strings.Contains(help.String(), "-alert-webhook") || strings.Contains(help.String(), "hush") {
		t.Errorf("%v\n%s", err, help.String())
	}
}
