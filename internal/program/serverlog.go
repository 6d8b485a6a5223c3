package program

import (
	"log"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"

	"github.com/linktrackhq/linktrack/internal/clientip"
)

// serverLog returns the log of an http.Server. Of each address in a line, only the network
// is left. Failed handshakes are left out, because any stranger can cause them.
func serverLog(logger *slog.Logger) *log.Logger {
	return log.New(serverLogWriter{logger}, "", 0)
}

type serverLogWriter struct{ log *slog.Logger }

func (w serverLogWriter) Write(line []byte) (int, error) {
	if text := strings.TrimSpace(string(line)); !strings.HasPrefix(text, "http: TLS handshake error ") {
		w.log.Warn(withoutAddresses(text))
	}
	return len(line), nil
}

// What may be an address, of IPv6 and of IPv4, with its zone and port.
var (
	maybeIPv6 = regexp.MustCompile(`\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[\w.-]+)?\]?(:\d+)?`)
	maybeIPv4 = regexp.MustCompile(`\d{1,3}(\.\d{1,3}){3}(:\d+)?`)
)

// withoutAddresses replaces each address and its port by its network.
func withoutAddresses(text string) string {
	return maybeIPv4.ReplaceAllStringFunc(maybeIPv6.ReplaceAllStringFunc(text, shortened), shortened)
}

// shortened does this for a text that may be an address. A colon, a period, or
// brackets around it belong to the sentence.
func shortened(text string) string {
	inner := strings.TrimPrefix(text, ":")
	for _, address := range []string{inner, strings.TrimRight(inner, "."), strings.TrimSuffix(inner, ":"), strings.Trim(inner, "[]")} {
		ip, err := netip.ParseAddr(address)
		if err != nil {
			var withPort netip.AddrPort
			withPort, err = netip.ParseAddrPort(address)
			ip = withPort.Addr()
		}
		if err == nil && !ip.IsUnspecified() {
			return strings.Replace(text, address, clientip.Network(ip).String(), 1)
		}
	}
	return text
}
