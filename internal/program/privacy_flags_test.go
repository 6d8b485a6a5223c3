package program

import (
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range list {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func TestFlagsOfPrivacy(t *testing.T) {
	usual := linktrack.Privacy{HistoryDays: 90}
	for name, tt := range map[string]struct {
		args    []string
		env     map[string]string
		privacy linktrack.Privacy
		proxies []netip.Prefix
		geo     string
	}{
		"by default": {privacy: usual},
		"all of them": {
			args: []string{
				"-privacy-ip", "none", "-keep-referrer", "host", "-keep-user-agent=false", "-honour-gpc", "-history-days", "-1",
				"-exclude", "192.0.2.0/24, 2001:db8::7", "-trusted-proxies", "10.0.0.0/8,127.0.0.1,", "-geo", "x.mmdb",
			},
			privacy: linktrack.Privacy{
				IP: linktrack.KeepIPNone, Referrer: linktrack.KeepReferrerHost, DropUserAgent: true, HonorGPC: true, HistoryDays: -1,
				Exclude: prefixes("192.0.2.0/24", "2001:db8::7/128"),
			},
			proxies: prefixes("10.0.0.0/8", "127.0.0.1/32"),
			geo:     "x.mmdb",
		},
		"a flag wins over the environment": {
			args: []string{"-privacy-ip", "whole", "-exclude", "192.0.2.1"},
			env:  map[string]string{"LINKTRACK_PRIVACY_IP": "none", "LINKTRACK_EXCLUDE": "10.0.0.0/8", "LINKTRACK_HONOUR_GPC": "1"},
			privacy: linktrack.Privacy{
				IP: linktrack.KeepIPWhole, HonorGPC: true, HistoryDays: 90, Exclude: prefixes("192.0.2.1/32"),
			},
		},
	} {
		c, err := parseFlags(tt.args, tt.env, io.Discard)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(c.privacy, tt.privacy) || !reflect.DeepEqual(c.proxies, tt.proxies) || c.geo != tt.geo {
			t.Errorf("%s: %+v, proxies %v, geo %q", name, c.privacy, c.proxies, c.geo)
		}
	}
}

func TestFlagsOfPrivacyThatAreWrong(t *testing.T) {
	for want, args := range map[string][]string{
		`must be cut, whole or none, not "all"`:               {"-privacy-ip", "all"},
		`must be whole, host or none, not "cut"`:              {"-keep-referrer", "cut"},
		`"10.0.0.0/99" is neither a network nor an address`:   {"-exclude", "10.0.0.0/99"},
		`"proxy.example" is neither a network nor an address`: {"-trusted-proxies", "10.0.0.1,proxy.example"},
		"-history-days must be at least 30, or negative":      {"-history-days", "0"},
	} {
		_, err := parseFlags(args, nil, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q in it", args, err, want)
		}
	}
	bin := testprogram.Build(t, programFolder)
	for want, args := range map[string][]string{
		"Privacy.HistoryDays must be at least 30": {"-history-days", "29"},
		"geo: stat /nowhere/x.mmdb":               {"-geo", "/nowhere/x.mmdb"},
	} {
		p := start(t, bin, nil, append(args, "-addr", "127.0.0.1:0")...)
		if status := p.Wait(t); status == 0 || !strings.Contains(p.Stderr(), want) {
			t.Errorf("%v: status %d, %q", args, status, p.Stderr())
		}
	}
}
