package examples

import (
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
