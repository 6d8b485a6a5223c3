package useragent

import (
	"bytes"
	"strings"
)

// A Sign is what in a user agent says that it is a bot's.
type Sign int

const (
	None    Sign = iota // it is not a bot's, as far as it says
	Word                // a word of bots
	Address             // the address of a page that explains the bot
	Program             // it begins with the name of a program that no person looks through
)

// botToken looks for what says in a user agent of at most maxRead bytes that it
// is a bot's, and returns the name that it stands in. An address has no name.
func botToken(ua string) (token string, sign Sign) {
	var buf [maxRead]byte
	n := copy(buf[:], ua)
	s := buf[:n]
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			s[i] = c + 'a' - 'A'
		}
	}
	if n == 0 {
		return "", None
	}
	if beginsAsBot(s) {
		return ua[:nameEnd(s, 0)], Program
	}
	device := false // inside a comment that names a phone
	depth := 0
	for i, c := range s {
		switch c {
		case '(':
			if depth++; depth == 1 {
				device = isDevice(s, i)
			}
			continue
		case ')':
			if depth--; depth <= 0 {
				depth, device = 0, false
			}
			continue
		case '[':
			// The Facebook apps name the phone in brackets, key by key.
			if depth == 0 && hasPrefix(s[i+1:], "fb") {
				depth, device = 1, true
			}
			continue
		case ']':
			if device {
				depth, device = 0, false
			}
			continue
		}
		if device && c != '+' || i+1 == len(s) {
			continue
		}
		next := s[i+1]
		for _, word := range byFirst[c] {
			if word[1] != next || !matches(s[i:], word) || word == "bot$" && phoneName(s, i) {
				continue
			}
			if c == '+' {
				return "", Address
			}
			return ua[nameStart(s, i):nameEnd(s, i)], Word
		}
	}
	return "", None
}

// byFirst are the words of anywhere by the byte they begin with.
var byFirst = func() (t [256][]string) {
	for _, w := range anywhere {
		t[w[0]] = append(t[w[0]], w)
	}
	return t
}()

// startsWith are the words of atStart by the byte they begin with.
var startsWith = func() (t [256][]string) {
	for _, w := range atStart {
		t[w[0]] = append(t[w[0]], w)
	}
	return t
}()

func beginsAsBot(s []byte) bool {
	for _, w := range startsWith[s[0]] {
		if whole, must := strings.CutSuffix(w, "$"); must {
			if string(s) == whole {
				return true
			}
			continue
		}
		// The desktop app of WhatsApp puts its name before the browser that
		// it is built from; its link preview is nothing but the name.
		if hasPrefix(s, w) && !(w == "whatsapp/" && bytes.Contains(s, []byte("mozilla/"))) {
			return true
		}
	}
	return false
}

// matches reports whether s begins with the word, see anywhere.
func matches(s []byte, word string) bool {
	if word[len(word)-1] != '$' {
		return hasPrefix(s, word)
	}
	word = word[:len(word)-1]
	return hasPrefix(s, word) && (len(s) == len(word) || !isLetter(s[len(word)]))
}

func hasPrefix(s []byte, prefix string) bool {
	return len(s) >= len(prefix) && string(s[:len(prefix)]) == prefix
}

// phoneName reports whether the "bot" at s[i] is the end of "Cubot", a maker
// of phones, or of the bare word "robot", which products are named with, but
// which is a bot with a version behind it.
func phoneName(s []byte, i int) bool {
	start := i
	for start > 0 && isLetter(s[start-1]) {
		start--
	}
	switch string(s[start : i+3]) {
	case "cubot":
		return true
	case "robot":
		return i+3 == len(s) || s[i+3] != '/'
	}
	return false
}

// isDevice reports whether the comment that opens at s[i] says which phone it
// is, in the makers' own words: "(Linux; Android 9; CUBOT_X19)", or what apps
// put behind their name: "Android (28/9; 480dpi; CUBOT; CUBOT_X19)". Bots that
// dress up as phones say "compatible" or have a comment of their own.
func isDevice(s []byte, i int) bool {
	end, depth := i, 0
	for ; end < len(s); end++ {
		if s[end] == '(' {
			depth++
		} else if s[end] == ')' {
			if depth--; depth == 0 {
				break
			}
		}
	}
	if bytes.Contains(s[i:end], []byte("compatible")) {
		return false
	}
	return bytes.HasSuffix(s[:i], []byte("android ")) || bytes.Contains(s[i:end], []byte("android"))
}

// nameStart and nameEnd find the name around s[i].
func nameStart(s []byte, i int) int {
	for i > 0 && isName(s[i-1]) {
		i--
	}
	return i
}

func nameEnd(s []byte, i int) int {
	for i < len(s) && isName(s[i]) {
		i++
	}
	return i
}

func isName(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
