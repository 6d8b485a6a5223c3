package program

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

func runVersion(_ context.Context, args []string, _ environment, stdout, _ io.Writer) error {
	switch {
	case len(args) > 0 && isHelp(args[0]):
		fmt.Fprintln(stdout, "linktrack version\nPrints the version of linktrack, the commit that it was built from, the version of Go, and the system.")
	case len(args) > 0:
		return refused(fmt.Errorf("takes no arguments, not %q", args[0]))
	default:
		info, ok := debug.ReadBuildInfo()
		if !ok {
			info = new(debug.BuildInfo)
		}
		fmt.Fprint(stdout, versionText(info))
	}
	return nil
}

// versionText describes a build. What the build does not tell is left out.
func versionText(info *debug.BuildInfo) string {
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	text := "linktrack " + cmp.Or(strings.Trim(info.Main.Version, "()"), "of an unknown version") + "\n"
	if revision := settings["vcs.revision"]; revision != "" {
		text += "commit " + revision
		if at := settings["vcs.time"]; at != "" {
			text += " of " + at
		}
		if settings["vcs.modified"] == "true" {
			text += ", with changes that are not committed"
		}
		text += "\n"
	}
	return text + fmt.Sprintf("%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
