package transfer

import "fmt"

// omitted counts the links of a file that have a value which is not imported.
type omitted struct {
	found  []string // names, in the order in which they were found
	counts map[string]int64
}

func (o *omitted) add(name string) {
	if o.counts == nil {
		o.counts = map[string]int64{}
	}
	if o.counts[name] == 0 {
		o.found = append(o.found, name)
	}
	o.counts[name]++
}

func (o *omitted) notes() []string {
	var notes []string
	for i, name := range o.found {
		if i == maxNotes {
			return append(notes, fmt.Sprintf("%d more columns are not imported", len(o.found)-maxNotes))
		}
		notes = append(notes, fmt.Sprintf("%s is not imported; the file sets it %s", brief(name), times(o.counts[name])))
	}
	return notes
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
