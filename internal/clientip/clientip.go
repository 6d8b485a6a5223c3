// Package clientip finds the address of a request's client, also behind proxies.
package clientip

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
)

// Proxies are the networks of trusted proxies: their X-Forwarded-For and
// Forwarded headers are believed. Addresses of IPv4 are written as such, see
// [Networks].
type Proxies []netip.Prefix

// Client returns the address of the client that sent a request. That is the
// other end of the connection, unless a trusted proxy is there. The zero Addr
// means that it is not known.
//
// A trusted proxy appends the address of its own client to a header. So the
// header is read from the right, up to the first address that is not a trusted
// proxy's. Whatever stands further left may be forged and is ignored. If an
// entry is not an address, the trusted proxy to the right of it is the client,
// as far as can be known.
//
// A proxy adds to one of the two headers and passes the other one on unchanged.
// If both are present and name different clients, one of them may be forged, and
// neither is believed.
func (ps Proxies) Client(r *http.Request) netip.Addr {
	ip := Remote(r)
	if !ps.Trust(ip) {
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

// NoAddress among the Proxies means that connections without an address are
// trusted, which are those over a Unix socket.
var NoAddress netip.Prefix

// Trust reports whether the other end of a connection is a trusted proxy.
func (ps Proxies) Trust(ip netip.Addr) bool {
	if !ip.IsValid() {
		return slices.Contains(ps, NoAddress)
	}
	return Contains(ps, ip)
}

// behind returns the client behind a trusted proxy, as the lines of a header name
// it. The function list splits a line into addresses; the zero Addr stands for an
// entry that is not an address.
func (ps Proxies) behind(proxy netip.Addr, lines []string, list func(string) []netip.Addr) netip.Addr {
	for i := len(lines) - 1; i >= 0; i-- {
		hops := list(lines[i])
		for j := len(hops) - 1; j >= 0; j-- {
			switch {
			case !hops[j].IsValid():
				return proxy
			case !Contains(ps, hops[j]):
				return hops[j]
			}
			proxy = hops[j]
		}
	}
	return proxy
}

// Contains reports whether an address is in one of the networks.
func Contains(networks []netip.Prefix, ip netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// Networks returns the prefixes in the form that [Contains] and [Proxies] need:
// IPv4 networks that are written as IPv6 become IPv4. It fails if one of them is
// not valid.
func Networks(prefixes []netip.Prefix) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if !p.IsValid() {
			return nil, errors.New("has a network that is not valid")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// Remote returns the address of the connection's other end, without zone. The
// zero Addr means that it has none, as over a Unix socket.
func Remote(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr // without a port, as some middlewares write it
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap().WithZone("")
}

// Network returns what may be kept of an address where not all of it may: the /24 of IPv4
// or the /48 of IPv6, in which the other bits are zero, without zone. The zero Addr stays
// as it is.
func Network(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	network, err := ip.Prefix(bits)
	if err != nil { // not known
		return netip.Addr{}
	}
	return network.Addr()
}

// Key returns the text by which a client is throttled: the address, or of IPv6
// the /64, which one customer has.
func Key(ip netip.Addr) string {
	ip = ip.Unmap()
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr().String()
		}
	}
	return ip.String()
}

// KeyOf is [Key] for a client that a host names. A text that is not an address
// is returned as it is.
func KeyOf(client string) string {
	if ip, err := netip.ParseAddr(client); err == nil {
		return Key(ip.WithZone(""))
	}
	return client
}
