package linktrack

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// The binary form of clicks is what a journal and a store's click log hold:
//
//	version 1 byte
//	count   uvarint
//	clicks  one after the other
//
// A click is a byte of flags, its id, a byte each for its class and reason, its link
// as a varint, the address as the flags say, and seven texts, each after its length
// as a uvarint. There is only one way to write a click, and DecodeClicks accepts no
// other. Version 2 had neither class nor reason. Version 1 also had no text for the
// country.
const (
	clicksVersion        = 3
	clicksWithoutClass   = 2 // up to this version
	clicksWithoutCountry = 1
)

const (
	clickUnique = 1 << iota
	clickBot
	clickIPv4
	clickIPv6
	clickZone // after the IPv6 address, as a text
	clickPerson
	clickFlagsEnd
)

// leastClick is the length of the shortest click in any version, in bytes.
const leastClick = 1 + 16 + 1 + 6

var (
	// ErrClicksDamaged is the error of [DecodeClicks] for bytes that are not the
	// binary form of clicks.
	ErrClicksDamaged = errors.New("the binary form of clicks is damaged")

	// ErrClicksVersion is the error of [DecodeClicks] for clicks that a newer
	// version of this package wrote.
	ErrClicksVersion = errors.New("the clicks were written by a newer version")
)

// AppendClicks appends the binary form of clicks to b, for a [Journal] or a
// [Store]. [DecodeClicks] reads it, also in later versions of this package.
func AppendClicks(b []byte, clicks []Click) []byte {
	b = append(b, clicksVersion)
	b = binary.AppendUvarint(b, uint64(len(clicks)))
	for i := range clicks {
		b = appendClick(b, &clicks[i])
	}
	return b
}

// DecodeClicks returns the clicks of a binary form, as AppendClicks made it. The
// texts of the clicks share the memory of s. The errors are [ErrClicksDamaged] and
// [ErrClicksVersion].
func DecodeClicks(s string) ([]Click, error) {
	d := clickDecoder{rest: s}
	version := d.take(1)
	n := d.uvarint()
	switch {
	case !d.bad && version[0] > clicksVersion:
		return nil, ErrClicksVersion
	case d.bad || version[0] == 0 || n > uint64(len(d.rest)/leastClick):
		return nil, ErrClicksDamaged
	}
	clicks := make([]Click, n)
	for i := range clicks {
		if d.click(&clicks[i], version[0]); d.bad {
			return nil, ErrClicksDamaged
		}
	}
	if d.rest != "" {
		return nil, ErrClicksDamaged
	}
	return clicks, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendClick(b []byte, c *Click) []byte {
	at := len(b)
	b = append(b, 0)
	b = append(b, c.ID[:]...)
	b = append(b, byte(c.Class), byte(c.Reason))
	b = binary.AppendVarint(b, c.Link)
	var flags byte
	switch {
	case c.IP.Is4():
		flags = clickIPv4
		a := c.IP.As4()
		b = append(b, a[:]...)
	case c.IP.Is6():
		flags = clickIPv6
		a := c.IP.As16()
		b = append(b, a[:]...)
		if zone := c.IP.Zone(); zone != "" {
			flags |= clickZone
			b = appendText(b, zone)
		}
	}
	if c.Unique {
		flags |= clickUnique
	}
	if c.Bot {
		flags |= clickBot
	}
	if c.Person {
		flags |= clickPerson
	}
	b[at] = flags
	for _, s := range [...]string{c.Referrer, c.ReferrerHost, c.UserAgent, c.Browser, c.Platform, c.Query, c.Country} {
		b = appendText(b, s)
	}
	return b
}

// A clickDecoder reads the binary form of clicks. Once bad is set, it returns
// zero values.
type clickDecoder struct {
	rest string
	bad  bool
}

func (d *clickDecoder) take(n int) string {
	if n > len(d.rest) {
		d.rest, d.bad = "", true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// uvarint reads a number in its shortest form only.
func (d *clickDecoder) uvarint() uint64 {
	var n uint64
	for i := range min(len(d.rest), binary.MaxVarintLen64) {
		b := d.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.bad = d.bad || i > 0 && b == 0 || i == binary.MaxVarintLen64-1 && b > 1
			d.rest = d.rest[i+1:]
			return n
		}
	}
	d.rest, d.bad = "", true
	return 0
}

func (d *clickDecoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.rest, d.bad = "", true
		return ""
	}
	return d.take(int(n))
}

func (d *clickDecoder) click(c *Click, version byte) {
	head := d.take(1 + len(c.ID))
	if d.bad {
		return
	}
	flags := head[0]
	copy(c.ID[:], head[1:])
	if version > clicksWithoutClass {
		class := d.take(2)
		if d.bad {
			return
		}
		c.Class, c.Reason = ClickClass(class[0]), ClickReason(class[1])
	}
	link := d.uvarint()
	c.Link = int64(link>>1) ^ -int64(link&1)
	switch flags & (clickIPv4 | clickIPv6 | clickZone) {
	case 0:
	case clickIPv4:
		var a [4]byte
		copy(a[:], d.take(len(a)))
		c.IP = netip.AddrFrom4(a)
	case clickIPv6:
		var a [16]byte
		copy(a[:], d.take(len(a)))
		c.IP = netip.AddrFrom16(a)
	case clickIPv6 | clickZone:
		var a [16]byte
		copy(a[:], d.take(len(a)))
		zone := d.text()
		d.bad = d.bad || zone == ""
		c.IP = netip.AddrFrom16(a).WithZone(zone)
	default:
		d.bad = true
	}
	d.bad = d.bad || flags >= clickFlagsEnd
	c.Unique = flags&clickUnique != 0
	c.Bot = flags&clickBot != 0
	c.Person = flags&clickPerson != 0
	for _, s := range [...]*string{&c.Referrer, &c.ReferrerHost, &c.UserAgent, &c.Browser, &c.Platform, &c.Query} {
		*s = d.text()
	}
	if version != clicksWithoutCountry {
		c.Country = d.text()
	}
}
