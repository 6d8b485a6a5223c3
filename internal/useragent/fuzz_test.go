package useragent

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	for _, p := range people {
		f.Add(p.ua)
	}
	for _, b := range bots {
		f.Add(b.ua)
	}
	for _, s := range []string{"((((", "))))", "[fb", "Android ((", "\xff\x00bot", strings.Repeat("(bot", 999)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ua string) {
		a := Parse(ua)
		if a.Bot != IsBot(ua) || a.Bot != (a.Sign != None) {
			t.Errorf("Parse and IsBot disagree on %q", ua)
		}
		for _, s := range []string{a.Browser, a.Platform} {
			if len(s) > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("a name no report can show: %q of %q", s, ua)
			}
		}
		if long := ua + strings.Repeat("x", maxRead); len(ua) >= maxRead && Parse(long) != a {
			t.Errorf("what stands behind the first bytes of %q changes the answer", ua)
		}
	})
}

func BenchmarkIsBot(b *testing.B) {
	b.Run("a browser", func(b *testing.B) { benchmarkIsBot(b, people[5].ua) })
	b.Run("a bot", func(b *testing.B) { benchmarkIsBot(b, bots[1].ua) })
	b.Run("the worst kilobyte", func(b *testing.B) { benchmarkIsBot(b, strings.Repeat("go", maxRead/2)) })
	b.Run("the deepest kilobyte", func(b *testing.B) { benchmarkIsBot(b, strings.Repeat("(", maxRead)) })
}

func benchmarkIsBot(b *testing.B, ua string) {
	b.ReportAllocs()
	for b.Loop() {
		IsBot(ua)
	}
}

func BenchmarkParse(b *testing.B) {
	b.Run("a browser", func(b *testing.B) { benchmarkParse(b, people[5].ua) })
	b.Run("the worst kilobyte", func(b *testing.B) { benchmarkParse(b, strings.Repeat("a/b ", maxRead/4)) })
}

func benchmarkParse(b *testing.B, ua string) {
	b.ReportAllocs()
	for b.Loop() {
		Parse(ua)
	}
}
