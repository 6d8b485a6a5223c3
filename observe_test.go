package linktrack_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// observations is what a hook was called with.
type observations struct {
	mu  sync.Mutex
	all []linktrack.Observation
	ctx []context.Context
}

func (o *observations) observe(ctx context.Context, ob linktrack.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all, o.ctx = append(o.all, ob), append(o.ctx, ctx)
}

// of returns those of an operation and, unless it is "", a name.
func (o *observations) of(op linktrack.Operation, name string) []linktrack.Observation {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.all), func(ob linktrack.Observation) bool {
		return ob.Operation != op || name != "" && ob.Name != name
	})
}

// each calls f with each of them. No other is added meanwhile.
func (o *observations) each(f func(ctx context.Context, ob linktrack.Observation)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, ob := range o.all {
		f(o.ctx[i], ob)
	}
}

func (o *observations) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all, o.ctx = nil, nil
}

func TestEveryVisitIsObservedWithItsOutcome(t *testing.T) {
	var seen observations
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Observe: seen.observe})
	link := func(pairs ...string) { s.MakeLink(pairs...) }
	link("vanity_link", "open")
	link("vanity_link", "off", "is_active", "0")
	link("vanity_link", "secret", "password", "opensesame")
	link("vanity_link", "limited", "deactivate_at", "1")
	s.AddLink(linktrack.NewLink{VanityLink: "later", LinkSettings: linktrack.LinkSettings{StartsAt: time.Now().Add(48 * time.Hour)}})
	s.AddLink(linktrack.NewLink{VanityLink: "elsewhere", LinkSettings: linktrack.LinkSettings{Disabled: true, FallbackURL: "https://example.com/closed"}})
	password := func(p string) *http.Request {
		return trackertest.Request("POST", "/secret", "password="+p, "Content-Type", "application/x-www-form-urlencoded", "User-Agent", trackertest.Firefox)
	}
	get := func(path string, header ...string) *http.Request {
		return trackertest.Request("GET", path, "", append([]string{"User-Agent", trackertest.Firefox}, header...)...)
	}
	covered := make(map[string]bool)
	for _, c := range []struct {
		name    string
		request *http.Request
		outcome string
		unknown bool // the link is
	}{
		{"a person", get("/open"), "redirected", false},
		{"a bot", get("/open", "User-Agent", trackertest.Googlebot), "redirected", false},
		{"HEAD", trackertest.Request("HEAD", "/open", ""), "uncounted", false},
		{"prefetch", get("/open", "Sec-Purpose", "prefetch"), "uncounted", false},
		{"a link that is switched off", get("/off"), "gone", false},
		{"one that leads elsewhere then", get("/elsewhere"), "fallback", false},
		{"one that begins later", get("/later"), "not_yet", false},
		{"no link", get("/nothing"), "not_found", true},
		{"a form of a password", get("/secret"), "password", false},
		{"a wrong password", password("wrong"), "wrong_password", false},
		{"a right password", password("opensesame"), "redirected", false},
		{"a body that is too large", password(string(make([]byte, 10<<10))), "bad_request", false},
		{"a bot at a limit", get("/limited", "User-Agent", trackertest.Googlebot), "preview", false},
		{"the last person of a limit", get("/limited"), "redirected", false},
		{"one person more", get("/limited"), "gone", false},
		{"a method that no link has", trackertest.Request("DELETE", "/open", ""), "bad_request", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen.clear()
			before := time.Now()
			s.Do(c.request)
			all := seen.of(linktrack.OperationRedirect, "")
			require.Len(t, all, 1)
			ob := all[0]
			assert.Equal(t, c.outcome, ob.Outcome)
			assert.Equal(t, c.unknown, ob.Link == 0)
			assert.False(t, ob.Start.Before(before))
			assert.LessOrEqual(t, ob.Duration, time.Since(before))
			assert.Positive(t, ob.Duration)
			refused := !slices.Contains([]string{"redirected", "uncounted", "fallback", "password", "preview"}, c.outcome)
			assert.Equal(t, refused, ob.Err != nil, "%v", ob.Err)
			covered[c.outcome] = true
		})
	}
	for range 20 {
		s.Do(password("wrong"))
	}
	covered[last(seen.of(linktrack.OperationRedirect, "")).Outcome] = true
	require.NoError(t, s.Tracker.Close(t.Context()))
	s.Do(get("/open"))
	covered[last(seen.of(linktrack.OperationRedirect, "")).Outcome] = true
	covered["failed"] = true // no such error is known
	require.ElementsMatch(t, linktrack.RedirectOutcomes(), slices.Collect(maps.Keys(covered)))
}

func last(all []linktrack.Observation) linktrack.Observation { return all[len(all)-1] }

func TestFollowIsObservedAsARequestIs(t *testing.T) {
	var seen observations
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Observe: seen.observe})
	l := s.AddLink(linktrack.NewLink{VanityLink: "open"})
	for path, outcome := range map[string]string{"open": "redirected", "open+": "not_found", "no path": "not_found", "nothing": "not_found"} {
		seen.clear()
		_, err := s.Tracker.Follow(t.Context(), linktrack.Visit{Path: path})
		all := seen.of(linktrack.OperationRedirect, "")
		require.Len(t, all, 1, path)
		require.Equal(t, outcome, all[0].Outcome, path)
		require.Equal(t, err, all[0].Err, path)
		if err == nil {
			require.Equal(t, l.ID, all[0].Link)
		}
	}
}

func TestRequestsThatAMiddlewarePassesOnAreNotObserved(t *testing.T) {
	var seen observations
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{Observe: seen.observe})
	s.Handler = s.Tracker.Middleware(http.NotFoundHandler())
	s.Get("/about")
	s.Get("/a/page")
	store.Down.Store(true)
	s.Get("/dashboard")
	require.Empty(t, seen.of(linktrack.OperationRedirect, ""))
	s.Get("/.f2jt")
	require.Equal(t, "unavailable", last(seen.of(linktrack.OperationRedirect, "")).Outcome)
	store.Down.Store(false)
}

func TestEveryCallOfTheAPIIsObservedWithTheStatusOfItsAnswer(t *testing.T) {
	var seen observations
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Observe: seen.observe})
	hash := s.AddLink(linktrack.NewLink{VanityLink: "open"}).Path
	for _, c := range []struct {
		do            func()
		name, outcome string
	}{
		{func() { s.MakeLink() }, "v1_0/makeLink", "201"},
		{func() { s.Call("makeLink", nil) }, "v1_0/makeLink", "400"},
		{func() { s.Get("/api/v1_0/getLinks?login=me&pass=wrong") }, "v1_0/getLinks", "401"},
		{func() { s.Link(hash) }, "v1_0/getLink", "200"},
		{func() { s.Call("exportHistory", trackertest.Values("redirect_hash", hash)) }, "v1_0/exportHistory", "200"},
		{func() { s.Get("/api/ping") }, "ping", "200"},
		{func() { s.Post("/api/ping", nil) }, "ping", "405"},
		{func() { s.Get("/api/v1_0/getEverything") }, "", ""},
	} {
		seen.clear()
		c.do()
		all := seen.of(linktrack.OperationAPI, "")
		if c.name == "" {
			require.Empty(t, all, "a stranger must not be able to make names")
			continue
		}
		require.Len(t, all, 1, c.name)
		require.Equal(t, c.name, all[0].Name)
		require.Equal(t, c.outcome, all[0].Outcome, c.name)
		require.Positive(t, all[0].Duration)
	}
}

func TestAnAnswerThatIsNotCompleteIsObservedAsAborted(t *testing.T) {
	var seen observations
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Observe: seen.observe})
	require.Panics(t, func() {
		s.Handler.ServeHTTP(brokenConnection{httptest.NewRecorder()}, trackertest.Request("GET", "/api/ping", ""))
	})
	require.Equal(t, "aborted", last(seen.of(linktrack.OperationAPI, "ping")).Outcome)
}

type brokenConnection struct{ http.ResponseWriter }

func (brokenConnection) Write([]byte) (int, error) { panic(http.ErrAbortHandler) }

func TestEveryCallOfTheStoreIsObservedWithTheRequestsContext(t *testing.T) {
	type key struct{}
	var seen observations
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{Observe: seen.observe})
	s.AddLink(linktrack.NewLink{VanityLink: "open"})
	seen.clear()
	s.Do(trackertest.Request("GET", "/open", "", "User-Agent", trackertest.Firefox).WithContext(context.WithValue(t.Context(), key{}, "span")))
	lookUp := last(seen.of(linktrack.OperationStore, "LinkByPath"))
	require.Equal(t, "ok", lookUp.Outcome)
	visit := last(seen.of(linktrack.OperationRedirect, ""))
	require.False(t, lookUp.Start.Before(visit.Start))
	require.LessOrEqual(t, lookUp.Duration, visit.Duration)
	seen.each(func(ctx context.Context, ob linktrack.Observation) {
		if ob.Operation == linktrack.OperationRedirect || ob.Name == "LinkByPath" {
			assert.Equal(t, "span", ctx.Value(key{}), ob.Name)
		}
	})
	require.Len(t, seen.of(linktrack.OperationStore, "AppendClicks"), 1)
	s.Link("open")
	require.Equal(t, "ok", last(seen.of(linktrack.OperationStore, "ApplyClicks")).Outcome)
	s.Get("/nothing")
	require.Equal(t, "not_found", last(seen.of(linktrack.OperationStore, "LinkByPath")).Outcome)
	s.Call("makeLink", trackertest.Values("external_url", "https://example.com/", "vanity_link", "open"))
	require.Equal(t, "refused", last(seen.of(linktrack.OperationStore, "CreateLinks")).Outcome)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Tracker.Links(canceled, s.Account, linktrack.LinksQuery{})
	require.Error(t, err)
	require.Equal(t, "canceled", last(seen.of(linktrack.OperationStore, "Links")).Outcome)
	store.Down.Store(true)
	s.Get("/another")
	failed := last(seen.of(linktrack.OperationStore, "LinkByPath"))
	require.Equal(t, "failed", failed.Outcome)
	require.ErrorIs(t, failed.Err, trackertest.ErrDown)
	store.Down.Store(false)
	seen.each(func(_ context.Context, ob linktrack.Observation) {
		if ob.Operation == linktrack.OperationStore {
			assert.Contains(t, linktrack.StoreOutcomes(), ob.Outcome)
		}
	})
}

func TestAHookThatPanicsChangesNothingAndIsLoggedOnce(t *testing.T) {
	tracker, log := trackertest.Open(t, memstore.New(), linktrack.Options{Observe: func(context.Context, linktrack.Observation) { panic("a bug of the host's") }})
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	l, err := tracker.MakeLink(t.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
	require.NoError(t, err)
	for range 3 {
		w := httptest.NewRecorder()
		tracker.Handler().ServeHTTP(w, httptest.NewRequest("GET", tracker.TrackingURL(l), nil))
		require.Equal(t, http.StatusFound, w.Code)
		require.Equal(t, "https://example.com/", w.Header().Get("Location"))
	}
	w := httptest.NewRecorder()
	tracker.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:8080/api/ping", nil))
	require.Equal(t, http.StatusOK, w.Code)
	l, err = tracker.Link(t.Context(), account, l.Path)
	require.NoError(t, err)
	require.EqualValues(t, 3, l.Counts.People+l.Counts.Bots)
	require.Equal(t, 1, strings.Count(log.String(), "Observe panics"), log)
}

func TestAHookTakesNoMemoryOfItsOwn(t *testing.T) {
	allocations := func(hook func(context.Context, linktrack.Observation)) float64 {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{Observe: hook})
		s.MakeLink("vanity_link", "open")
		w, r := &discard{header: make(http.Header)}, trackertest.Request("HEAD", "/open", "")
		return testing.AllocsPerRun(100, func() {
			w.reset()
			s.Handler.ServeHTTP(w, r)
		})
	}
	calls := 0
	without := allocations(nil)
	require.Equal(t, without, allocations(func(context.Context, linktrack.Observation) { calls++ }))
	require.Greater(t, calls, 100)
}
