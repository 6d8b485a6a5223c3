package linktrack

import (
	"context"
	"sync"
	"time"
)

// LastDay returns, for each of the links, what it counted in each hour of those
// that [Counts] has in Day: the one that it was 24 hours ago, up to this one.
// The links are the account's, as [Tracker.Links] returned them; one that has 0
// in Counts.Day, or is another account's, has nil. Each other one costs one read
// of roll-ups. The error is an [ErrUnavailable].
func (t *Tracker) LastDay(ctx context.Context, a Account, links []Link) ([][]Period, error) {
	if err := a.refuseAnonymous(); err != nil {
		return nil, err
	}
	at := now()
	hours := make([][]Period, len(links))
	errs := make(chan error, len(links))
	free := make(chan struct{}, maxLastDay)
	var reads sync.WaitGroup
	for i, l := range links {
		if l.Counts.Day == 0 || l.Account != a.ID {
			continue
		}
		free <- struct{}{}
		reads.Go(func() {
			defer func() { <-free }()
			var err error
			if hours[i], err = t.lastDay(ctx, l, at); err != nil {
				errs <- err
			}
		})
	}
	reads.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
		return hours, nil
	}
}

const maxLastDay = 4 // reads at a time, so that one list leaves the store to others

func (t *Tracker) lastDay(ctx context.Context, l Link, at time.Time) ([]Period, error) {
	since := daySince(at)
	zone, err := t.days.current(ctx)
	if err != nil {
		return nil, err
	}
	r, err := t.report(ctx, l, ReportQuery{From: DayOf(since.In(zone)), To: DayOf(at.In(zone)), By: ByHour}, zone)
	if err != nil {
		return nil, err
	}
	hours := r.Periods
	for len(hours) > 1 && !hours[1].Start.After(since) {
		hours = hours[1:]
	}
	for len(hours) > 1 && hours[len(hours)-1].Start.After(at) {
		hours = hours[:len(hours)-1]
	}
	return hours, nil
}
