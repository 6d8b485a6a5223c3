//go:build ignore

// This file compares the parser that this package uses with one that is no
// dependency, so it is built only when it is named:
//
//	cp go.mod /tmp/compare.mod; cp go.sum /tmp/compare.sum
//	go get -modfile=/tmp/compare.mod github.com/medama-io/go-useragent@v1.2.5
//	go test -modfile=/tmp/compare.mod -run Compare -bench Parsers internal/useragent/*.go

package useragent

import (
	"fmt"
	"strings"
	"testing"

	medama "github.com/medama-io/go-useragent"
	mileusna "github.com/mileusna/useragent"
)

// A parser returns what a parser itself takes a user agent for, with the names
// that this package has for browsers and platforms.
type parser func(ua string) (browser, platform string, bot bool)

var parsers = map[string]parser{
	"mileusna": func(ua string) (string, string, bool) {
		p := mileusna.Parse(ua)
		return p.Name, p.OS, p.Bot
	},
	"medama": func(ua string) (string, string, bool) {
		p := trie.Parse(ua)
		return ourName(string(p.Browser())), ourName(string(p.OS())), p.IsBot()
	},
}

var trie = medama.NewParser()

func ourName(name string) string {
	switch name {
	case "IE":
		return "Internet Explorer"
	case "Android Browser":
		return "Android browser"
	case "Amazon Silk":
		return "Silk"
	case "MacOS":
		return "macOS"
	}
	return name
}

func TestCompareParsers(t *testing.T) {
	for name, parse := range parsers {
		var alone, browsers, platforms, notBots, areBots, botNames, versions int
		is := func(right bool, count *int) {
			if right {
				*count++
			}
		}
		for _, p := range people {
			browser, platform, bot := parse(p.ua)
			is(browser == p.browser, &alone)
			is(agentOf(p.ua, browser, platform).Browser == p.browser, &browsers)
			is(platform == p.platform, &platforms)
			is(!bot, &notBots)
			is(hasVersion(browser), &versions)
		}
		for _, b := range bots {
			browser, platform, bot := parse(b.ua)
			is(bot, &areBots)
			is(agentOf(b.ua, browser, platform).Browser == b.name, &botNames)
			is(hasVersion(browser), &versions)
		}
		fmt.Printf("%s: of %d people, browser %d, in this package %d, platform %d, not a bot %d; of %d bots, a bot %d, name in this package %d; names with a version %d\n",
			name, len(people), alone, browsers, platforms, notBots, len(bots), areBots, botNames, versions)
	}
}

// hasVersion reports whether a digit stands behind a space, slash, or underscore.
func hasVersion(name string) bool {
	at := strings.IndexAny(name, " /_")
	return at >= 0 && strings.ContainsAny(name[at:], "0123456789")
}

func BenchmarkParsers(b *testing.B) {
	for name, parse := range parsers {
		b.Run("people/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				parse(people[i%len(people)].ua)
			}
		})
		for _, repeated := range []string{"a/b ", "(a)", "é", "Mozilla/5.0 ("} {
			for _, size := range []int{maxRead, 64 * maxRead} {
				ua := strings.Repeat(repeated, size/len(repeated))
				b.Run(fmt.Sprintf("%d bytes of %q/%s", size, repeated, name), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						parse(ua)
					}
				})
			}
		}
	}
}
