// Package routers shows linktrack below a path of routers that are not the
// standard library's. It is a module of its own, so that linktrack does not
// depend on them.
package routers

import (
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestRoutersFollowTheirLinks(t *testing.T) {
	for _, dir := range []string{"chi", "gin", "echo"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			testprogram.CheckExample(t, dir)
		})
	}
}
