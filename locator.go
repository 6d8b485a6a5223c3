package linktrack

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
)

// A Locator says in which country an address is. It is asked for each click,
// mostly behind the redirect, sometimes before it: it must be fast and local.
// It must be safe for concurrent use. Package geo has one.
type Locator interface {
	// Locate returns the country's two letters (ISO 3166-1 alpha-2), or "" if
	// it is not known.
	Locate(ip netip.Addr) (country string)
}

// A guardedLocator asks a host's Locator, and takes no harm from it.
type guardedLocator struct {
	Locator  // nil: nothing is known
	log      *slog.Logger
	panicked atomic.Bool
}

// locate returns two upper-case letters or "".
func (g *guardedLocator) locate(ip netip.Addr) (country string) {
	if g.Locator == nil || !ip.IsValid() {
		return ""
	}
	defer func() {
		if p := recover(); p != nil {
			country = ""
			if !g.panicked.Swap(true) {
				g.log.Error("linktrack: the Locator panics; where it does, the country is not known", "panic", p)
			}
		}
	}()
	country = g.Locate(ip.Unmap().WithZone(""))
	if len(country) != 2 {
		return ""
	}
	b := [2]byte{country[0] &^ 0x20, country[1] &^ 0x20}
	for _, letter := range b {
		if letter < 'A' || letter > 'Z' {
			return ""
		}
	}
	return string(b[:])
}
