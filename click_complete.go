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

// A completer fills in what a click holds beside what its request brought. It is
// used by one goroutine at a time: it remembers user agents and referrers, because most
// visitors have one of a few.
type completer struct {
	privacy      Privacy
	botsAsPeople bool
	locator      *guardedLocator

	agents    memo[useragent.Agent]
	referrers memo[string] // their hosts
}

func newCompleter(o *Options, locator *guardedLocator) *completer {
	return &completer{privacy: o.Privacy, botsAsPeople: o.Visitors.BotsAsPeople, locator: locator}
}

// complete fills in the click, brings its texts to the form in which they are
// kept, and drops those that are not to be kept. It may be called again for a click
// that came out of the journal or that the store did not take: then a field that
// was derived from a dropped one keeps its value.
func (m *completer) complete(c *Click) {
	if c.Referrer != "" {
		c.Referrer = truncate(c.Referrer, maxReferrer)
		c.ReferrerHost = m.referrers.of(c.Referrer, func(referrer string) (string, int) {
			host := strings.Clone(referrerHost(referrer)) // the referrer may go
			return host, len(host)
		})
	}
	if c.UserAgent != "" {
		c.UserAgent = truncate(c.UserAgent, maxUserAgent)
		a := m.agents.of(c.UserAgent, func(userAgent string) (useragent.Agent, int) {
			a := parseAgent(userAgent)
			return a, len(a.Browser) + len(a.Platform)
		})
		c.Browser, c.Platform = a.Browser, a.Platform
		c.classify(a.Sign)
		c.Bot = a.Bot && !m.botsAsPeople && !c.Person
	}
	if c.Class == ClickClassNone {
		c.Class = ClickClassPerson
		if c.Bot { // an earlier version of this package has dropped its user agent
			c.Class = ClickClassBot
		}
	}
	if c.Country == "" {
		c.Country = m.locator.locate(c.IP)
	}
	c.Query = truncate(c.Query, maxQuery)
	c.Unique = c.Unique && !c.Bot
	m.privacy.redact(c)
}

// classify sets the class and the reason that the user agent tells.
func (c *Click) classify(sign useragent.Sign) {
	c.Class, c.Reason = ClickClassPerson, ClickReasonNone
	if c.Person {
		return
	}
	switch sign {
	case useragent.Word:
		c.Class, c.Reason = ClickClassBot, ClickReasonWord
	case useragent.Address:
		c.Class, c.Reason = ClickClassBot, ClickReasonAddress
	case useragent.Program:
		c.Class, c.Reason = ClickClassBot, ClickReasonProgram
	}
}

// A memo remembers what was found out about texts. When it is full, it forgets all.
type memo[T any] struct {
	known map[string]T
	bytes int // of known, approximately
}

const maxMemo = 2 << 20 // bytes

// of returns what find returns for a text. find also returns the number of bytes that its
// result takes.
func (m *memo[T]) of(text string, find func(string) (T, int)) T {
	if t, known := m.known[text]; known {
		return t
	}
	t, size := find(text)
	size += 100 + len(text)
	if m.bytes += size; m.known == nil || m.bytes > maxMemo {
		m.known, m.bytes = make(map[string]T), size
	}
	m.known[strings.Clone(text)] = t
	return t
}

// parseAgent returns what a user agent says. The result shares no memory with
// userAgent.
func parseAgent(userAgent string) useragent.Agent {
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

// truncateBytes returns a copy of the part of s that can hold its first n
// characters. It is a copy because a click outlives its request, whose memory s
// shares.
func truncateBytes(s string, n int) string {
	return strings.Clone(s[:min(len(s), utf8.UTFMax*n)])
}

// truncate replaces NUL and bytes that are not UTF-8, and keeps the first n
// characters.
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
// [weburl.Host] and without its port, or "". Public pages show it, so it must not
// be arbitrary text.
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

// A guardedLocator calls a host's [Locator] and survives its mistakes.
type guardedLocator struct {
	Locator  // nil: no country is known
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
				g.log.Error("linktrack: the Locator panics; the clicks for which it does have no country", "panic", p)
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
