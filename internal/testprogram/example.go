package testprogram

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// CheckExample runs the example in folder dir and holds it to what all servers
// among the examples do: they serve a link and the API below the same base,
// leave other paths to the application, and end well.
func CheckExample(t *testing.T, dir string) {
	p := Start(t, Build(t, dir), nil, "-addr", "127.0.0.1:0")
	login, pass, link := p.Line(t, "login:"), p.Line(t, "pass:"), p.Line(t, "link:")
	base, path := link[:strings.LastIndexByte(link, '/')], link[strings.LastIndexByte(link, '/')+1:]

	if status, location, _ := Get(t, link); status != http.StatusFound || location != "https://example.com/spring" {
		t.Errorf("a click on %s was answered %d with Location %q", link, status, location)
	}
	query := url.Values{"login": {login}, "pass": {pass}, "redirect_hash": {path}, "format": {"json"}}
	if n := CountTotal(t, base+"/api/v1_0/getLink?"+query.Encode()); n != 1 {
		t.Errorf("count_total after one click = %d", n)
	}
	root, _, _ := strings.Cut(strings.TrimPrefix(base, "http://"), "/")
	if status, _, body := Get(t, "http://"+root+"/some/page"); status != http.StatusOK || body != "the app: /some/page\n" {
		t.Errorf("the application's page was answered %d %q", status, body)
	}
	if status := p.Stop(t); status != 0 {
		t.Errorf("exit status after SIGTERM = %d", status)
	}
}

// Get asks for a page as a person's browser does, and follows no redirect.
func Get(t testing.TB, address string) (status int, location, body string) {
	t.Helper()
	return GetHost(t, address, "")
}

// GetHost is Get with another Host header than the address has, if it is not
// empty.
func GetHost(t testing.TB, address, host string) (status int, location, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(b)
}

// CountTotal asks getLink, at an address with all its parameters, for a link's
// clicks.
func CountTotal(t testing.TB, address string) int {
	t.Helper()
	status, _, body := Get(t, address)
	var answer struct {
		Link struct {
			CountTotal int `json:"count_total"`
		} `json:"link"`
	}
	if err := json.Unmarshal([]byte(body), &answer); status != http.StatusOK || err != nil {
		t.Fatalf("getLink was answered %d %q", status, body)
	}
	return answer.Link.CountTotal
}
