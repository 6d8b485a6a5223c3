package program

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/notify"
	"github.com/linktrackhq/linktrack/notify/smtp"
	"github.com/linktrackhq/linktrack/notify/webhook"
)

// alertFlags are the flags for the delivery of alerts. The URLs may contain
// passwords, so errors show only the names of flags.
type alertFlags struct {
	smtp    string
	webhook string
	secret  string
	private bool
	proxy   string
	timeout time.Duration  // 0 means the default of each notifier
	zone    *time.Location // for times in mails
}

func addAlertFlags(flags *flag.FlagSet) *alertFlags {
	a := new(alertFlags)
	flags.StringVar(&a.smtp, "smtp", "", "`URL` of the server that mails alerts, smtp://user:pass@host:587?from=alerts@example.com, or smtps:// for TLS from the first byte; "+
		"smtp:// requires STARTTLS unless the host is this machine or tls=none is given; helo=name sets the name of this machine (default: no mail)")
	flags.StringVar(&a.webhook, "alert-webhook", "", "https `URL` that alerts are posted to as JSON (default: none)")
	flags.StringVar(&a.secret, "alert-secret", "", "`secret` that signs posts as Standard Webhooks does: whsec_ and the base64 of 24 to 64 bytes, or else a key of at least 16 bytes (default: posts are not signed)")
	flags.BoolVar(&a.private, "alert-private", false, "let -alert-webhook use http, a private address, or this machine")
	flags.StringVar(&a.proxy, "alert-proxy", "", "`URL` of the proxy for posts; requires -alert-private (default: none)")
	duration(flags, &a.timeout, "alert-timeout", 0, "longest `time` that one delivery may take (default: 30s for a mail, 10s for a post)")
	return a
}

// notifier returns nil if alerts are not delivered.
func (a *alertFlags) notifier() (linktrack.Notifier, error) {
	if a.webhook == "" && (a.secret != "" || a.private || a.proxy != "") {
		return nil, errors.New("-alert-secret, -alert-private, and -alert-proxy require -alert-webhook")
	}
	var all []linktrack.Notifier
	if a.smtp != "" {
		mailer, err := a.mailer()
		if err != nil {
			return nil, err
		}
		all = append(all, mailer)
	}
	if a.webhook != "" {
		o := webhook.Options{URL: a.webhook, Secret: []byte(a.secret), AllowPrivate: a.private, Timeout: a.timeout}
		if a.proxy != "" {
			proxy, err := url.Parse(a.proxy)
			if err != nil || proxy.Scheme != "http" && proxy.Scheme != "https" && proxy.Scheme != "socks5" || proxy.Hostname() == "" {
				return nil, errors.New("-alert-proxy must be an http, https, or socks5 URL such as http://proxy.example.com:3128")
			}
			o.Proxy = http.ProxyURL(proxy)
		}
		hook, err := webhook.New(o)
		if err != nil {
			return nil, inFlag(err, map[string]string{"URL": "-alert-webhook", "Secret": "-alert-secret", "Proxy": "-alert-proxy"})
		}
		all = append(all, hook)
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	return notify.All(all...), nil
}

func (a *alertFlags) mailer() (*smtp.Mailer, error) {
	u, err := url.Parse(a.smtp)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("-smtp must be smtp://user:pass@host:port?from=address or smtps://…; write @ as %40 and / as %2F in a pass")
	}
	// A parameter that is invalid or unknown may be a part of the password, so
	// errors do not show it.
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("-smtp has an invalid query")
	}
	for name := range q {
		if name != "from" && name != "helo" && name != "tls" {
			return nil, errors.New("-smtp takes only the parameters from, helo, and tls")
		}
	}
	o := smtp.Options{From: q.Get("from"), HELO: q.Get("helo"), Username: u.User.Username(), Timeout: a.timeout, Location: a.zone}
	o.Password, _ = u.User.Password()
	port := "587"
	switch tls := q.Get("tls"); {
	case u.Scheme == "smtps" && tls == "":
		o.TLS, port = smtp.Implicit, "465"
	case u.Scheme == "smtp" && tls == "none":
		o.TLS = smtp.Plain
	case u.Scheme == "smtp" && tls == "starttls":
		o.TLS = smtp.StartTLS
	case tls != "":
		return nil, errors.New("-smtp: tls must be starttls or none, and requires smtp://")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	o.Addr = net.JoinHostPort(u.Hostname(), port)
	mailer, err := smtp.New(o)
	if err != nil {
		return nil, inFlag(err, map[string]string{
			"Addr": "-smtp: host", "From": "-smtp: from", "HELO": "-smtp: helo", "Username": "-smtp: user",
		})
	}
	return mailer, nil
}

// inFlag replaces the names of options in an error by those of their flags.
func inFlag(err error, flags map[string]string) error {
	var invalid *linktrack.InvalidError
	if errors.As(err, &invalid) && flags[invalid.Param] != "" {
		return fmt.Errorf("%s %s", flags[invalid.Param], strings.ReplaceAll(invalid.Reason, "AllowPrivate", "-alert-private"))
	}
	return err
}
