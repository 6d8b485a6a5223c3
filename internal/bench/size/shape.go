package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/useragent"
)

// A shape says what stands in a database of some size: few links have most of
// the clicks, most links have few, some none. The numbers of clicks fall with
// the rank of the link to the power of 1.1, so the hottest link has about an
// eighth of all. Half of the clicks are of the last weeks, and half of two
// years before, since what grows with the age of a service is the roll-ups.
type shape struct {
	links  int
	clicks int64
	end    time.Time // of all
	scale  float64   // clicks of the hottest link
}

const (
	host  = "go.example.com"
	power = 1.1

	day    = 24 * time.Hour
	recent = 35 * day  // with half of the clicks
	age    = 730 * day // with the other half before that
)

func newShape(links int, clicks int64, end time.Time) *shape {
	sum := 0.0
	for r := range links {
		sum += math.Pow(float64(r+1), -power)
	}
	return &shape{links, clicks, end, float64(clicks) / sum}
}

// each calls f for all links in order, with their number of clicks. These add
// up to the clicks of the shape, but for one.
func (s *shape) each(f func(i int, clicks int64) error) error {
	step := int(0.618 * float64(s.links)) // ranks jump, so that they have nothing to do with ids
	for step > 1 && gcd(step, s.links) != 1 {
		step--
	}
	sum, given, rank := 0.0, int64(0), s.links/3
	for i := range s.links {
		sum += s.scale * math.Pow(float64(rank+1), -power)
		n := int64(sum) - given
		given += n
		if err := f(i, n); err != nil {
			return err
		}
		rank = (rank + step) % s.links
	}
	return nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// pathOf is the path of link i: it looks like a generated one, and no two
// links have the same, for the factor has no divisor in common with 36.
func pathOf(i int) string {
	const paths = 36 * 36 * 36 * 36 * 36 * 36 * 36
	text := strconv.FormatInt(int64(i+1)*48_431_070_277%paths, 36)
	return "." + strings.Repeat("0", 7-len(text)) + text
}

// link is link i. Every fifth leads to one of a thousand pages that many links
// lead to, and every fourth is in no group.
func (s *shape) link(account linktrack.AccountID, i int) linktrack.Link {
	random := rand.New(rand.NewPCG(1, uint64(i)))
	l := linktrack.Link{
		Account: account,
		Host:    host,
		Path:    pathOf(i),
		LinkSettings: linktrack.LinkSettings{
			ExternalURL: fmt.Sprintf("https://shop%d.example.com/products/%07d?utm_campaign=%d&utm_content=%d", random.IntN(40), random.IntN(10_000_000), random.IntN(100), i),
			Title:       fmt.Sprintf("%s %d", titles[random.IntN(len(titles))], random.IntN(s.links)),
			Description: "Printed on the back of the brochure, beside the address of the shop.",
		},
		CreatedAt: s.created(i),
	}
	if i%5 == 0 {
		l.ExternalURL = fmt.Sprintf("https://www.example.com/pages/%d", random.IntN(1000))
	}
	if i%4 != 0 {
		l.Group = fmt.Sprintf("Campaign %d", random.IntN(50))
	}
	return l
}

var titles = []string{"Newsletter", "Autumn sale", "Brochure", "Poster", "Business card", "Partner", "Trade fair", "Übersicht", "E-mail footer"}

// created is when link i was made: one after the other, until the last weeks
// began.
func (s *shape) created(i int) time.Time {
	return s.end.Add(-recent - time.Duration((1-float64(i)/float64(s.links))*float64(age-recent)))
}

// click is a click on link i.
func (s *shape) click(i int, id int64, random *rand.Rand) linktrack.Click {
	at := s.end.Add(-time.Duration(random.Int64N(int64(recent))))
	if created := s.created(i); random.IntN(2) == 0 {
		at = created.Add(time.Duration(random.Int64N(int64(max(1, s.end.Add(-recent).Sub(created))))))
	}
	a := &browsers[random.IntN(len(browsers))]
	c := linktrack.Click{
		ID:        linktrack.NewClickID(at),
		Link:      id,
		IP:        netip.AddrFrom4([4]byte{198, 18, byte(random.Uint32()), byte(random.Uint32())}),
		UserAgent: a.userAgent,
		Browser:   a.Browser,
		Platform:  a.Platform,
		Bot:       a.Bot,
		Unique:    !a.Bot && random.IntN(3) > 0,
	}
	if n := random.IntN(20); n < 12 {
		c.ReferrerHost = fmt.Sprintf("site%d.example.org", n)
		c.Referrer = "https://" + c.ReferrerHost + "/posts/" + strconv.Itoa(random.IntN(10_000))
	}
	if random.IntN(10) == 0 {
		c.Query = "source=newsletter&issue=" + strconv.Itoa(random.IntN(100))
	}
	return c
}

type browser struct {
	userAgent string
	useragent.Agent
}

var browsers = parsed(
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)

func parsed(userAgents ...string) (all []browser) {
	for _, ua := range userAgents {
		all = append(all, browser{ua, useragent.Parse(ua)})
	}
	return all
}
