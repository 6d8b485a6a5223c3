package linktrack

import "strings"

const maxSearchWords = 20 // each is compared with every link that is searched

// search is what a store is asked for where a person searches: the same words,
// but of a word that is a tracking URL, with or without its scheme, no more than
// the host and the path, as a link has them.
func (t *Tracker) search(text string) (string, error) {
	words := LinkFilter{Search: text}.Words()
	if len(words) > maxSearchWords {
		return "", invalid("search", "must have at most %d words", maxSearchWords)
	}
	for i, w := range words {
		words[i] = t.searchWord(w)
	}
	return strings.Join(words, " "), nil
}

func (t *Tracker) searchWord(word string) string {
	address := word
	if scheme, rest, ok := strings.Cut(word, "://"); ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		address = rest
	}
	name, path, slash := strings.Cut(address, "/")
	if !slash && address == word {
		return word
	}
	h, ok := t.hosts.find(name)
	if !ok {
		return word
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	if below, ok := h.below("/" + path); ok {
		path = below
	} else if "/"+path == h.prefix {
		path = ""
	}
	if path = strings.TrimRight(path, "/+"); path == "" {
		return h.name
	}
	return h.name + "/" + path
}
