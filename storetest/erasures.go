package storetest

import (
	"context"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var erasures = []rule{
	{"an erased visitor leaves clicks without anything of his", func(t *testing.T, s linktrack.Store) {
		eraser := eraserOf(t, s)
		made := createMany(t, s, 2)
		foreign := plain("foreign")
		foreign.Account = owner + 1
		made = append(made, create(t, s, foreign))
		his, hers := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
		want := make(map[int64][]linktrack.Click)
		var all []linktrack.Click
		for i := range 120 {
			l, ip := made[i%3].ID, []netip.Addr{his, hers}[i/3%2]
			k := fromSomewhere(l, noon.Add(time.Duration(i)*time.Hour), ip)
			k.Unique, k.Bot = i%5 == 0, i%7 == 0
			k.Unique = k.Unique && !k.Bot
			all = append(all, k)
			if ip == his && i%3 < 2 {
				k = linktrack.Click{ID: k.ID, Link: k.Link, Unique: k.Unique, Bot: k.Bot}
			}
			want[l] = append(want[l], k)
		}
		send(t, s, all...)
		type sums struct {
			link    linktrack.Link
			rollups []linktrack.Rollup
		}
		look := func() (found []sums) {
			for _, l := range made {
				days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, linktrack.DayOf(noon), linktrack.DayOf(noon)+10)
				require.NoError(t, err)
				found = append(found, sums{look(t, s, l), days})
			}
			return found
		}
		before := look()
		require.EqualValues(t, 40, erase(t, eraser, owner, "203.0.113.7/32"), "the number of clicks is returned")
		for _, l := range made {
			require.Equal(t, want[l.ID], recorded(t, s, l.ID), "address, user agent, referrer, query and what was derived from them go; the clicks of others, and those on links of others, stay as they are")
		}
		require.Equal(t, before, look(), "counts and sums stay")
		for _, k := range all {
			_, err := s.LinkByClick(t.Context(), linktrack.ClickRef{Link: k.Link, ID: k.ID})
			require.NoError(t, err, "the clicks are still there")
		}
		require.Zero(t, erase(t, eraser, owner, "203.0.113.7/32"), "what is erased is not found again")
		require.EqualValues(t, 40, erase(t, eraser, owner, "203.0.113.8/32"), "the others can be erased as well")
		require.Zero(t, erase(t, eraser, owner+2, "0.0.0.0/0"), "an account without links has no clicks")
		require.EqualValues(t, 40, erase(t, eraser, owner+1, "0.0.0.0/0"), "the other account's clicks were all left")
	}},
	{"a prefix erases the addresses that it contains", func(t *testing.T, s linktrack.Store) {
		eraser := eraserOf(t, s)
		addresses := []string{"203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0", "0.0.0.0", "255.255.255.255",
			"2001:db8::", "2001:db8::ff00:42:8329", "2001:db8:0:1::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "::", "::cb00:7100", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""}
		for _, c := range []struct {
			prefix string
			want   []string
		}{
			{"203.0.113.0/32", []string{"203.0.113.0"}},
			{"203.0.113.0/24", []string{"203.0.113.0", "203.0.113.255"}},
			{"203.0.113.77/24", []string{"203.0.113.0", "203.0.113.255"}},
			{"203.0.112.0/23", []string{"203.0.113.0", "203.0.113.255", "203.0.112.255"}},
			{"203.0.113.1/32", nil},
			{"0.0.0.0/0", addresses[:6]},
			{"2001:db8::/128", []string{"2001:db8::"}},
			{"2001:db8::/64", []string{"2001:db8::", "2001:db8::ff00:42:8329"}},
			{"2001:db8::/48", []string{"2001:db8::", "2001:db8::ff00:42:8329", "2001:db8:0:1::"}},
			{"::/96", []string{"::", "::cb00:7100"}},
			{"::/0", addresses[6:13]},
		} {
			l := create(t, s, plain("to"+linktrack.NewClickID(noon).String()[24:]))
			var all []linktrack.Click
			for i, text := range addresses {
				var ip netip.Addr
				if text != "" {
					ip = netip.MustParseAddr(text)
				}
				all = append(all, fromSomewhere(l.ID, noon.Add(time.Duration(i)*time.Second), ip))
			}
			send(t, s, all...)
			require.EqualValues(t, len(c.want), erase(t, eraser, owner, c.prefix), c.prefix)
			for i, k := range recorded(t, s, l.ID) {
				if slices.Contains(c.want, addresses[i]) {
					require.Equal(t, linktrack.Click{ID: all[i].ID, Link: l.ID}, k, "%s contains %s", c.prefix, addresses[i])
				} else {
					require.Equal(t, all[i], k, "%s does not contain %q", c.prefix, addresses[i])
				}
			}
			erase(t, eraser, owner, "0.0.0.0/0") // for the next one
			erase(t, eraser, owner, "::/0")
		}
		_, err := eraser.EraseVisitor(t.Context(), owner, netip.Prefix{})
		require.Error(t, err, "a prefix that is not valid is an error")
	}},
	{"an erasure that was interrupted is finished by the next call", func(t *testing.T, s linktrack.Store) {
		eraser := eraserOf(t, s)
		var links []linktrack.Link
		var all []linktrack.Click
		for _, l := range createMany(t, s, 30) {
			links = append(links, l)
			for i := range 100 {
				all = append(all, fromSomewhere(l.ID, noon.Add(time.Duration(i)*time.Hour), netip.MustParseAddr("2001:db8::7")))
			}
		}
		send(t, s, all...)
		var sum int64
		for looks := int64(1); ; looks = looks*3/2 + 1 {
			ctx := newCountdown(t.Context(), looks)
			n, err := eraser.EraseVisitor(ctx, owner, netip.MustParsePrefix("2001:db8::/48"))
			sum += n
			left := 0
			for _, l := range links {
				for _, k := range recorded(t, s, l.ID) {
					if k.IP.IsValid() {
						require.NotEmpty(t, k.UserAgent, "a click is erased as a whole")
						left++
					} else {
						require.Equal(t, linktrack.Click{ID: k.ID, Link: k.Link}, k, "a click is erased as a whole")
					}
				}
			}
			require.LessOrEqual(t, int(sum), len(all)-left, "no click is counted that is not erased, or twice")
			if err == nil {
				require.Zero(t, left, "a call without an error has erased all")
				break
			}
			require.ErrorIs(t, err, context.Canceled)
		}
		require.Zero(t, erase(t, eraser, owner, "::/0"))
	}},
	{"concurrent erasures count each click once", func(t *testing.T, s linktrack.Store) {
		eraser := eraserOf(t, s)
		var all []linktrack.Click
		for _, l := range createMany(t, s, 5) {
			for i := range 300 {
				all = append(all, fromSomewhere(l.ID, noon.Add(time.Duration(i)*time.Minute), netip.MustParseAddr("203.0.113.0")))
			}
		}
		send(t, s, all...)
		var sum atomic.Int64
		require.NoError(t, together(4, func(int) error {
			return again(func() error {
				n, err := eraser.EraseVisitor(t.Context(), owner, netip.MustParsePrefix("203.0.113.0/24"))
				sum.Add(n)
				return err
			})
		}))
		require.EqualValues(t, len(all), sum.Load())
	}},
}

// fromSomewhere returns a click with all that a visitor brings, which others bring as well.
func fromSomewhere(link int64, at time.Time, ip netip.Addr) linktrack.Click {
	return linktrack.Click{
		ID: linktrack.NewClickID(at), Link: link, IP: ip,
		Referrer: "https://news.example.org/some/page", ReferrerHost: "news.example.org",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Browser: "Firefox", Platform: "Linux",
		Country: "FR", Query: "utm_source=mail",
	}
}

func eraserOf(t *testing.T, s linktrack.Store) linktrack.VisitorEraser {
	t.Helper()
	eraser, ok := s.(linktrack.VisitorEraser)
	if !ok {
		t.Skip("the store does not erase visitors")
	}
	return eraser
}

func erase(t *testing.T, eraser linktrack.VisitorEraser, account linktrack.AccountID, prefix string) int64 {
	t.Helper()
	n, err := eraser.EraseVisitor(t.Context(), account, netip.MustParsePrefix(prefix))
	require.NoError(t, err, "a visitor can be erased, whether there are clicks of his or not")
	return n
}

// A countdown is a context that is canceled when it was looked at a number of times.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func newCountdown(ctx context.Context, looks int64) *countdown {
	c := &countdown{}
	c.Context, c.cancel = context.WithCancel(ctx)
	c.left.Store(looks)
	return c
}

func (c *countdown) look() {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
}

func (c *countdown) Done() <-chan struct{} { c.look(); return c.Context.Done() }
func (c *countdown) Err() error            { c.look(); return c.Context.Err() }
