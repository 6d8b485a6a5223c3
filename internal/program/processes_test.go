package program

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"

// A process is one of several on the same database.
type process struct {
	t    *testing.T
	base string // where it listens
}

// startTwo starts two processes on one empty database at the same time, so that both
// make its schema.
func startTwo(t *testing.T) [2]process {
	t.Helper()
	env := []string{"LINKTRACK_MYSQL=" + testmysql.DSN(t), "LINKTRACK_PASS=0123456789abcdef"}
	bin := testprogram.Build(t, programFolder)
	var programs [2]*testprogram.Program
	for i := range programs {
		programs[i] = start(t, bin, env, "-addr", "127.0.0.1:0", "-base-url", "http://go.example.com")
	}
	var processes [2]process
	for i, p := range programs {
		address, _ := request(t, p.Line(t, "  curl "))
		base, _, _ := strings.Cut(address, "/api/")
		processes[i] = process{t, base}
	}
	t.Cleanup(func() {
		for _, p := range programs {
			if status := p.Stop(t); status != 0 {
				t.Errorf("exit status after SIGTERM = %d", status)
			}
		}
	})
	return processes
}

// call makes an API call and returns the answer.
func (p process) call(name string, pairs ...string) (status int, body string) {
	form := url.Values{"login": {"linktrack"}, "pass": {"0123456789abcdef"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.PostForm(p.base+"/api/v1_0/"+name, form)
	if err != nil {
		p.t.Error(err)
		return 0, ""
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	return r.StatusCode, string(b)
}

func (p process) makeLink(pairs ...string) {
	p.t.Helper()
	if status, body := p.call("makeLink", append(pairs, "external_url", "https://example.com/")...); status != http.StatusCreated {
		p.t.Fatalf("makeLink = %d %s", status, body)
	}
}

type counts struct {
	IsActive int `json:"is_active"`
	Total    int `json:"count_total"`
	Unique   int `json:"count_unique"`
}

func (p process) counts(path string) counts {
	p.t.Helper()
	var answer struct{ Link counts }
	status, body := p.call("getLink", "redirect_hash", path, "format", "json")
	if err := json.Unmarshal([]byte(body), &answer); status != http.StatusOK || err != nil {
		p.t.Fatalf("getLink = %d %s", status, body)
	}
	return answer.Link
}

// click follows a link as a person with that cookie, and returns the status and the
// new cookie.
func (p process) click(path, cookie string) (status int, newCookie string) {
	r, err := http.NewRequest(http.MethodGet, p.base+"/"+path, nil)
	if err != nil {
		p.t.Error(err)
		return 0, ""
	}
	r.Header.Set("User-Agent", firefox)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.t.Error(err)
		return 0, ""
	}
	answer.Body.Close()
	for _, c := range answer.Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	return answer.StatusCode, cookie
}

// atOnce runs f 24 times at the same time, and counts its results.
func atOnce(f func(i int) []int) map[int]int {
	var group sync.WaitGroup
	var mu sync.Mutex
	start := make(chan struct{})
	sums := map[int]int{}
	for i := range 24 {
		group.Go(func() {
			<-start
			results := f(i)
			mu.Lock()
			defer mu.Unlock()
			for _, r := range results {
				sums[r]++
			}
		})
	}
	close(start)
	group.Wait()
	return sums
}

func TestTwoProcessesLetExactlyAsManyThroughAsALinkAllows(t *testing.T) {
	processes := startTwo(t)
	processes[0].makeLink("vanity_link", "tickets", "deactivate_at", "100")
	statuses := atOnce(func(i int) (statuses []int) {
		for n := range 20 {
			status, _ := processes[(i+n)%2].click("tickets", "")
			statuses = append(statuses, status)
		}
		return statuses
	})
	if statuses[302] != 100 || statuses[410] != 380 {
		t.Errorf("480 clicks of a link for 100 people were answered %v", statuses)
	}
	for i, p := range processes {
		waitFor(t, counts{IsActive: 0, Total: 100, Unique: 100}, func() counts { return p.counts("tickets") })
		if status, _ := p.click("tickets", ""); status != http.StatusGone {
			t.Errorf("process %d answers one more click with %d", i, status)
		}
	}
}

func TestTwoProcessesGiveAVanityLinkOnce(t *testing.T) {
	processes := startTwo(t)
	for round := range 10 {
		statuses := atOnce(func(i int) []int {
			name := fmt.Sprintf("%s_%d", []string{"name", "Name", "NAME"}[i%3], round)
			status, _ := processes[i%2].call("makeLink", "external_url", "https://example.com/", "vanity_link", name)
			return []int{status}
		})
		if statuses[201] != 1 || statuses[409] != 23 {
			t.Errorf("24 calls for one vanity link were answered %v", statuses)
		}
	}
}

func TestAVisitorOfOneProcessIsKnownToTheOther(t *testing.T) {
	processes := startTwo(t)
	processes[0].makeLink("vanity_link", "spring")
	cookie := ""
	for n := range 4 {
		status, next := processes[n%2].click("spring", cookie)
		if status != http.StatusFound || next == "" {
			t.Fatalf("click %d = %d, cookie %q", n, status, next)
		}
		cookie = next
	}
	waitFor(t, counts{IsActive: 1, Total: 4, Unique: 1}, func() counts { return processes[1].counts("spring") })
	processes[1].click("spring", "linktrack_visit=forged")
	waitFor(t, counts{IsActive: 1, Total: 5, Unique: 2}, func() counts { return processes[0].counts("spring") })
}

// waitFor repeats a call until it returns the wanted answer: if the database is slow,
// a click may be stored a moment after its redirect.
func waitFor(t *testing.T, want counts, ask func() counts) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	got := ask()
	for got != want && time.Now().Before(deadline) {
		got = ask()
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
