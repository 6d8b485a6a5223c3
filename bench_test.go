package linktrack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// discard is a ResponseWriter that costs as little as one can: what is left is
// the handler.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

func (d *discard) reset() {
	clear(d.header)
	d.status = 0
}

func newBenchTracker(b *testing.B, hook func(context.Context, linktrack.Observation)) (*linktrack.Tracker, linktrack.Link) {
	b.Helper()
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com", Observe: hook})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { t.Close(context.Background()) })
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	l, err := t.MakeLink(b.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/a/page?with=a&query=1"}})
	if err != nil {
		b.Fatal(err)
	}
	return t, l
}

// BenchmarkRedirect is the whole handler for one redirect, recording included,
// beside a handler that does nothing but http.Redirect: the floor. "observed" has
// an Options.Observe that does nothing.
func BenchmarkRedirect(b *testing.B) {
	t, l := newBenchTracker(b, nil)
	observed, o := newBenchTracker(b, func(context.Context, linktrack.Observation) {})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, l.ExternalURL, http.StatusFound)
	})
	request := func(target string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, target, nil)
		if err != nil {
			b.Fatal(err)
		}
		r.RemoteAddr = "192.0.2.7:51234"
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
		r.Header.Set("Accept", "text/html,application/xhtml+xml")
		r.Header.Set("Referer", "https://news.example.org/today")
		return r
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
		target  string
	}{{"bare", bare, t.TrackingURL(l)}, {"linktrack", t.Handler(), t.TrackingURL(l)}, {"observed", observed.Handler(), observed.TrackingURL(o)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w, r := &discard{header: make(http.Header)}, request(c.target)
			for b.Loop() {
				w.reset()
				c.handler.ServeHTTP(w, r)
				if w.status != http.StatusFound {
					b.Fatal(w.status)
				}
			}
		})
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{{"bare-parallel", bare}, {"linktrack-parallel", t.Handler()}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32) // visitors at a time for each processor
			b.RunParallel(func(pb *testing.PB) {
				w, r := &discard{header: make(http.Header)}, request(t.TrackingURL(l))
				for pb.Next() {
					w.reset()
					c.handler.ServeHTTP(w, r)
					if w.status != http.StatusFound {
						b.Error(w.status)
						return
					}
				}
			})
		})
	}
}

// BenchmarkFollow is the rule and the recorder without HTTP, on memory, with
// many visitors at a time, on one link and on a thousand.
func BenchmarkFollow(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("links=%d", n), func(b *testing.B) {
			t, _ := newBenchTracker(b, nil)
			paths := make([]string, n)
			for i := range paths {
				l, err := t.MakeLink(b.Context(), linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional},
					linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
				if err != nil {
					b.Fatal(err)
				}
				paths[i] = l.Path
			}
			ip := netip.MustParseAddr("192.0.2.7")
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					out, err := t.Follow(context.Background(), linktrack.Visit{
						Path:      paths[i%n],
						IP:        ip,
						UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
					})
					if err != nil || out.Click.IsZero() {
						b.Error(out, err)
						return
					}
				}
			})
		})
	}
}
