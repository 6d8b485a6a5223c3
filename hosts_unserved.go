package linktrack

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack/internal/worker"
)

// A hostCheck looks once, when a Tracker begins, for links on hosts that it does
// not serve: after a change of BaseURL, that may be all of them, and visitors get
// nothing but 404.
type hostCheck struct {
	store  HostLister
	hosts  *hosts
	log    *slog.Logger
	worker *worker.Worker
}

const (
	hostCheckTimeout = 10 * time.Second
	hostCheckAgain   = time.Minute // after a failure
	hostCheckLimit   = 1000        // hosts
	hostCheckNames   = 10          // of them in the log
)

// newHostCheck returns a check that has begun, or nil if the store does not list
// its hosts.
func newHostCheck(store Store, hs *hosts, log *slog.Logger) *hostCheck {
	lister, ok := store.(HostLister)
	if !ok {
		return nil
	}
	c := &hostCheck{store: lister, hosts: hs, log: log}
	c.worker = worker.New(worker.Options{}, c.step)
	c.worker.Wake()
	return c
}

// step does not log a failure: whatever else needs the store does.
func (c *hostCheck) step(ctx context.Context) (pause time.Duration, more bool) {
	unserved, err := c.unserved(ctx)
	if err != nil {
		return hostCheckAgain, true
	}
	if len(unserved) > 0 {
		c.log.Warn("linktrack: links on hosts that are not served are not found by visitors; correct BaseURL, or add the hosts to Hosts (of the program: -base-url, -hosts)",
			"hosts", unserved[:min(len(unserved), hostCheckNames)], "count", len(unserved))
	}
	return 0, false
}

func (c *hostCheck) unserved(ctx context.Context) (_ []string, err error) {
	defer caught(&err)
	ctx, cancel := context.WithTimeout(ctx, hostCheckTimeout)
	defer cancel()
	stored, err := c.store.LinkHosts(ctx, hostCheckLimit)
	return slices.DeleteFunc(slices.Clone(stored), func(host string) bool {
		return slices.ContainsFunc(c.hosts.list, func(h *servedHost) bool { return h.name == host })
	}), err
}

// stop gives the check up, if it has not ended.
func (c *hostCheck) stop(ctx context.Context) {
	if c != nil {
		c.worker.Cancel()
		c.worker.Stop(ctx)
	}
}
