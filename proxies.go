package linktrack

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the networks whose word for who the client is counts, see
// Options.TrustedProxies.
type proxies []netip.Prefix

// client returns the address of who sent a request: of the connection, unless a
// trusted proxy holds its other end. Such a proxy has added whom it speaks for
// to the right of what it was sent, so the list is read from the right: up to
// the first address that is no trusted proxy. What is further left may be made
// up and is not looked at. At something that is no address the last trusted
// proxy is as far as is known.
//
// A proxy adds to one of the headers and passes the other on as it came. If
// both are there and name different clients, one of them may be made up, and
// neither is believed.
func (ps proxies) client(r *http.Request) netip.Addr {
	ip := remoteIP(r)
	if !ps.trust(ip) {
		return ip
	}
	forwardedFor, forwarded := r.Header["X-Forwarded-For"], r.Header["Forwarded"]
	switch {
	case len(forwarded) == 0:
		return ps.behind(ip, forwardedFor, addressList)
	case len(forwardedFor) == 0:
		return ps.behind(ip, forwarded, forwardedList)
	}
	client := ps.behind(ip, forwardedFor, addressList)
	if client != ps.behind(ip, forwarded, forwardedList) {
		return ip
	}
	return client
}

// noAddress among the proxies stands for a connection without an address, see
// Options.TrustUnixSocket.
var noAddress netip.Prefix

// trust reports whether the other end of a connection is a trusted proxy.
func (ps proxies) trust(ip netip.Addr) bool {
	if !ip.IsValid() {
		return slices.Contains(ps, noAddress)
	}
	return contains(ps, ip)
}

// noteProxy logs once what looks like a proxy that was not named.
func (t *Tracker) noteProxy(r *http.Request) {
	if !t.unnamed.Load() && (len(r.Header["X-Forwarded-For"]) > 0 || len(r.Header["Forwarded"]) > 0) {
		if ip := remoteIP(r); !t.proxies.trust(ip) && t.unnamed.CompareAndSwap(false, true) {
			network, remedy := "a Unix socket", "set Options.TrustUnixSocket (of the program: -trusted-proxies unix)"
			if ip.IsValid() {
				network, remedy = truncateIP(ip).String(), "name its network in Options.TrustedProxies (of the program: -trusted-proxies)"
			}
			t.log.Warn("linktrack: a request with X-Forwarded-For or Forwarded came over an untrusted connection, so these headers were ignored. "+
				"If this is your proxy, all its visitors count as one client: "+remedy, "network", network)
		}
	}
}

// behind returns who is behind a trusted proxy by the lines of a header, which
// list splits into addresses; one that is not to be read is the zero Addr.
func (ps proxies) behind(proxy netip.Addr, lines []string, list func(string) []netip.Addr) netip.Addr {
	for i := len(lines) - 1; i >= 0; i-- {
		hops := list(lines[i])
		for j := len(hops) - 1; j >= 0; j-- {
			switch {
			case !hops[j].IsValid():
				return proxy
			case !contains(ps, hops[j]):
				return hops[j]
			}
			proxy = hops[j]
		}
	}
	return proxy
}

// contains reports whether an address is in one of the networks.
func contains(networks []netip.Prefix, ip netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// networks brings prefixes to the form that contains needs: addresses of version
// 4 as such.
func networks(param string, prefixes []netip.Prefix) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if !p.IsValid() {
			return nil, invalid(param, "has a network that is not valid")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

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
// address, as "unknown" or "_hidden", is the zero Addr, and so is a whole line
// that is not well-formed: somebody may have left a quote open for others to
// close.
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
