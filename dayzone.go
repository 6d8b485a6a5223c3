package linktrack

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const maxZone = 100 // bytes of its name

// A dayZone finds out in which zone the days of a store's roll-ups are. It is
// the service's zone when the first click or conversion is counted, and stays
// that one: a roll-up cannot be moved to another zone's days afterwards.
type dayZone struct {
	store   AccountStore
	service *time.Location
	log     *slog.Logger
	kept    atomic.Pointer[time.Location] // nil: not known yet
}

// keep returns the zone for what is to be counted. If the store has none yet, it
// keeps the service's.
func (z *dayZone) keep(ctx context.Context) (*time.Location, error) {
	return z.ask(ctx, z.service.String())
}

// look returns the zone for what is to be read: the service's, as long as
// nothing is counted.
func (z *dayZone) look(ctx context.Context) (*time.Location, error) {
	return z.ask(ctx, "")
}

func (z *dayZone) ask(ctx context.Context, candidate string) (*time.Location, error) {
	if zone := z.kept.Load(); zone != nil {
		return zone, nil
	}
	name, err := z.store.Zone(ctx, candidate)
	if err != nil {
		return nil, unavailable(err)
	}
	if name == "" {
		return z.service, nil
	}
	zone, said := z.service, ""
	if name != zone.String() {
		if zone, err = time.LoadLocation(name); err != nil || name == "Local" {
			zone, said = z.service, "linktrack: the store counts by the days of a zone that is not known here; they are taken for days of Options.Location"
		} else {
			said = "linktrack: the store counts by the days of another zone than Options.Location; days and hours of reports stay in that zone, all other times are in Options.Location"
		}
	}
	if z.kept.CompareAndSwap(nil, zone) && said != "" {
		z.log.Warn(said, "days", name, "location", z.service.String())
	}
	return z.kept.Load(), nil
}

// DayLocation returns the zone in whose days and hours reports are. It is that
// of [Tracker.Location] as it was when the store counted its first click or
// conversion, and never changes after that, whatever [Options.Location] says
// later: days that were counted in one zone cannot be told in another. The error
// is an [ErrUnavailable].
func (t *Tracker) DayLocation(ctx context.Context) (*time.Location, error) { return t.days.look(ctx) }
