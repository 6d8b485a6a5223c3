// Package useragent reads user agents: which browser on which platform, and
// whether it is a bot by its own word.
package useragent

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mileusna/useragent"
)

// An Agent is what a user agent says of itself.
type Agent struct {
	Browser  string // "Chrome", "Firefox", "Safari", "Edge", ..., or the name of the bot; "" not known
	Platform string // "Windows", "macOS", "Linux", "Android", "iOS", "ChromeOS", ...; "" not known
	Bot      bool   // see IsBot
	Sign     Sign   // why it is a bot's
}

// maxRead is how many bytes of a user agent are read, and maxName is how many
// bytes a name may have. So a sender of long texts can neither make parsing
// expensive nor fill reports.
const (
	maxRead = 1024
	maxName = 50
)

// Parse reads a user agent. It takes some microseconds; ask [IsBot] where only
// that matters.
func Parse(userAgent string) Agent {
	ua := cut(userAgent)
	parsed := useragent.Parse(ua)
	// The parser's own bot flag is set for every URL and misses programs
	// that have none, so only its names are used.
	return agentOf(ua, parsed.Name, parsed.OS)
}

// agentOf makes the names that the parser gave fit for a report, and decides
// whether it is a bot.
func agentOf(ua, browser, platform string) Agent {
	token, sign := botToken(ua)
	if sign == None {
		return Agent{Browser: personName(browser, ua), Platform: platform}
	}
	// A bot that dresses up as a browser is parsed as that browser.
	if _, named := botToken(browser); named == None && token != "" {
		browser = token
	}
	return Agent{Browser: cleanName(browser), Platform: platform, Bot: true, Sign: sign}
}

// IsBot reports whether a user agent says that it is a program which no person
// looks through: a crawler, a link preview, a monitor, a headless browser, an
// HTTP library under its own name. It takes about a microsecond and
// allocates nothing.
//
// In doubt it is a person. That is so for an empty user agent, which privacy
// tools send; for programs that say nothing we know; and for the image proxies
// of mail services (GoogleImageProxy, YahooMailProxy), which fetch when a
// person opens a message.
func IsBot(userAgent string) bool {
	_, sign := botToken(cut(userAgent))
	return sign != None
}

func cut(s string) string {
	if len(s) > maxRead {
		return s[:maxRead]
	}
	return s
}

// marks are the words of browsers and apps that the parser takes for the
// engine inside them, or calls by another name than their makers.
var marks = []struct{ word, name string }{
	{"GoogleImageProxy", "Gmail"},
	{"WhatsApp/", "WhatsApp"},
	{"MicroMessenger/", "WeChat"},
	{"Snapchat/", "Snapchat"},
	{"SamsungBrowser/", "Samsung Internet"},
	{"UCBrowser/", "UC Browser"},
	{"YaBrowser/", "Yandex Browser"},
	{"DuckDuckGo/", "DuckDuckGo"},
	{"Ddg/", "DuckDuckGo"},
	{"Focus/", "Firefox Focus"},
	{"GSA/", "Google App"},
	{"Trident/7.0;", "Internet Explorer"},
}

// personName makes the parser's name fit for a report. A web view inside an
// app that gives no name is called what it is.
func personName(name, ua string) string {
	for _, m := range marks {
		if strings.Contains(ua, m.word) {
			return m.name
		}
	}
	switch name {
	case "iPhone", "iPad", "iPod", "X11", "Windows":
		if strings.Contains(ua, "AppleWebKit/") {
			return "WebView"
		}
		return ""
	}
	return cleanName(name)
}

// cleanName returns the name without a version behind it, if it is short and
// printable, else "".
func cleanName(s string) string {
	if i := strings.LastIndexByte(s, ' '); i > 0 && strings.Trim(s[i:], " .0123456789") == "" {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if len(s) > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}
