package linktrack

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/linktrackhq/linktrack/internal/useragent"
	"github.com/linktrackhq/linktrack/internal/weburl"
)

// completer returns a function that completes clicks behind the redirect, by
// one goroutine at a time, which alone uses m.
func (t *Tracker) newCompleter(m agents) func(*Click) {
	return func(c *Click) { t.complete(c, m.parse) }
}

// complete fills in what a click holds beside what the request brought, brings
// its texts to the form in which they are kept, and drops what is not. A click
// may be completed again, after it came out of the journal or was not taken by
// the store: what was derived from something that is gone by then stays.
func (t *Tracker) complete(c *Click, parse func(userAgent string) useragent.Agent) {
	if c.Referrer != "" {
		c.Referrer = truncate(c.Referrer, maxReferrer)
		c.ReferrerHost = strings.Clone(referrerHost(c.Referrer)) // the referrer may go
	}
	if c.UserAgent != "" {
		c.UserAgent = truncate(c.UserAgent, maxUserAgent)
		a := parse(c.UserAgent)
		c.Browser, c.Platform = a.Browser, a.Platform
		c.Bot = a.Bot && !t.opts.BotsAsPeople && !c.Person
	}
	if c.Country == "" {
		c.Country = t.locator.locate(c.IP)
	}
	c.Query = truncate(c.Query, maxQuery)
	c.Unique = c.Unique && !c.Bot
	t.opts.Privacy.redact(c)
}

// agents remember what user agents are: most visitors have one of a few. The
// zero value is ready.
type agents struct {
	known map[string]useragent.Agent
	bytes int // of known, about
}

const maxAgents = 2 << 20 // bytes

func (m *agents) parse(userAgent string) useragent.Agent {
	a, known := m.known[userAgent]
	if known {
		return a
	}
	a = readAgent(userAgent)
	size := 100 + len(userAgent) + len(a.Browser) + len(a.Platform)
	if m.bytes += size; m.known == nil || m.bytes > maxAgents {
		m.known, m.bytes = make(map[string]useragent.Agent), size
	}
	m.known[strings.Clone(userAgent)] = a
	return a
}

// readAgent returns what a user agent is. It keeps no part of the memory that
// userAgent is in.
func readAgent(userAgent string) useragent.Agent {
	a := useragent.Parse(userAgent)
	a.Browser, a.Platform = strings.Clone(truncate(a.Browser, 255)), strings.Clone(truncate(a.Platform, 255))
	return a
}

// What is kept of a click's texts, in characters.
const (
	maxReferrer  = 2048
	maxUserAgent = 1024
	maxQuery     = 2048
)

// bound returns a copy of s without what can not be among its first n characters:
// a click outlives its request, in whose memory s may be.
func truncateBytes(s string, n int) string {
	return strings.Clone(s[:min(len(s), utf8.UTFMax*n)])
}

// clip replaces what is not UTF-8 and NUL, and cuts to n characters.
func truncate(s string, n int) string {
	if len(s) <= n && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return strings.Clone(s[:i])
		}
		n--
	}
	return s
}

// referrerHost returns the host that a Referer header names, in the form of
// [weburl.Host] and without its port, or "". It is shown to the public, so that
// it must be no text of the visitor's own.
func referrerHost(referrer string) string {
	_, rest, ok := strings.Cut(referrer, "://")
	if !ok {
		return ""
	}
	rest = authority(rest)
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	host, _, ok := splitHostPort(rest)
	if !ok {
		return ""
	}
	if host, err := weburl.Host(host); err == nil {
		return host
	}
	return ""
}

// A guardedLocator asks a host's Locator, and takes no harm from it.
type guardedLocator struct {
	Locator  // nil: nothing is known
	log      *slog.Logger
	panicked atomic.Bool
}

// locate returns two upper-case letters or "".
func (g *guardedLocator) locate(ip netip.Addr) (country string) {
	if g.Locator == nil || !ip.IsValid() {
		return ""
	}
	defer func() {
		if p := recover(); p != nil {
			country = ""
			if !g.panicked.Swap(true) {
				g.log.Error("linktrack: the Locator panics; where it does, the country is not known", "panic", p)
			}
		}
	}()
	country = g.Locate(ip.Unmap().WithZone(""))
	if len(country) != 2 {
		return ""
	}
	b := [2]byte{country[0] &^ 0x20, country[1] &^ 0x20}
	for _, letter := range b {
		if letter < 'A' || letter > 'Z' {
			return ""
		}
	}
	return string(b[:])
}
