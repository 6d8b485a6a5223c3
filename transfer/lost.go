package transfer

import "fmt"

// lost counts the links of a file that have something which is not carried over.
type lost struct {
	found  []string // in the order in which they were found
	counts map[string]int64
}

func (l *lost) add(name string) {
	if l.counts == nil {
		l.counts = map[string]int64{}
	}
	if l.counts[name] == 0 {
		l.found = append(l.found, name)
	}
	l.counts[name]++
}

func (l *lost) notes() []string {
	var notes []string
	for i, name := range l.found {
		if i == maxNotes {
			return append(notes, fmt.Sprintf("%d more columns are not imported", len(l.found)-maxNotes))
		}
		notes = append(notes, fmt.Sprintf("%s is not imported; the file sets it %s", brief(name), times(l.counts[name])))
	}
	return notes
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
