// Package promstats exports the Stats of a Tracker to Prometheus, and measures what it
// does: [New] is a collector of the Stats, and an [Observer] of times and outcomes.
package promstats

import (
	"cmp"
	"runtime/debug"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/linktrackhq/linktrack"
)

// New returns a collector of t's Stats, and of linktrack_build_info, which is always 1 and
// has the version of linktrack and of Go as labels. Register it:
//
//	prometheus.MustRegister(promstats.New(t))
//
// The names of its metrics begin with "linktrack_". To register the collectors of
// two Trackers in one registry, give them different labels with
// prometheus.WrapRegistererWith.
func New(t *linktrack.Tracker) prometheus.Collector { return collector{t} }

type collector struct{ tracker *linktrack.Tracker }

type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(linktrack.Stats) float64
}

func gauge(name, help string, value func(linktrack.Stats) float64) metric {
	return metric{prometheus.NewDesc("linktrack_"+name, help, nil, nil), prometheus.GaugeValue, value}
}

func counter(name, help string, value func(linktrack.Stats) float64) metric {
	return metric{prometheus.NewDesc("linktrack_"+name+"_total", help, nil, nil), prometheus.CounterValue, value}
}

var metrics = []metric{
	gauge("pending_clicks", "Clicks that wait in memory for the store.",
		func(s linktrack.Stats) float64 { return float64(s.Pending) }),
	gauge("pending_bytes", "Bytes of the clicks that wait in memory for the store.",
		func(s linktrack.Stats) float64 { return float64(s.PendingBytes) }),
	gauge("pending_age_seconds", "Age of the oldest click that waits, in memory or in the journal.",
		func(s linktrack.Stats) float64 { return s.PendingAge.Seconds() }),
	gauge("journal_clicks", "Clicks that wait in the journal for the store.",
		func(s linktrack.Stats) float64 { return float64(s.JournalClicks) }),
	gauge("journal_bytes", "Size of the journal's file.",
		func(s linktrack.Stats) float64 { return float64(s.JournalBytes) }),
	gauge("log_clicks", "Clicks in the store's click log that are not applied yet, of all processes.",
		func(s linktrack.Stats) float64 { return float64(s.LogClicks) }),
	gauge("log_bytes", "Approximate size of the clicks in the store's click log that are not applied yet.",
		func(s linktrack.Stats) float64 { return float64(s.LogBytes) }),
	gauge("log_age_seconds", "Age of the oldest click in the store's click log that is not applied yet.",
		func(s linktrack.Stats) float64 { return s.LogAge.Seconds() }),
	gauge("log_quarantined_clicks", "Clicks in the store's click log that cannot be applied.",
		func(s linktrack.Stats) float64 { return float64(s.LogQuarantined) }),
	gauge("set_aside_clicks", "Clicks that the store rejects.",
		func(s linktrack.Stats) float64 { return float64(s.Quarantined) }),
	gauge("store_failing", "1 if the last attempt to store clicks failed, otherwise 0.",
		func(s linktrack.Stats) float64 {
			if s.Failing {
				return 1
			}
			return 0
		}),
	counter("batches", "Batches of clicks that were stored.",
		func(s linktrack.Stats) float64 { return float64(s.Batches) }),
	counter("retries", "Failed attempts to write clicks to the store or the journal.",
		func(s linktrack.Stats) float64 { return float64(s.Retries) }),
	counter("dropped_clicks", "Clicks that were lost because too many waited, in memory or in the store's click log.",
		func(s linktrack.Stats) float64 { return float64(s.Dropped) }),
	gauge("unseen_clicks", "Clicks that were stored and wait in memory for OnClick.",
		func(s linktrack.Stats) float64 { return float64(s.Unseen) }),
	counter("missed_clicks", "Clicks that were stored and never passed to OnClick, because too many waited.",
		func(s linktrack.Stats) float64 { return float64(s.Missed) }),
	counter("cache_hits", "Visits whose link was in the cache.",
		func(s linktrack.Stats) float64 { return float64(s.CacheHits) }),
	counter("cache_misses", "Visits whose link was looked up in the store.",
		func(s linktrack.Stats) float64 { return float64(s.CacheMisses) }),
	gauge("cache_entries", "Paths in the cache of links, also those without a link.",
		func(s linktrack.Stats) float64 { return float64(s.CacheEntries) }),
}

var (
	clicks = prometheus.NewDesc("linktrack_clicks_total", "Clicks that were stored, by class.", []string{"class"}, nil)
	build  = prometheus.NewDesc("linktrack_build_info", "The versions of linktrack and of Go that the program was built with.", []string{"version", "revision", "goversion"}, nil)
)

// buildInfo returns the versions of a program that has linktrack in it. revision is the
// commit of the program's own repository. What the build does not tell is "unknown".
func buildInfo(info *debug.BuildInfo) (version, revision, goVersion string) {
	const path = "github.com/linktrackhq/linktrack"
	if info.Main.Path == path {
		version = info.Main.Version
	}
	for _, m := range info.Deps {
		if m.Path == path {
			version = m.Version
			if m.Replace != nil {
				version = m.Replace.Version
			}
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return cmp.Or(strings.Trim(version, "()"), "unknown"), cmp.Or(revision, "unknown"), cmp.Or(info.GoVersion, "unknown")
}

// classLabel returns the label of a class: its name, or "none".
func classLabel(class int) string { return cmp.Or(linktrack.ClickClass(class).String(), "none") }

// Describe implements prometheus.Collector.
func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range metrics {
		descs <- m.desc
	}
	descs <- clicks
	descs <- build
}

// Collect implements prometheus.Collector.
func (c collector) Collect(values chan<- prometheus.Metric) {
	s := c.tracker.Stats()
	for _, m := range metrics {
		values <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s))
	}
	for class, n := range s.StoredClicks {
		values <- prometheus.MustNewConstMetric(clicks, prometheus.CounterValue, float64(n), classLabel(class))
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	version, revision, goVersion := buildInfo(info)
	values <- prometheus.MustNewConstMetric(build, prometheus.GaugeValue, 1, version, revision, goVersion)
}
