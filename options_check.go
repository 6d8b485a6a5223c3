package linktrack

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/clientip"
)

// validate checks the options and fills in the defaults. The error is an
// [*InvalidError] that names the option.
func (o *Options) validate() (err error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.TimeZone == nil {
		if o.TimeZone, err = time.LoadLocation("America/Chicago"); err != nil {
			return fmt.Errorf("linktrack: load the service zone: %w", err)
		}
	}
	if n := len(o.TimeZone.String()); n < 1 || n > maxZone {
		return invalid("TimeZone", "must have a name of 1 to %d bytes", maxZone)
	}
	if len(o.Secret) > 0 && len(o.Secret) < 16 {
		return invalid("Secret", "must have at least 16 bytes")
	}
	if err := checkTypes(o.Accounts.Types); err != nil {
		return err
	}
	if o.Visitors.Pages == nil {
		o.Visitors.Pages = plainPages{}
	}
	if o.Privacy, err = o.Privacy.check(); err != nil {
		return err
	}
	if o.Proxies.Trusted, err = networksOf("Proxies.Trusted", o.Proxies.Trusted); err != nil {
		return err
	}
	if err := o.Links.validate(); err != nil {
		return err
	}
	return o.Recording.validate()
}

func (o *LinkOptions) validate() error {
	setDefault(&o.PathLength, 7)
	setDefault(&o.CacheTTL, 5*time.Second)
	if o.PathLength < 5 || o.PathLength > 32 {
		return invalid("Links.PathLength", "must be from 5 to 32")
	}
	if o.CacheTTL < 0 {
		return invalid("Links.CacheTTL", "must not be negative")
	}
	schemes := make([]string, 0, len(o.Schemes)) // the host's slice does not change
	for _, s := range o.Schemes {
		s = strings.ToLower(strings.TrimSuffix(s, ":"))
		if !isScheme(s) || slices.Contains(neverSchemes, s) {
			return invalid("Links.Schemes", "must not have %q", s)
		}
		schemes = append(schemes, s)
	}
	o.Schemes = schemes
	return nil
}

func (o *RecordingOptions) validate() error {
	setDefault(&o.AckTimeout, 2*time.Second)
	setDefault(&o.FlushInterval, 200*time.Millisecond)
	setDefault(&o.MaxPending, 100_000)
	setDefault(&o.MaxPendingBytes, 16<<20)
	setDefault(&o.MaxLogBytes, 1<<30)
	switch {
	case o.Ack < AckStored || o.Ack > AckBuffered:
		return invalid("Recording.Ack", "must be AckStored, AckJournaled or AckBuffered")
	case o.Ack == AckJournaled && o.Journal == nil:
		return invalid("Recording.Journal", "must be set for AckJournaled")
	case o.AckTimeout < 0:
		return invalid("Recording.AckTimeout", "must not be negative")
	case o.FlushInterval < 0:
		return invalid("Recording.FlushInterval", "must not be negative")
	case o.MaxPending < 0:
		return invalid("Recording.MaxPending", "must not be negative")
	case o.MaxPendingBytes < 0:
		return invalid("Recording.MaxPendingBytes", "must not be negative")
	case o.MaxLogBytes < 0:
		return invalid("Recording.MaxLogBytes", "must not be negative")
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// networks returns the trusted networks as package clientip needs them.
func (o ProxyOptions) networks() clientip.Proxies {
	if o.TrustUnixSocket {
		return append([]netip.Prefix{clientip.NoAddress}, o.Trusted...)
	}
	return o.Trusted
}
