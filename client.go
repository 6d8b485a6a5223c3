package linktrack

import (
	"net/http"
	"net/netip"

	"github.com/linktrackhq/linktrack/internal/clientip"
)

// ClientOf returns the client of a request for [Tracker.Authenticate]: its address
// (see [ProxyOptions]), or of IPv6 the /64, which one customer has.
func (t *Tracker) ClientOf(r *http.Request) string {
	t.noteProxy(r)
	if ip := t.proxies.Client(r); ip.IsValid() {
		return clientip.Key(ip)
	}
	return r.RemoteAddr
}

// noteProxy logs once that a request seems to come from a proxy that is not trusted.
func (t *Tracker) noteProxy(r *http.Request) {
	if !t.unnamed.Load() && (len(r.Header["X-Forwarded-For"]) > 0 || len(r.Header["Forwarded"]) > 0) {
		if ip := clientip.Remote(r); !t.proxies.Trust(ip) && t.unnamed.CompareAndSwap(false, true) {
			network, remedy := "a Unix socket", "set Options.Proxies.TrustUnixSocket (of the program: -trusted-proxies unix)"
			if ip.IsValid() {
				network, remedy = clientip.Network(ip).String(), "name its network in Options.Proxies.Trusted (of the program: -trusted-proxies)"
			}
			t.log.Warn("linktrack: a request with X-Forwarded-For or Forwarded came over an untrusted connection, so these headers were ignored. "+
				"If this is your proxy, all its visitors count as one client: "+remedy, "network", network)
		}
	}
}

// networksOf returns the networks of an option in the form that package clientip
// needs.
func networksOf(param string, prefixes []netip.Prefix) ([]netip.Prefix, error) {
	networks, err := clientip.Networks(prefixes)
	if err != nil {
		return nil, invalid(param, "%v", err)
	}
	return networks, nil
}
