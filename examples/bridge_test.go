package examples

import (
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestBridgePassesItsClicksOn(t *testing.T) {
	p := testprogram.Start(t, testprogram.Build(t, "bridge"), nil)
	if status := p.Wait(t); status != 0 {
		t.Errorf("exit status = %d", status)
	}
	const want = "click: 192.0.2.0 news.example\nclick: 198.51.100.0 news.example\nclick: 203.0.113.0 news.example\n"
	if p.Stdout() != want {
		t.Errorf("the output is\n%s", p.Stdout())
	}
}
