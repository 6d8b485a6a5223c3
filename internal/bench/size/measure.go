package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// An api is the whole of linktrack over one database, but for the network.
type api struct {
	handler http.Handler
	links   int
	clicks  int64
	hot     string // the path of the link with the most clicks
	random  *rand.Rand
	close   func() error
}

func openAPI(ctx context.Context, at place) (*api, error) {
	store, err := at.open()
	if err != nil {
		return nil, err
	}
	t, err := linktrack.New(store, linktrack.Options{BaseURL: "http://" + host})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	a := &api{handler: t.Handler(), random: rand.New(rand.NewPCG(1, 1))}
	a.close = func() error { return errors.Join(t.Close(ctx), store.Close()) }
	db, err := at.sql()
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT COUNT(*), SUM(total) + SUM(bots) FROM lt_count`).Scan(&a.links, &a.clicks)
		err = errors.Join(err, db.Close())
	}
	if err == nil {
		var answer answer
		answer, _, err = a.call(ctx, "getLinks", "sort", "lc.count_total", "limit", "1")
		if err == nil && len(answer.Links) == 1 {
			a.hot = answer.Links[0].RedirectHash
		}
	}
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// An answer is what the measurements need of the calls' answers.
type answer struct {
	Link  json.RawMessage `json:"link"`
	Links []struct {
		RedirectHash string `json:"redirect_hash"`
	} `json:"links"`
	History []struct {
		ID string `json:"id"`
	} `json:"history"`
}

// items is how many links or clicks there are.
func (a answer) items() int { return len(a.Links) + len(a.History) + min(len(a.Link), 1) }

// page is a ResponseWriter that keeps what it gets.
type page struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) WriteHeader(status int)      { p.status = status }
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }

// call makes a call of the API and says how long it took.
func (a *api) call(ctx context.Context, name string, params ...string) (answer answer, took time.Duration, err error) {
	q := url.Values{"login": {login}, "pass": {pass}, "format": {"json"}}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/api/v1_0/"+name+"?"+q.Encode(), nil)
	if err != nil {
		return answer, 0, err
	}
	r.RemoteAddr = "127.0.0.1:1024"
	p := &page{header: make(http.Header)}
	begin := time.Now()
	a.handler.ServeHTTP(p, r)
	took = time.Since(begin)
	if p.status != http.StatusOK {
		return answer, took, fmt.Errorf("%s was answered %d %s", name, p.status, p.body.String())
	}
	return answer, took, json.Unmarshal(p.body.Bytes(), &answer)
}

// visit follows the hot link and others. Their clicks are in the log then.
func (a *api) visit(ctx context.Context, visits int) error {
	for i := range visits {
		path := a.hot
		if i > 0 {
			path = pathOf(a.random.IntN(a.links))
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/"+path, nil)
		if err != nil {
			return err
		}
		r.RemoteAddr = "127.0.0.1:1024"
		p := &page{header: make(http.Header)}
		a.handler.ServeHTTP(p, r)
		if p.status != http.StatusFound {
			return fmt.Errorf("the visit of %s was answered %d", path, p.status)
		}
	}
	return nil
}

// A question is one call to measure. ask makes it once; pages go on from
// where the last one ended.
type question struct {
	name string
	ask  func(context.Context, *api) (time.Duration, error)
}

const (
	goal      = 10 * time.Millisecond
	goalRatio = 1.5 // to the smaller size
)

func questions() (all []question) {
	month := time.Now().AddDate(0, 0, -29).Format(time.DateOnly)
	newest := func(params ...string) func(context.Context, *api) (time.Duration, error) {
		return func(ctx context.Context, a *api) (time.Duration, error) {
			_, took, err := a.call(ctx, "getLinkHistory", append(params[:len(params):len(params)], "redirect_hash", a.hot)...)
			return took, err
		}
	}
	// At most 100, for at the smaller size today may not have more.
	all = append(all, question{name: "history of the hot link, today's newest 100", ask: newest()})
	for _, limit := range []int{100, 1000} {
		all = append(all,
			question{name: fmt.Sprintf("history of the hot link, the month's newest %d", limit), ask: newest("start_date", month, "limit", strconv.Itoa(limit))},
			question{name: fmt.Sprintf("history of the hot link, the next %d before", limit), ask: before(limit, month)})
	}
	all = append(all,
		question{"report, 30 days by day", report("by", "day")},
		question{"report by hour", report("by", "hour", "from", month)})
	all = append(all, question{name: "getLink", ask: func(ctx context.Context, a *api) (time.Duration, error) {
		_, took, err := a.call(ctx, "getLink", "redirect_hash", pathOf(a.random.IntN(a.links)))
		return took, err
	}})
	for _, sort := range []linktrack.Sort{
		linktrack.SortCreated, linktrack.SortPath, linktrack.SortExternalURL, linktrack.SortTitle,
		linktrack.SortGroup, linktrack.SortTotal, linktrack.SortLastClick, linktrack.SortDay,
	} {
		for _, order := range []string{"asc", "desc"} {
			all = append(all, question{name: fmt.Sprintf("getLinks, %s %s, 100", sort, order), ask: func(ctx context.Context, a *api) (time.Duration, error) {
				answer, took, err := a.call(ctx, "getLinks", "sort", string(sort), "order", order, "limit", "100")
				if err == nil && answer.items() != min(100, a.links) {
					err = fmt.Errorf("getLinks by %s has %d links", sort, answer.items())
				}
				return took, err
			}})
		}
	}
	return all
}

// report asks for a report on the hot link.
func report(params ...string) func(context.Context, *api) (time.Duration, error) {
	return func(ctx context.Context, a *api) (time.Duration, error) {
		_, took, err := a.call(ctx, "getReport", append(params[:len(params):len(params)], "redirect_hash", a.hot)...)
		return took, err
	}
}

// before pages through the history, from the newest on.
func before(limit int, month string) func(context.Context, *api) (time.Duration, error) {
	last := map[*api]string{} // ids
	return func(ctx context.Context, a *api) (time.Duration, error) {
		params := []string{"redirect_hash", a.hot, "start_date", month, "limit", strconv.Itoa(limit)}
		if last[a] != "" {
			params = append(params, "before", last[a])
		}
		answer, took, err := a.call(ctx, "getLinkHistory", params...)
		last[a] = ""
		if n := len(answer.History); n == limit {
			last[a] = answer.History[n-1].ID
		}
		return took, err
	}
}

// measure prints how long calls take at the full and, if it is given, at the
// smaller size, asked in turns.
func measure(ctx context.Context, at place, smaller string, times, visits int) (err error) {
	full, err := openAPI(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, full.close()) }()
	small := full
	if smaller != "" {
		if small, err = openAPI(ctx, placeOf(smaller, at)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, small.close()) }()
	}
	fmt.Printf("\n### Calls at size\n\n`scripts/bench-size %s`\n\nMedians of %d calls in milliseconds, the whole call but for the network. "+
		"Right before each call, %d links are visited, and the call applies these clicks first. "+
		"Goals: at most %d ms, and at most %.1f times of what it takes at the smaller size.\n\n",
		strings.Join(os.Args[1:], " "), times, visits, goal.Milliseconds(), goalRatio)
	fmt.Printf("| call | %s | %s | ratio | goals |\n| --- | --: | --: | --: | --: |\n", small.about(), full.about())
	for _, q := range questions() {
		var atSmall, atFull []time.Duration
		for i := range times + 2 { // two for warming up
			for _, side := range []struct {
				api  *api
				took *[]time.Duration
			}{{small, &atSmall}, {full, &atFull}} {
				if err := side.api.visit(ctx, visits); err != nil {
					return err
				}
				took, err := q.ask(ctx, side.api)
				if err != nil {
					return fmt.Errorf("%s: %w", q.name, err)
				}
				if i >= 2 {
					*side.took = append(*side.took, took)
				}
			}
		}
		s, f := median(atSmall), median(atFull)
		met := "met"
		if f > goal || float64(f) > goalRatio*float64(s) {
			met = "missed"
		}
		fmt.Printf("| %s | %s | %s | %.2f | %s |\n", q.name, ms(s), ms(f), float64(f)/float64(s), met)
	}
	return nil
}

func (a *api) about() string { return fmt.Sprintf("%d links, %d clicks", a.links, a.clicks) }

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return (d[(len(d)-1)/2] + d[len(d)/2]) / 2
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }
