package view

import "github.com/linktrackhq/linktrack"

// A Report is the page that shows an owner the report of a link for some days.
type Report struct {
	Link     Link
	From, To string // the first and the last day
	By       []Option
	Presets  []Preset
	Errors   map[string]string // the errors by their field: from, to, by, or "" for an error of no field

	Counts    *Counts // nil if the query is wrong
	Downloads []Download
	Clicks    []Click // the newest first
	Kept      bool    // the list of clicks goes back far enough to have some of these days
	Older     string  // the address of the page with older clicks; "" if there are none
	Newest    string  // the address of the page with the newest clicks; "" if this is it
}

// A Preset is a link to a report of some days.
type Preset struct {
	URL, Text string
	Current   bool // it is the report that is shown
}

// A Download is a file that a report offers.
type Download struct {
	URL, Text string
}

// A Click of the history of a link.
type Click struct {
	linktrack.Click
	When    string // its time
	Kind    string // new, returning, or bot, in words
	Address string // the IP address; "" if it is not kept
}

// Counts are the numbers of a report, for its owner and on a public report.
type Counts struct {
	Days       string // the days of the report, in words
	Totals     []Total
	Counted    bool     // anything was counted
	Chart      *Chart   // nil if nothing was counted
	By         string   // the length of a period, in words: day or hour
	Periods    []Period // all of them; empty if nothing was counted
	Converts   bool     // there are conversions, or the link tracks them
	Breakdowns []Breakdown
}

// A Total is a number with its name.
type Total struct {
	Name, Value string
	Note        string // "" if there is none
}

// A Period is a day or an hour of a report.
type Period struct {
	Name string
	linktrack.Period
}

// A Breakdown splits the clicks of people by a property.
type Breakdown struct {
	Title   string
	Unknown string  // the text for an empty value
	Rows    []Share // the most frequent values
	More    []Share // the other values that have a row of their own
	Other   *Share  // all further values together; nil if there are none
}

// A Share is the number of clicks that have a value.
type Share struct {
	Value   string // "" if it is not known
	Clicks  int64
	Width   int    // of its bar, from 0 to 1000
	Percent string // of all clicks
}

// A Chart shows the clicks of people by period: bars in a view box that is Width
// wide and 1000 high.
type Chart struct {
	Label          string // a description in words
	Width          int
	People, Unique string // the d attributes of the paths of all clicks, and of unique visitors
	Top, Half      string // the labels of the upper end and the middle of the scale
	Ticks          []Tick // below the chart
	Bars           []Bar  // empty if there are too many to be told apart
}

// A Tick is a date below a chart.
type Tick struct {
	X      string // percent of the chart's width
	Anchor string // a value of text-anchor: start, middle, or end
	Text   string
	Inner  bool // neither the first nor the last: a narrow chart has no room for it
}

// A Bar is the place of a period in a chart, and the text that explains it.
type Bar struct {
	X    int // of the left edge, in the view box
	Text string
}
