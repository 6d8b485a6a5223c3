package pages

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// sparkTimeout limits the time that a list waits for its sparks, because a list
// without them is useful, too.
const sparkTimeout = 2 * time.Second

const minSparkHeight = 80 // of the bar of a value above 0: sparks are drawn small

// addSparks gives each link that was clicked in the last 24 hours its spark. If
// the counts cannot be read, no link gets one.
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
	var highest int64
	for i, h := range hours {
		people[i] = h.People
		highest = max(highest, h.People)
	}
	return &view.Spark{
		Label: t.text("link.spark", count(highest)),
		Width: len(hours) * barWidth,
		Path:  outline(people, uint64(max(highest, 1)), 0, minSparkHeight),
	}
}
