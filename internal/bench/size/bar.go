package main

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

// A bar shows how far something is.
type bar struct {
	what  string
	total int64
	done  atomic.Int64
	start time.Time
	stop  chan struct{}
	ended chan struct{}
}

// startBar draws on w until end is called.
func startBar(w io.Writer, what string, total int64) *bar {
	b := &bar{what: what, total: total, start: time.Now(), stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(b.ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprint(w, "\r"+b.String())
			case <-b.stop:
				fmt.Fprintln(w, "\r"+b.String())
				return
			}
		}
	}()
	return b
}

func (b *bar) add(n int) { b.done.Add(int64(n)) }

func (b *bar) end() {
	close(b.stop)
	<-b.ended
}

func (b *bar) String() string {
	const width = 30
	done := b.done.Load()
	share := float64(done) / float64(max(b.total, 1))
	full := min(int(share*width), width)
	elapsed := time.Since(b.start)
	rest := "    "
	if done > 0 && done < b.total {
		rest = (time.Duration(float64(elapsed)/share) - elapsed).Round(time.Second).String() + " left"
	}
	return fmt.Sprintf("%-7s [%s%s] %3.0f %%  %d of %d, %.0f/s, %s  ", b.what,
		strings.Repeat("#", full), strings.Repeat(".", width-full), 100*share, done, b.total,
		float64(done)/elapsed.Seconds(), rest)
}
