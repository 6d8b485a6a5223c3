// Package weburl reads hosts as browsers do: by the URL Standard of the WHATWG
// (https://url.spec.whatwg.org/#host-parsing).
package weburl

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ErrHost is the error of a host that browsers do not take, or that no name
// server can know.
var ErrHost = errors.New("not a host")

const (
	maxName  = 253 // characters of a host name
	maxLabel = 63
	// maxBracketed is above the longest form of an IPv6 address.
	maxBracketed = 64
	// maxWritten is what can be written for a name at most: each of its
	// characters in four bytes, and each byte as a percent escape.
	maxWritten = 3 * utf8.UTFMax * (maxName + 1)
)

// Host returns the form in which hosts are compared. s is what stands in a URL
// between "//" and the port. The form is one of:
//   - a name in ASCII and lower case, IDN as "xn--", without a dot at the end;
//   - an IP address of version 4 in its usual form, however it was written:
//     "10.5", "0xa.0.0.5", "[::ffff:10.0.0.5]";
//   - an IP address of version 6 in its usual form, in brackets.
//
// It is stricter than the standard where name servers are: labels are not empty,
// have at most 63 characters, and only letters, digits, "-" and "_".
func Host(s string) (string, error) {
	if strings.HasPrefix(s, "[") {
		return bracketed(s)
	}
	if len(s) > maxWritten {
		return "", ErrHost
	}
	if strings.IndexByte(s, '%') >= 0 {
		var err error
		if s, err = url.PathUnescape(s); err != nil {
			return "", ErrHost
		}
	}
	s, err := toASCII(s)
	if err != nil {
		return "", err
	}
	s = strings.TrimSuffix(s, ".")
	if endsInNumber(s) {
		addr, err := parseIPv4(s)
		return addr.String(), err
	}
	return s, checkName(s)
}

// IsIP reports whether a host that [Host] returned is an IP address.
func IsIP(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// browserIDNA is what the standard calls domain to ASCII: UTS #46,
// non-transitional, and without the rules for the registration of names.
var browserIDNA = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.BidiRule())

// toASCII bounds what is converted: the time that a conversion takes grows with
// the square of the length.
func toASCII(s string) (string, error) {
	ascii := isASCII(s)
	if ascii && len(s) > maxName+1 || utf8.RuneCountInString(s) > maxName+1 {
		return "", ErrHost
	}
	lower := strings.ToLower(s)
	if ascii && !strings.Contains(lower, "xn--") {
		return lower, nil
	}
	if !utf8.ValidString(s) {
		return "", ErrHost
	}
	name, err := browserIDNA.ToASCII(s)
	if err != nil {
		return "", ErrHost
	}
	return name, nil
}

func checkName(s string) error {
	if len(s) > maxName {
		return ErrHost
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel {
			return ErrHost
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return ErrHost
			}
		}
	}
	return nil
}

// bracketed reads an IPv6 address. One that stands for an address of version 4
// leads to the same place.
func bracketed(s string) (string, error) {
	if len(s) > maxBracketed {
		return "", ErrHost
	}
	inner, ok := strings.CutSuffix(s[1:], "]")
	addr, err := netip.ParseAddr(inner)
	if err != nil || !ok || !addr.Is6() || addr.Zone() != "" {
		return "", ErrHost
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String(), nil
	}
	return "[" + addr.String() + "]", nil
}

// endsInNumber reports whether browsers take the name for an IPv4 address, and
// for none at all if it is not well-formed.
func endsInNumber(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x") // in lower case by now
	if hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// parseIPv4 reads one to four numbers, decimal, hexadecimal or octal. The last
// fills all bytes that the others leave.
func parseIPv4(s string) (netip.Addr, error) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, ErrHost
	}
	var sum uint64
	for i, part := range parts {
		n, ok := parseNumber(part)
		left := 8 * (4 - i) // bits
		if i < len(parts)-1 {
			if n > 255 {
				return netip.Addr{}, ErrHost
			}
			sum |= n << (left - 8)
		} else if n>>left != 0 {
			return netip.Addr{}, ErrHost
		} else {
			sum |= n
		}
		if !ok {
			return netip.Addr{}, ErrHost
		}
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), nil
}

// parseNumber reads a part of an IPv4 address; "0x" is zero.
func parseNumber(s string) (n uint64, ok bool) {
	digits, base := s, 10
	switch {
	case strings.HasPrefix(s, "0x"):
		digits, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		digits, base = s[1:], 8
	}
	if digits == "" {
		return 0, s != ""
	}
	n, err := strconv.ParseUint(digits, base, 64)
	return n, err == nil && digits[0] != '+' // an error and no zero where it overflows
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
