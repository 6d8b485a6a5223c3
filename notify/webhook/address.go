package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

var errPrivate = errors.New("the address is not a public one")

// refusePrivate is a [net.Dialer]'s Control: it sees the address that is about
// to be connected to, after the name was looked up.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errPrivate, err)
	}
	if !isPublic(a.Addr()) {
		return errPrivate
	}
	return nil
}

// registries has the addresses that IANA keeps from common use.
var registries = ssrf.New()

// isPublic reports whether an address can be that of a host on the internet.
// An IPv4 address inside an IPv6 one, IPv4-mapped or of NAT64, is checked
// itself: the registries would refuse all of them, or with NAT64 allowed none.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if ssrf.IPv6NAT64Prefix.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.IsValid() && registries.SafeAddr(a) == nil
}
