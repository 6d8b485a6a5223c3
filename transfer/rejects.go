package transfer

import (
	"bufio"
	"strings"

	"github.com/linktrackhq/linktrack/internal/csvsafe"
)

// rejects writes the links that are left out to ImportOptions.Rejected. A nil
// *rejects writes nothing.
type rejects struct {
	w     *bufio.Writer
	begun bool
	line  int // of the last link
}

// add writes a link with its problems.
func (r *rejects) add(from source, e entry) error {
	if r == nil || len(e.problems) == 0 || e.second && e.line == r.line { // the row is already written
		return nil
	}
	r.line = e.line
	if !r.begun {
		r.begun = true
		if err := writeRow(r.w, append([]string{problemColumn}, defused(from.header())...)); err != nil {
			return err
		}
	}
	problems := make([]string, len(e.problems))
	for i, p := range e.problems {
		problems[i] = p.String()
	}
	return writeRow(r.w, append([]string{csvsafe.Defuse(strings.Join(problems, "; "))}, defused(e.raw)...))
}

func (r *rejects) flush() error {
	if r == nil {
		return nil
	}
	return r.w.Flush()
}
