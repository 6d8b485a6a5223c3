package promstats

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/linktrackhq/linktrack"
)

// An Observer measures what a Tracker does. Make one with [NewObserver], set
// [linktrack.Options.Observe] to its Observe, and register it:
//
//	observer := promstats.NewObserver()
//	t, err := linktrack.New(store, linktrack.Options{Observe: observer.Observe})
//	…
//	prometheus.MustRegister(promstats.New(t), observer)
//
// Its metrics are these. The values of their labels come from fixed sets, see
// [linktrack.Observation].
//
//	linktrack_redirects_total{outcome}                        visits to links
//	linktrack_redirect_duration_seconds{outcome}              how long the rule and the recording of the click took
//	linktrack_api_request_duration_seconds{call,status}       requests for calls of the API
//	linktrack_store_call_duration_seconds{method,outcome}     calls of the store; ApplyClicks is the time that the click log took
//
// The last three are histograms, whose _count counts the requests or calls. One Observer
// may observe several Trackers: it adds them up.
type Observer struct {
	redirects       *prometheus.CounterVec
	redirectSeconds *prometheus.HistogramVec
	apiSeconds      *prometheus.HistogramVec
	storeSeconds    *prometheus.HistogramVec
}

// NewObserver returns an Observer that has seen nothing.
func NewObserver() *Observer {
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "linktrack_" + name + "_duration_seconds", Help: help, Buckets: buckets}, labels)
	}
	o := &Observer{
		redirects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linktrack_redirects_total", Help: "Visits to links, by what came of them.",
		}, []string{"outcome"}),
		redirectSeconds: histogram("redirect", "Time that the rule and the recording of the click took, by outcome.",
			[]float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}, "outcome"),
		apiSeconds: histogram("api_request", "Time of requests for calls of the API, by status.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "call", "status"),
		storeSeconds: histogram("store_call", "Time of calls of the store, by outcome.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "method", "outcome"),
	}
	// A counter that begins when the first visit comes would hide that visit from rate().
	for _, outcome := range linktrack.RedirectOutcomes() {
		o.redirects.WithLabelValues(outcome)
	}
	return o
}

// Observe is for [linktrack.Options.Observe].
func (o *Observer) Observe(_ context.Context, ob linktrack.Observation) {
	seconds := ob.Duration.Seconds()
	switch ob.Operation {
	case linktrack.OperationRedirect:
		o.redirects.WithLabelValues(ob.Outcome).Inc()
		o.redirectSeconds.WithLabelValues(ob.Outcome).Observe(seconds)
	case linktrack.OperationAPI:
		o.apiSeconds.WithLabelValues(ob.Name, ob.Outcome).Observe(seconds)
	case linktrack.OperationStore:
		o.storeSeconds.WithLabelValues(ob.Name, ob.Outcome).Observe(seconds)
	}
}

func (o *Observer) collectors() []prometheus.Collector {
	return []prometheus.Collector{o.redirects, o.redirectSeconds, o.apiSeconds, o.storeSeconds}
}

// Describe implements prometheus.Collector.
func (o *Observer) Describe(descs chan<- *prometheus.Desc) {
	for _, c := range o.collectors() {
		c.Describe(descs)
	}
}

// Collect implements prometheus.Collector.
func (o *Observer) Collect(metrics chan<- prometheus.Metric) {
	for _, c := range o.collectors() {
		c.Collect(metrics)
	}
}
