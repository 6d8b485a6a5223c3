package linktrack

import (
	"strings"
	"unicode"
)

// list reads a list separated by commas, with the quoting of CSV: an item between
// quotation marks may contain commas, and two marks in it mean one. A mark anywhere else is
// a part of its item. White space around items and empty items are ignored. It returns nil
// if the list is absent.
func (p params) list(name string) ([]string, error) {
	rest := p[name]
	if rest == "" {
		return nil, nil
	}
	items := []string{}
	for more := true; more; {
		var item string
		if quoted, ok := strings.CutPrefix(strings.TrimLeftFunc(rest, unicode.IsSpace), `"`); ok {
			if item, rest, ok = unquoteItem(quoted); !ok {
				return nil, invalid(name, "has an unclosed quotation mark")
			}
			var behind string
			if behind, rest, more = strings.Cut(rest, ","); strings.TrimSpace(behind) != "" {
				return nil, invalid(name, "has text after a closing quotation mark")
			}
		} else {
			item, rest, more = strings.Cut(rest, ",")
		}
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		if len(items) == maxItems {
			return nil, invalid(name, "must have at most %d items", maxItems)
		}
		items = append(items, item)
	}
	return items, nil
}

// unquoteItem reads an item up to the closing quotation mark, and returns it with the text
// behind the mark.
func unquoteItem(s string) (item, rest string, ok bool) {
	var b strings.Builder
	for {
		var part string
		if part, s, ok = strings.Cut(s, `"`); !ok {
			return "", "", false
		}
		b.WriteString(part)
		if s == "" || s[0] != '"' {
			return b.String(), s, true
		}
		b.WriteByte('"')
		s = s[1:]
	}
}
