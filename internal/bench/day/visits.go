package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/linktrackhq/linktrack"
)

func pathOf(link int) string { return fmt.Sprintf(".%06d", link) }

// makeLinks makes links of one account. Each is in a group, and every third has one of half
// as many tags.
func makeLinks(ctx context.Context, s linktrack.Store, n, groups int) error {
	created := time.Now().UTC().AddDate(-1, 0, 0)
	a, err := s.CreateAccount(ctx, linktrack.Account{Login: "bench", Type: linktrack.AccountTypeProfessional, CreatedAt: created})
	if err != nil {
		return err
	}
	for from := 0; from < n; from += 1000 {
		var links []linktrack.Link
		for i := from; i < min(from+1000, n); i++ {
			l := linktrack.Link{Account: a.ID, Host: "go.example.com", Path: pathOf(i), CreatedAt: created, LinkSettings: linktrack.LinkSettings{
				ExternalURL: fmt.Sprintf("https://shop%d.example.com/products/%07d", i%40, i), Title: fmt.Sprint("Page ", i),
			}}
			if groups > 0 {
				l.Group = fmt.Sprint("Campaign ", i%groups)
			}
			if groups > 1 && i%3 == 0 {
				l.Tags = []string{fmt.Sprint("tag ", i%(groups/2))}
			}
			links = append(links, l)
		}
		if _, err := s.CreateLinks(ctx, links); err != nil {
			return err
		}
	}
	return nil
}

// paths returns the paths of the links, from which visitors draw alike. A link that has more
// visitors is there more often: the second one has half of those of the first, the third
// one a third, and so on.
func paths(links int) (all []string) {
	for i := range links {
		for range max(1, links/6/(i+1)) {
			all = append(all, "/"+pathOf(i))
		}
	}
	return all
}

// visitors returns header lines of 5,000 kinds of visitors: 200 browsers, from which a third
// brings no referrer, and the others one of 300 sites; one visitor in twenty is a bot.
func visitors() (all []string) {
	random := rand.New(rand.NewPCG(1, 2))
	browsers := []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%[1]d.0.0.0 Safari/537.36 Edg/%[1]d.0.0.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.%d Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:%[1]d.0) Gecko/20100101 Firefox/%[1]d.0",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/%d.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.%d Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.%d Mobile/15E148 Safari/604.1",
	}
	for range 5000 {
		agent := fmt.Sprintf(browsers[random.IntN(len(browsers))], 117+random.IntN(25))
		if random.IntN(20) == 0 {
			agent = fmt.Sprintf("Mozilla/5.0 (compatible; Examplebot/%d.0; +https://bot.example/about)", random.IntN(10))
		}
		lines := "User-Agent: " + agent + "\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
			"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
		if random.IntN(3) > 0 {
			site := int(300 * random.Float64() * random.Float64() * random.Float64()) // some sites bring most visitors
			lines += fmt.Sprintf("Referer: https://site%d.example.org/posts/%d\r\n", site, random.IntN(20))
		}
		all = append(all, lines)
	}
	return all
}
