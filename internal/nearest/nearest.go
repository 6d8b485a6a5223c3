// Package nearest finds the name that somebody most likely meant.
package nearest

import "strings"

// Name returns the one of names that is most like a name, or "" if none is
// similar: more than a third of it would have to change. Of several that are
// equally similar, it is the first. Case does not count.
func Name(name string, names []string) string {
	found, least := "", len(name)/3+2
	for _, candidate := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			found, least = candidate, d
		}
	}
	return found
}

// Suggestion returns the nearest name as the end of an error message:
// ", did you mean links.html?", or "" if none is similar.
func Suggestion(name string, names []string) string {
	if found := Name(name, names); found != "" {
		return ", did you mean " + found + "?"
	}
	return ""
}

// distance is how many bytes must be inserted, deleted, replaced, or swapped
// with the next one to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
