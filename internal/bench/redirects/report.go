package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A report is what was measured with one number of connections.
type report struct {
	command   string
	conns     int
	bench     *bench
	rates     []rateRow
	latency   []latencyRow
	sustained []sustainedRow
	hot       []hotRow
	failed    []string // sentences
}

func (r *report) print(w io.Writer) {
	if len(r.rates) > 0 {
		r.title(w, "Redirects per second", fmt.Sprintf(
			"%d rounds of %v, in each the bare server first. The ratio is the median of the rounds' ratios. The processor times are microseconds per redirect, until its click is counted; medians.", r.bench.rounds, r.bench.round))
		table(w, "server", "least", "median", "most", "ratio to bare", "its range", "goal", "", "CPU of the server", "of the database")
		var bare, bareCPU []float64
		for _, row := range r.rates {
			bare = append(bare, row.bare...)
			bareCPU = append(bareCPU, row.bareCPU...)
		}
		line(w, "bare net/http", whole(slices.Min(bare)), whole(median(bare)), whole(slices.Max(bare)), "1", "", "", "", micros(median(bareCPU)), "")
		for _, row := range r.rates {
			ratios := row.ratios()
			goal, met := "", ""
			if row.goal > 0 {
				goal, met = fmt.Sprintf("≥ %.2f", row.goal), verdict(median(ratios) >= row.goal)
			}
			line(w, row.name, whole(slices.Min(row.own)), whole(median(row.own)), whole(slices.Max(row.own)),
				share(median(ratios)), fmt.Sprintf("%.3f to %.3f", slices.Min(ratios), slices.Max(ratios)), goal, met,
				micros(median(row.serverCPU)), micros(median(row.databaseCPU)))
		}
	}
	if len(r.latency) > 0 {
		r.title(w, "Latency at half the load", fmt.Sprintf(
			"Both servers get half of what the server above takes, by a timetable, in %d rounds of %v in turn; milliseconds, medians of the rounds.", r.bench.rounds, r.bench.round))
		table(w, "server", "requests per second", "bare p50", "p50", "bare p99", "p99", "goal for p99", "", "bare longest", "longest")
		for _, row := range r.latency {
			goal := 2*median(row.bare99) + 0.005
			line(w, row.name, whole(row.rate), ms(median(row.bare50)), ms(median(row.own50)), ms(median(row.bare99)), ms(median(row.own99)),
				"≤ "+ms(goal), verdict(median(row.own99) <= goal), ms(row.bareWorst), ms(row.ownMost))
		}
	}
	if len(r.sustained) > 0 {
		r.title(w, "Sustained load", fmt.Sprintf(
			"%v at a stretch, between two rounds of the bare server. The backlog is what was answered and is not yet counted.", r.bench.sustain))
		table(w, "server", "offered", "per second", "ratio to bare", "goal", "", "backlog at start", "middle", "end", "grows", "p99")
		for _, row := range r.sustained {
			offered := "all it takes"
			if row.offered > 0 {
				offered = whole(row.offered)
			}
			ratio := row.own.PerSecond() / row.bare
			grows := "no"
			if row.grows() {
				grows = "yes"
			}
			line(w, row.name, offered, whole(row.own.PerSecond()), share(ratio), fmt.Sprintf("≥ %.2f", sustainedGoal),
				verdict(ratio >= sustainedGoal && !row.grows()),
				fmt.Sprint(row.backlog[0]), fmt.Sprint(row.backlog[1]), fmt.Sprint(row.backlog[2]), grows,
				ms(row.own.Latency.Quantile(0.99).Seconds()))
		}
	}
	if len(r.hot) > 0 {
		r.title(w, "One hot link", fmt.Sprintf("%d rounds of %v, in each all links first.", r.bench.rounds, r.bench.round))
		table(w, "server", fmt.Sprintf("%d links", len(r.bench.paths)), "one link", "ratio", "its range")
		for _, row := range r.hot {
			ratios := rateRow{own: row.one, bare: row.all}.ratios()
			line(w, row.name, whole(median(row.all)), whole(median(row.one)), share(median(ratios)),
				fmt.Sprintf("%.2f to %.2f", slices.Min(ratios), slices.Max(ratios)))
		}
	}
}

// printFailures says what is missing in the tables, and why.
func (r *report) printFailures(w io.Writer) {
	for _, f := range r.failed {
		fmt.Fprintf(w, "\nFailed: %s\n", f)
	}
}

func (r *report) title(w io.Writer, what, how string) {
	fmt.Fprintf(w, "\n### %s, %d connections\n\n`%s`\n\n%s\n\n", what, r.conns, strings.TrimSpace(r.command), how)
}

func table(w io.Writer, columns ...string) {
	line(w, columns...)
	line(w, append([]string{"---"}, slices.Repeat([]string{"--:"}, len(columns)-1)...)...)
}

func line(w io.Writer, cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }
func share(v float64) string { return fmt.Sprintf("%.3f", v) }
func ms(seconds float64) string {
	return fmt.Sprintf("%.2f", 1000*seconds)
}

func micros(seconds float64) string { return fmt.Sprintf("%.1f", 1e6*seconds) }

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}
