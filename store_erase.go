package linktrack

import (
	"context"
	"net/netip"
)

// VisitorEraser is what a [ClickStore] can do in addition: it removes what is known about
// one visitor, or about all visitors from a network, and leaves the counts.
type VisitorEraser interface {
	// EraseVisitor erases the visitor from the clicks whose IP the prefix contains, on
	// the links that the account has now. It returns the number of these clicks.
	//   - Erased: their IP, UserAgent, Referrer and Query, and what was derived from
	//     these: ReferrerHost, Browser, Platform and Country.
	//   - Kept: the clicks themselves with ID, Unique, Bot, Class and Reason, all
	//     counts, roll-ups, alerts and conversions. LinkByClick finds the clicks.
	//   - The prefix is compared with addresses as they are kept, see [Privacy.IP]:
	//     with KeepIPNetwork, that is the whole network of a visitor, and a longer
	//     prefix than that may contain none. Its bits after its length are ignored. A
	//     prefix of IPv4 contains no IPv6 address, and the reverse. A prefix that is
	//     not valid is an error.
	//   - Clicks that are still in the click log are not erased: call ApplyClicks
	//     before. A click that is applied during the call may be missed.
	//   - It works in steps, and what was erased stays erased, whatever happens. With
	//     an error it returns the number of clicks that it knows to be erased. Another
	//     call erases the rest. As an erased click has no address, it is found and
	//     counted once, however many callers and processes there are.
	//   - An account that does not exist has no clicks: 0 and no error.
	//   - Other clicks keep their texts, also those that are equal to erased ones. A
	//     store may keep a text apart from the clicks, without any trace of who sent
	//     it, until the clicks of its day are pruned.
	EraseVisitor(ctx context.Context, account AccountID, prefix netip.Prefix) (clicks int64, err error)
}
