package pages

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// sparkTimeout is how long a list waits for its sparks: it is of use without.
const sparkTimeout = 2 * time.Second

const sparkLeast = 80 // the least height of a bar: it is drawn that small

// addSparks gives each link that was clicked in the last 24 hours its spark. If
// that fails the links have none.
func (p *Pages) addSparks(r *request, rows []view.Link) {
	ctx, cancel := context.WithTimeout(r.Context(), sparkTimeout)
	defer cancel()
	links := make([]linktrack.Link, len(rows))
	for i, row := range rows {
		links[i] = row.Link
	}
	days, err := p.t.LastDay(ctx, r.account, links)
	if err != nil {
		p.note(r, err)
		return
	}
	for i, hours := range days {
		if len(hours) > 0 {
			rows[i].Spark = p.theme.spark(hours)
		}
	}
}

func (t *theme) spark(hours []linktrack.Period) *view.Spark {
	people := make([]int64, len(hours))
	var most int64
	for i, h := range hours {
		people[i] = h.People
		most = max(most, h.People)
	}
	return &view.Spark{
		Label: t.text("link.spark", count(most)),
		Width: len(hours) * barWidth,
		Path:  outline(people, uint64(max(most, 1)), 0, sparkLeast),
	}
}
