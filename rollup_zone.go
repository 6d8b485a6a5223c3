package linktrack

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const maxZone = 100 // bytes of its name

// A dayZone determines the zone of the days in a store's roll-ups. It is the
// service's zone when the first click or conversion is counted, and does not
// change later: a roll-up cannot be moved to the days of another zone.
type dayZone struct {
	store   AccountStore
	service *time.Location
	log     *slog.Logger
	saved   atomic.Pointer[time.Location] // nil: not known yet
}

// save returns the zone for counting. A store that has none yet saves the service's
// zone.
func (z *dayZone) save(ctx context.Context) (*time.Location, error) {
	return z.ask(ctx, z.service.String())
}

// current returns the zone for reading: the service's zone until something has been
// counted.
func (z *dayZone) current(ctx context.Context) (*time.Location, error) {
	return z.ask(ctx, "")
}

func (z *dayZone) ask(ctx context.Context, candidate string) (*time.Location, error) {
	if zone := z.saved.Load(); zone != nil {
		return zone, nil
	}
	name, err := z.store.Zone(ctx, candidate)
	if err != nil {
		return nil, unavailable(err)
	}
	if name == "" {
		return z.service, nil
	}
	zone, message := z.service, ""
	if name != zone.String() {
		if zone, err = time.LoadLocation(name); err != nil || name == "Local" {
			zone, message = z.service, "linktrack: the time zone in which the store counts days is unknown here; Options.TimeZone is used instead"
		} else {
			message = "linktrack: the time zone in which the store counts days differs from Options.TimeZone; days and hours of reports stay in the store's zone, and all other times are in Options.TimeZone"
		}
	}
	if z.saved.CompareAndSwap(nil, zone) && message != "" {
		z.log.Warn(message, "days", name, "zone", z.service.String())
	}
	return z.saved.Load(), nil
}

// DayTimeZone returns the zone of the days and hours in reports. It is the value
// of [Tracker.TimeZone] when the store counted its first click or conversion. A
// later change of [Options.TimeZone] does not change it, because days that were
// counted in one zone cannot be converted to another. The error is an
// [ErrUnavailable].
func (t *Tracker) DayTimeZone(ctx context.Context) (*time.Location, error) {
	return t.days.current(ctx)
}
