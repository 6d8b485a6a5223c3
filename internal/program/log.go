package program

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
)

func addLogFlag(flags *flag.FlagSet, c *config) {
	flags.Var(&checked{"text", func(s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("must be text or json, not %q", s)
		}
		c.logJSON = s == "json"
		return nil
	}}, "log-format", "`format` of the log on standard error: text, or json for one JSON object in each line")
}

// logger returns the log of the program.
func (c config) logger(w io.Writer) *slog.Logger {
	if c.logJSON {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
