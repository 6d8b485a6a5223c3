package linktrack

// A ClickClass says who or what made a click. Whether the click counts as a person's is
// said by [Click].Bot, which a host may decide otherwise ([VisitorOptions.BotsAsPeople]).
//
// Stores keep the number, also one that this version does not know. Numbers do not change.
type ClickClass uint8

const (
	ClickClassNone     ClickClass = iota // not classified: clicks that were recorded before there were classes
	ClickClassPerson                     // a person, as far as is known
	ClickClassBot                        // a program that is none of the following
	ClickClassPreview                    // a program that shows people what is behind a link
	ClickClassScanner                    // a program that looks for dangers behind links, of mail for example
	ClickClassPrefetch                   // a browser that loads a page before its user asks for it
	ClickClassUnknown                    // a person or a program: what is known does not tell
)

var clickClassNames = []string{"", "person", "bot", "preview", "scanner", "prefetch", "unknown"}

// String returns the constant's name in lower case, for example "person"; "" for
// ClickClassNone.
func (c ClickClass) String() string { return nameOf(clickClassNames, c) }

// A ClickReason says why a click has its [ClickClass].
//
// Stores keep the number, also one that this version does not know. Numbers do not change.
type ClickReason uint8

const (
	ClickReasonNone    ClickReason = iota // nothing in particular, or not classified
	ClickReasonWord                       // the user agent has a word by which bots declare themselves
	ClickReasonAddress                    // the user agent has the address of a page that explains the bot
	ClickReasonProgram                    // the user agent begins with the name of a program that no person looks through
	ClickReasonHeader                     // another header of the request
	ClickReasonNetwork                    // the network of the address
	ClickReasonBurst                      // many clicks at a time
	ClickReasonTrap                       // the visitor also followed a link that people do not see
	ClickReasonHost                       // the host of the Tracker decided so
)

var clickReasonNames = []string{"", "word", "address", "program", "header", "network", "burst", "trap", "host"}

// String returns the constant's name in lower case, for example "word"; "" for
// ClickReasonNone.
func (r ClickReason) String() string { return nameOf(clickReasonNames, r) }
