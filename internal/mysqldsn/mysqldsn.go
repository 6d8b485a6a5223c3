// Package mysqldsn reads DSNs of MySQL databases that may name several servers, as in
// user:password@tcp(a:3306,b:3306)/database.
package mysqldsn

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

const defaultPort = "3306"

// Parse reads a DSN as the driver does, except that its address over tcp may be a list. It
// returns the servers in the order of the DSN, and each once. Servers over tcp have a port.
// The Addr of the Config is the list with commas, so that FormatDSN gives a DSN that Parse
// reads. To connect to one server, use the Config of [For].
//
// Errors of the driver come as they are, and may quote parts of the DSN. An error in the list
// is an [AddressError].
func Parse(dsn string) (*mysql.Config, []string, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, nil, err
	}
	if c.Net != "tcp" {
		return c, []string{c.Addr}, nil
	}
	// The driver puts an address that it cannot split into brackets, and adds a port.
	list := c.Addr
	if inner, ok := strings.CutSuffix(list, "]:"+defaultPort); ok && (strings.HasPrefix(inner, "[[") || strings.Contains(inner, ",")) {
		list = inner[1:]
	} else if !strings.Contains(list, ",") {
		return c, []string{list}, nil
	}
	var servers []string
	for i, one := range strings.Split(list, ",") {
		addr, rule := withPort(one)
		if rule != "" {
			return nil, nil, &AddressError{i + 1, rule}
		}
		if !slices.Contains(servers, addr) {
			servers = append(servers, addr)
		}
	}
	c.Addr = strings.Join(servers, ",")
	return c, servers, nil
}

// An AddressError is an error in a list of servers. It does not quote the list.
type AddressError struct {
	Number int    // of the server in the list, from 1
	Rule   string // the end of a sentence that begins with the server
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("server %d of the list %s", e.Number, e.Rule)
}

// withPort returns a server of a list with a port, or the rule that it breaks.
func withPort(one string) (addr, rule string) {
	host, port, err := net.SplitHostPort(one)
	if err != nil {
		name := one
		if inner, ok := strings.CutPrefix(one, "["); ok {
			name, _ = strings.CutSuffix(inner, "]")
		}
		host, port = name, defaultPort
	}
	n, err := strconv.Atoi(port)
	switch {
	case host == "":
		return "", "has no name"
	case strings.ContainsAny(host, "[]()@/ ") || strings.Contains(host, ":") && net.ParseIP(zoneless(host)) == nil:
		return "", "must be host:port, with an IPv6 address in brackets"
	case err != nil || n < 1 || n > 65535:
		return "", "must have a port from 1 to 65535, or none, which is " + defaultPort
	}
	return net.JoinHostPort(host, port), ""
}

func zoneless(host string) string {
	address, _, _ := strings.Cut(host, "%")
	return address
}

// For returns a copy of a Config of [Parse] that connects to one of the servers.
func For(c *mysql.Config, server string) *mysql.Config {
	c = c.Clone()
	c.Addr = server
	if c.TLSConfig != "" {
		c.TLS = nil // the driver makes it again, with the name of this server
	}
	return c
}
