package memstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// ReclassifyClicks implements [linktrack.ClickReclassifier]. A step has the clicks of one
// link. It does not look at ctx again once it has begun.
func (s *Store) ReclassifyClicks(ctx context.Context, verdicts []linktrack.Verdict, zone *time.Location) (changed int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	byLink := make(map[int64][]linktrack.Verdict)
	for _, v := range verdicts {
		byLink[v.Click.Link] = append(byLink[v.Click.Link], v)
	}
	s.log.applying.Lock()
	defer s.log.applying.Unlock()
	for _, id := range slices.Sorted(maps.Keys(byLink)) {
		if l := s.link(id); l != nil {
			changed += s.reclassify(l, byLink[id], zone)
		}
	}
	return changed, nil
}

func (s *Store) reclassify(l *link, verdicts []linktrack.Verdict, zone *time.Location) (changed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := make(map[linktrack.ClickID]*row, len(verdicts))
	clicks := make([]linktrack.Click, 0, len(verdicts))
	for i := range verdicts {
		id := verdicts[i].Click.ID
		if r := l.history.find(id); r != nil && rows[id] == nil {
			rows[id] = r
			clicks = append(clicks, r.click(l.id))
		}
	}
	now, deltas := linktrack.Reclassify(clicks, verdicts, zone)
	for i := range now {
		r := rows[now[i].ID]
		r.bot, r.class, r.reason = now[i].Bot, now[i].Class, now[i].Reason
	}
	for i := range deltas {
		l.count(&deltas[i], &s.alerts)
		s.sums.add(l.def.Load(), &deltas[i])
	}
	return len(now)
}

// find returns the row with that id, or nil.
func (h *history) find(id linktrack.ClickID) *row {
	p := h.seek(id)
	if p.chunk == len(h.chunks) || h.chunks[p.chunk][p.row].id != id {
		return nil
	}
	return &h.chunks[p.chunk][p.row]
}
