package program

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestAnyoneMakesQuickLinksIfTheProgramIsToldSo(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	status := func(r *http.Response, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r.StatusCode, r.Header.Get("Location")
	}
	for _, path := range []string{"", "/l"} {
		p := start(t, bin, nil, "-addr", "127.0.0.1:0", "-base-url", "http://localhost"+path, "-anonymous-links")
		front := p.Line(t, "anonymous links for anyone: ")
		if !strings.HasSuffix(front, path+"/") {
			t.Errorf("the front page is at %s", front)
		}
		if got, _ := status(browser.Get(front)); got != http.StatusOK {
			t.Errorf("%s: status %d", front, got)
		}
		got, to := status(browser.PostForm(front, url.Values{"external_url": {"https://example.com/"}}))
		if got != http.StatusSeeOther || !strings.HasPrefix(to, path+"/account/quick/localhost/.") {
			t.Errorf("a link that is made: status %d, %s", got, to)
		}
		if got, _ := status(browser.Get(strings.TrimSuffix(front, path+"/") + to)); got != http.StatusOK {
			t.Errorf("%s: status %d", to, got)
		}
		p.Stop(t)
	}
	p := start(t, bin, nil, "-addr", "127.0.0.1:0")
	off := strings.TrimSuffix(p.Line(t, "pages for people: "), "account/")
	if got, to := status(browser.Get(off)); got != http.StatusFound || to != "/account/" {
		t.Errorf("%s without -anonymous-links: status %d, Location %q", off, got, to)
	}
	if got, _ := status(browser.Get(off + "account/quick")); got != http.StatusNotFound {
		t.Errorf("account/quick without -anonymous-links: status %d", got)
	}
	p.Stop(t)
}
