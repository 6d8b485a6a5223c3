package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

var errPrivate = errors.New("the address is not a public one")

// refusePrivate is for [net.Dialer].Control. It gets the address of the
// connection after the look-up of the name.
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

// registries knows the addresses that IANA has reserved.
var registries = ssrf.New()

// isPublic reports whether an address can belong to a host on the internet. If an
// IPv6 address contains an IPv4 address (IPv4-mapped or NAT64), the IPv4 address
// is checked. The registries would refuse all these addresses or, if the prefix
// of NAT64 were allowed, accept every address in it.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if ssrf.IPv6NAT64Prefix.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.IsValid() && registries.SafeAddr(a) == nil
}
