package examples

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestServersFollowTheirLinks(t *testing.T) {
	for _, dir := range []string{"prefix", "middleware"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			testprogram.CheckExample(t, dir)
		})
	}
}

func TestALinkCannotTakeARouteOfTheApplication(t *testing.T) {
	p := testprogram.Start(t, testprogram.Build(t, "middleware"), nil, "-addr", "127.0.0.1:0")
	login, pass, link := p.Line(t, "login:"), p.Line(t, "pass:"), p.Line(t, "link:")
	base := link[:strings.LastIndexByte(link, '/')]
	res, err := http.PostForm(base+"/api/v1_0/makeLink", url.Values{
		"login": {login}, "pass": {pass}, "external_url": {"https://example.com/"}, "vanity_link": {"dashboard"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if want := "Error: not allowed: vanity_link is refused: /dashboard is a path of this site"; res.StatusCode != http.StatusForbidden || string(body) != want {
		t.Errorf("the link was answered %d %q", res.StatusCode, body)
	}
	if status, _, body := testprogram.Get(t, base+"/dashboard"); status != http.StatusOK || body != "the app's dashboard\n" {
		t.Errorf("the application's page was answered %d %q", status, body)
	}
}

func TestInprocessTellsOfItsClick(t *testing.T) {
	p := testprogram.Start(t, testprogram.Build(t, "inprocess"), nil)
	if status := p.Wait(t); status != 0 {
		t.Errorf("exit status = %d", status)
	}
	for _, want := range []string{
		"link: https://go.example.com/spring_sale\n",
		"leads to: https://example.com/spring\n",
		"click: 203.0.113.0 news.example Firefox Linux new visitor: true\n",
	} {
		if !strings.Contains(p.Stdout(), want) {
			t.Errorf("the output lacks %q:\n%s", want, p.Stdout())
		}
	}
}
