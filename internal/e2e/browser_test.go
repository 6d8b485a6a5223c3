package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testtool"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

// browse opens a page in a new browser, which stays until the test ends.
// cookies says whether it lets third parties have any.
func browse(t *testing.T, page string, cookies bool) {
	t.Helper()
	program, profile := testtool.Chromium(t), t.TempDir()
	mode := 1 // block those of third parties
	if cookies {
		mode = 0
	}
	preferences := fmt.Sprintf(`{"profile":{"cookie_controls_mode":%d,"block_third_party_cookies":%t}}`, mode, !cookies)
	require.NoError(t, os.Mkdir(filepath.Join(profile, "Default"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--no-first-run", "--ignore-certificate-errors", "--remote-debugging-port=0",
		"--user-agent="+trackertest.Firefox, // its own says that it is headless: a bot
		"--user-data-dir="+profile, page)
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its children, and leaves the profile alone
	var output trackertest.LogBuffer
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the browser says:\n%s", output.String())
		}
	})
}

// A goalWatch sees the reports that reach a Tracker, and whether they bring a
// cookie.
type goalWatch struct {
	next    http.Handler
	reports chan bool // after each has been answered: it had the click in a cookie
}

func (g *goalWatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.next.ServeHTTP(w, r)
	if strings.HasSuffix(r.URL.Path, "c.gif") {
		g.reports <- strings.Contains(r.Header.Get("Cookie"), "linktrack_click")
	}
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// The Tracker is on https://127.0.0.1 and the shop on http://shop.localhost: to
// a browser the one is a third party on the pages of the other. The goal page
// has an older click in its address, as one that was bookmarked may have, and the
// page before it one that somebody made up, half an hour from now.
func TestAShopCountsConversionsInARealBrowser(t *testing.T) {
	const (
		byImage  = `<img src="%[1]s/c.gif?order=42" onload="again()">`
		byScript = `<script src="%[1]s/c.js" data-convert data-order="42" data-value="12.34" data-currency="EUR"></script><script>again()</script>`
		byCall   = `<script src="%[1]s/c.js"></script><script>linktrack("convert", {order: 42, value: "12.34", currency: "EUR"}); again()</script>`
		byName   = `<script src="https://magic.js.localhost:%[2]s/c.js?for=/c.js/shop#c.js" data-convert data-order="42"></script><script>again()</script>`
	)
	for _, c := range []struct {
		name    string
		cookies bool // of third parties
		goal    string
		told    bool // the reports have a cookie
		counted int
	}{
		{"the image counts by its cookie where third parties may have some", true, byImage, true, 1},
		{"the image alone counts nothing where they may not", false, byImage, false, 0},
		{"the script counts where they may not", false, byScript, false, 1},
		{"a call of the script does, too", false, byCall, false, 1},
		{"the script finds the image beside it, whatever else its address has", false, byName, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			testtool.Chromium(t)
			s, tracker := newServer(t, "https", linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true}})
			watch := &goalWatch{next: s.Handler, reports: make(chan bool, 10)}
			tracker.Config.Handler = watch
			var mu sync.Mutex
			var seen []string
			shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				seen = append(seen, r.URL.Path)
				mu.Unlock()
				w.Header().Set("Content-Type", "text/html")
				switch r.URL.Path {
				case "/landing":
					fmt.Fprintf(w, `<!DOCTYPE html><title>Landing</title><script src="%s/c.js"></script><script>location.replace("/offer?lt_click=%s")</script>`, tracker.URL,
						linktrack.ClickRef{Link: 1, ID: linktrack.NewClickID(time.Now().Add(30 * time.Minute))})
				case "/offer":
					fmt.Fprintf(w, `<!DOCTYPE html><title>Offer</title><script src="%s/c.js"></script><script>location.replace("/goal?lt_click=%032d1")</script>`, tracker.URL, 0)
				case "/goal": // and once more
					fmt.Fprintf(w, `<!DOCTYPE html><title>Thank you</title><script>function again() {
						if (!sessionStorage.again) { sessionStorage.again = 1; location.reload() } }</script>`+c.goal+"<!-- %[1]s %[2]s -->", tracker.URL, port(tracker.URL))
				default:
					http.NotFound(w, r)
				}
			}))
			t.Cleanup(shop.Close)
			link := s.MakeConvertibleLink("external_url", "http://shop.localhost:"+port(shop.URL)+"/landing")
			u, err := url.Parse(link)
			require.NoError(t, err)
			require.Equal(t, "127.0.0.1", u.Hostname())

			browse(t, link, c.cookies)
			for i := range 2 {
				select {
				case told := <-watch.reports:
					require.Equal(t, c.told, told, "report %d brings the cookie", i+1)
				case <-time.After(60 * time.Second):
					mu.Lock()
					defer mu.Unlock()
					t.Fatalf("there was no report %d; the shop was asked for %q", i+1, seen)
				}
			}
			l := s.Link(link)
			require.EqualValues(t, 1, l["count_total"])
			require.EqualValues(t, c.counted, l["count_conversion"], "two reports of one order are one conversion")
		})
	}
}
