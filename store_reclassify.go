package linktrack

import (
	"context"
	"time"
)

// A Verdict is a later decision about a click in the history.
type Verdict struct {
	Click  ClickRef
	Bot    bool // see [Click].Bot
	Class  ClickClass
	Reason ClickReason
}

// ClickReclassifier is what a [ClickStore] can do in addition: it changes what clicks are
// taken for, and counts them accordingly.
type ClickReclassifier interface {
	// ReclassifyClicks sets the Bot, Class, and Reason of clicks in the history as the
	// verdicts say, and returns how many clicks it has changed.
	//   - In the same step, clicks whose Bot changes move between people and bots in
	//     the counts of their link (People, Unique, and Bots), its hours, and the
	//     roll-ups of its days. Counts and history agree afterwards as they did before.
	//   - Unique and all else of a click stay. So a click counts in Counts.Unique again
	//     when it is taken for a person's again.
	//   - Counts.LastClick and Counts.Used stay.
	//   - An alert is made if people's clicks reach a number, as in ApplyClicks
	//     ([Delta.Alerts]). Alerts that were made stay.
	//   - A click that is not in the history is ignored: it is not known, not applied
	//     yet, or was pruned. A click that is as its verdict says is not changed. So a
	//     second call with the same verdicts changes nothing.
	//   - If there are several verdicts on a click, the last one holds.
	//   - There may be any number of verdicts. The store works in steps of a bounded
	//     size. A step is atomic. If ctx ends or a step fails, the steps until then
	//     stay, and changed has their number of clicks.
	//   - zone is that of ApplyClicks.
	ReclassifyClicks(ctx context.Context, verdicts []Verdict, zone *time.Location) (changed int, err error)
}

// Reclassify decides for a store what verdicts change. clicks are those of the verdicts
// that the history has, each once. It returns the clicks that change, as they are then,
// and what this adds to their links, in the order of Link. zone is the zone of the days.
//
// What a Delta adds may be negative. Its roll-ups are for [Rollup.Merge] into those that
// the store keeps, and not into each other. LastClick is zero, and links whose counts do
// not change have no Delta.
func Reclassify(clicks []Click, verdicts []Verdict, zone *time.Location) (changed []Click, deltas []Delta) {
	last := make(map[ClickRef]*Verdict, len(verdicts))
	for i := range verdicts {
		last[verdicts[i].Click] = &verdicts[i]
	}
	sums := newSums(zone)
	for _, c := range clicks {
		v := last[ClickRef{Link: c.Link, ID: c.ID}]
		if v == nil || c.Bot == v.Bot && c.Class == v.Class && c.Reason == v.Reason {
			continue
		}
		if c.Bot != v.Bot {
			sums.count(&c, -1)
		}
		wasBot := c.Bot
		c.Bot, c.Class, c.Reason = v.Bot, v.Class, v.Reason
		if c.Bot != wasBot {
			sums.count(&c, 1)
		}
		changed = append(changed, c)
	}
	deltas = sums.deltas()
	for i := range deltas {
		deltas[i].LastClick = time.Time{}
	}
	return changed, deltas
}
