package clientip

import (
	"net/netip"
	"strings"
)

// addressList reads a line of X-Forwarded-For.
func addressList(line string) (hops []netip.Addr) {
	for item := range strings.SplitSeq(line, ",") {
		if item = strings.Trim(item, " \t"); item != "" {
			hops = append(hops, hop(item))
		}
	}
	return hops
}

// forwardedList reads a line of Forwarded (RFC 7239). An element that names no
// address, such as "unknown" or "_hidden", is the zero Addr. So is a whole line
// that is not well-formed, because a client may leave a quote open that swallows
// what proxies add behind it.
func forwardedList(line string) (hops []netip.Addr) {
	for line = skipSpace(line); line != ""; line = skipSpace(line) {
		if line[0] == ',' {
			line = line[1:]
			continue
		}
		node, rest, ok := forwardedElement(line)
		if !ok {
			return []netip.Addr{{}}
		}
		hops = append(hops, hop(node))
		line = rest
	}
	return hops
}

// forwardedElement reads pairs up to a comma or the end, and returns the value
// of "for", "" if there is none.
func forwardedElement(line string) (node, rest string, ok bool) {
	seen := false
	for {
		name, value, found := strings.Cut(line, "=")
		if name = strings.Trim(name, " \t"); !found || !isHeaderToken(name) {
			return "", "", false
		}
		if value, line, ok = forwardedValue(value); !ok {
			return "", "", false
		}
		if strings.EqualFold(name, "for") {
			if seen {
				return "", "", false
			}
			node, seen = value, true
		}
		if line = skipSpace(line); line == "" || line[0] == ',' {
			return node, line, true
		}
		if line[0] != ';' {
			return "", "", false
		}
		if line = skipSpace(line[1:]); line == "" || line[0] == ',' { // a semicolon too many
			return node, line, true
		}
	}
}

// forwardedValue reads a value, in quotes or not. Some proxies leave the quotes
// out where the RFC wants them, about a port or brackets.
func forwardedValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := strings.IndexAny(s, " \t,;\"")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0 && (end == len(s) || s[end] != '"')
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// hop reads an address as proxies write it: bare, or with a port behind it, one
// of version 6 then in brackets. The zero Addr if it is none.
func hop(s string) netip.Addr {
	host, port := s, ""
	if inside, found := strings.CutPrefix(s, "["); found {
		if host, port, found = strings.Cut(inside, "]"); !found || !strings.Contains(host, ":") || port != "" && port[0] != ':' {
			return netip.Addr{}
		}
	} else if i := strings.IndexByte(s, ':'); i >= 0 && i == strings.LastIndexByte(s, ':') {
		host, port = s[:i], s[i:]
	}
	if port != "" && !isHopPort(port[1:]) {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// isHopPort reports whether s is a port number or a name for one (RFC 7239,
// section 6.2).
func isHopPort(s string) bool {
	if name, hidden := strings.CutPrefix(s, "_"); hidden {
		return isHeaderToken(name)
	}
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

func isHeaderToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func skipSpace(s string) string { return strings.TrimLeft(s, " \t") }
