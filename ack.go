package linktrack

import "fmt"

// An Ack says when a visitor is answered whose click is to be recorded.
type Ack int

const (
	// AckStored: when the store has the click, at most [Options.AckTimeout]
	// later, also while the store is slow. While it is known to fail nobody
	// waits: clicks wait in memory. A kill -9 loses nothing that was answered
	// while the store was up.
	AckStored Ack = iota

	// AckJournaled: when [Options.Journal] has the click; it goes on to the
	// store behind the visitor's back. A kill -9 loses nothing, whether the
	// store is up or down. A click that the journal can not take (full, disk
	// error) is recorded as with AckStored.
	AckJournaled

	// AckBuffered: at once. A kill -9 loses the clicks of one
	// [Options.FlushInterval] and of the write under way, or all that waits
	// while the store is down.
	AckBuffered
)

// String returns "stored", "journaled" or "buffered".
func (a Ack) String() string {
	if text, err := a.MarshalText(); err == nil {
		return string(text)
	}
	return fmt.Sprintf("Ack(%d)", int(a))
}

// MarshalText writes an Ack as String does.
func (a Ack) MarshalText() ([]byte, error) {
	switch a {
	case AckStored:
		return []byte("stored"), nil
	case AckJournaled:
		return []byte("journaled"), nil
	case AckBuffered:
		return []byte("buffered"), nil
	}
	return nil, fmt.Errorf("linktrack: there is no Ack %d", int(a))
}

// UnmarshalText reads what MarshalText writes.
func (a *Ack) UnmarshalText(text []byte) error {
	for _, known := range []Ack{AckStored, AckJournaled, AckBuffered} {
		if string(text) == known.String() {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("must be stored, journaled or buffered, not %q", text)
}
