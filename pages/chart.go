package pages

import (
	"math"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

const (
	barWidth    = 10
	chartHeight = 1000
	minHeight   = 8   // of the bar of a value above 0
	minBars     = 7   // the chart is at least this many bars wide
	fewBars     = 3   // a chart with at most this many is too narrow for dates at its ends
	maxBars     = 100 // more bars are drawn as one shape
)

// outline returns the path of a bar chart of the values. The first bar begins at
// left, and top is the upper end of the scale. Up to maxBars bars have gaps
// between them; more are one shape. The bar of a value above 0 is at least lowest
// high.
func outline(values []int64, top uint64, left, lowest int) string {
	apart := len(values) <= maxBars
	var b []byte
	if !apart {
		b = append(b, "M0 1000"...)
	}
	for i, v := range values {
		x, height := left+i*barWidth, 0
		if v > 0 {
			height = max(int(math.Round(float64(v)/float64(top)*chartHeight)), lowest)
		}
		switch y := chartHeight - height; {
		case !apart:
			b = append(b, "V"+strconv.Itoa(y)+"H"+strconv.Itoa(x+barWidth)...)
		case height > 0:
			b = append(b, "M"+strconv.Itoa(x+1)+" 1000V"+strconv.Itoa(y)+"h8V1000z"...)
		}
	}
	if !apart {
		b = append(b, "V1000z"...)
	}
	return string(b)
}

// scaleTop returns the upper end of a scale for values up to highest: one digit
// followed by zeros, at least 2. Half of it is a whole number.
func scaleTop(highest int64) uint64 {
	for unit, step := uint64(1), uint64(2); ; unit, step = unit*10, unit*10 {
		for top := 2 * unit; top <= 10*unit; top += step {
			if top >= uint64(max(highest, 0)) {
				return top
			}
		}
	}
}

// short returns a number of a scale as a text: 4 000, 20k, 600M.
func short(n uint64) string {
	unit := 0
	for ; n >= 10_000 && unit < 6; unit++ {
		n /= 1000
	}
	return count(int64(n)) + []string{"", "k", "M", "G", "T", "P", "E"}[unit]
}

// chart draws the periods of a report.
func (t *theme) chart(r linktrack.Report) *view.Chart {
	people, unique := make([]int64, len(r.Periods)), make([]int64, len(r.Periods))
	var highest int64
	for i, p := range r.Periods {
		people[i], unique[i] = p.People, p.Unique
		highest = max(highest, p.People, p.Unique)
	}
	top := scaleTop(highest)
	left := max(minBars-len(people), 0) * barWidth / 2
	c := &view.Chart{
		Label: t.text("report.chart."+string(r.By), r.From, r.To, count(r.Total.People), count(highest)),
		Width: 2*left + len(people)*barWidth,
		Top:   short(top), Half: short(top / 2),
		People: outline(people, top, left, minHeight),
		Unique: outline(unique, top, left, minHeight),
		Ticks:  ticks(r, left),
	}
	if len(people) <= maxBars {
		for i, p := range r.Periods {
			c.Bars = append(c.Bars, view.Bar{X: left + i*barWidth, Text: t.text("report.bar", periodName(r, p), count(p.People), count(p.Unique))})
		}
	}
	return c
}

// periodName returns the name of a period: its start in the report's zone. The
// name of an hour includes the zone's abbreviation, because two hours have the
// same time of day when clocks are set back.
func periodName(r linktrack.Report, p linktrack.Period) string {
	if r.By == linktrack.ByHour {
		return p.Start.In(r.TimeZone).Format("2006-01-02 15:04 MST")
	}
	return p.Start.In(r.TimeZone).Format(time.DateOnly)
}

// ticks returns the dates below a chart whose bars begin at left: those of the
// first period, of the last one, and of a few between them. The latter are Inner:
// a narrow chart has no room for them.
func ticks(r linktrack.Report, left int) []view.Tick {
	layout, n := time.DateOnly, 4
	switch {
	case r.By == linktrack.ByHour && r.From == r.To:
		layout = "15:04"
	case r.By == linktrack.ByHour:
		layout, n = "2006-01-02 15:04", 3
	}
	last := len(r.Periods) - 1
	n = min(n, last+1)
	few := last < fewBars
	all := make([]view.Tick, n)
	for i := range all {
		at, x, anchor := 0, barWidth/2, "middle"
		if n > 1 {
			at = i * last / (n - 1)
		}
		switch {
		case n == 1:
		case i == 0 && few, i == n-1 && !few:
			anchor = "end"
		case i == 0, i == n-1:
			anchor = "start"
		}
		if !few && i == 0 {
			x = 0
		} else if !few && i == n-1 {
			x = barWidth
		}
		all[i] = view.Tick{
			X:      strconv.FormatFloat(float64(left+at*barWidth+x)*100/float64(2*left+(last+1)*barWidth), 'f', 2, 64),
			Anchor: anchor,
			Text:   r.Periods[at].Start.In(r.TimeZone).Format(layout),
			Inner:  i > 0 && i < n-1,
		}
	}
	return all
}
