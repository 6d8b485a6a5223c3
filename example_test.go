package linktrack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// The whole of it: a store, a Tracker, an account, a link, and someone who
// follows it. A program would give t.Handler() to http.ListenAndServe.
func Example() {
	ctx := context.Background()
	t, _ := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
	defer t.Close(ctx)
	account, _, _ := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	link, _ := t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"}, VanityLink: "spring"})

	w := httptest.NewRecorder()
	t.Handler().ServeHTTP(w, httptest.NewRequest("GET", t.TrackingURL(link), nil))
	fmt.Println(t.TrackingURL(link), w.Code, w.Header().Get("Location"))

	link, _ = t.Link(ctx, account, "spring")
	fmt.Println("clicks:", link.Counts.People)
	// Output:
	// https://go.example.com/spring 302 https://example.com/spring
	// clicks: 1
}

// Mounted below a path: it is the path of BaseURL, and the Tracker cuts it off
// itself.
func ExampleTracker_Handler() {
	ctx := context.Background()
	t, _ := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://example.com/l"})
	defer t.Close(ctx)
	t.CreateAccount(ctx, linktrack.NewAccount{Login: "me", Pass: "my-own-pass", Type: linktrack.AccountTypeProfessional})

	mux := http.NewServeMux()
	mux.Handle("/l/", t.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the app: ", r.URL.Path) })

	show(mux, "POST", "/l/api/v1_0/makeLink?login=me&pass=my-own-pass&vanity_link=spring&external_url=https://example.org/")
	show(mux, "GET", "/l/spring")
	show(mux, "GET", "/about")
	// Output:
	// 201 https://example.com/l/spring
	// 302 to https://example.org/
	// 200 the app: /about
}

// In front of an application: what is no link is the application's.
func ExampleTracker_Middleware() {
	ctx := context.Background()
	t, _ := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://example.com"})
	defer t.Close(ctx)
	account, _, _ := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/"}, VanityLink: "spring"})

	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the app: ", r.URL.Path) })
	server := t.Middleware(app)

	show(server, "GET", "/spring")
	show(server, "GET", "/summer")
	show(server, "GET", "/")
	// Output:
	// 302 to https://example.org/
	// 200 the app: /summer
	// 200 the app: /
}

// show prints what a handler answers.
func show(h http.Handler, method, target string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "https://example.com"+target, nil))
	if location := w.Header().Get("Location"); location != "" {
		fmt.Println(w.Code, "to", location)
		return
	}
	body, _ := io.ReadAll(w.Body)
	fmt.Println(w.Code, string(body))
}

// A link with a limit lets exactly that many people through, whatever the
// number of processes.
func ExampleTracker_Follow() {
	ctx := context.Background()
	t, _ := linktrack.New(memstore.New(), linktrack.Options{})
	defer t.Close(ctx)
	account, _, _ := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	t.MakeLink(ctx, account, linktrack.NewLink{
		LinkSettings: linktrack.LinkSettings{
			ExternalURL:  "https://example.com/tickets",
			DeactivateAt: 2,
		},
		VanityLink: "tickets",
	})

	for range 3 {
		out, err := t.Follow(ctx, linktrack.Visit{Path: "tickets"})
		switch {
		case errors.Is(err, linktrack.ErrUsedUp):
			fmt.Println(err)
		case err == nil:
			fmt.Println("go to", out.Location)
		}
	}
	// Output:
	// go to https://example.com/tickets
	// go to https://example.com/tickets
	// the link is gone: its clicks are used up
}

// What is known of each click.
func ExampleTracker_History() {
	ctx := context.Background()
	t, _ := linktrack.New(memstore.New(), linktrack.Options{})
	defer t.Close(ctx)
	account, _, _ := t.CreateAccount(ctx, linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "spring"})

	visit := linktrack.Visit{
		Path:      "spring",
		IP:        netip.MustParseAddr("203.0.113.7"),
		Referrer:  "https://news.example/today",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
	}
	out, _ := t.Follow(ctx, visit)
	visit.Visitor = out.Visitor // what a browser keeps as a cookie
	t.Follow(ctx, visit)

	clicks, _ := t.History(ctx, account, "spring", linktrack.HistoryQuery{Ascending: true})
	for _, c := range clicks {
		fmt.Println(c.IP, c.ReferrerHost, c.Browser, c.Platform, "new:", c.Unique)
	}
	// Output:
	// 203.0.113.0 news.example Firefox Linux new: true
	// 203.0.113.0 news.example Firefox Linux new: false
}

// A host that traces its requests puts an id, or a span, into the context of each. Observe
// finds it there again, and so adds the work of the Tracker to the trace: here a line of
// the log for each visit that was slow or failed, and for each call of the store. Another
// library for traces takes the same: with OpenTelemetry, it is
//
//	_, span := tracer.Start(ctx, "linktrack "+o.Name, trace.WithTimestamp(o.Start))
//	span.SetAttributes(attribute.String("outcome", o.Outcome))
//	span.End(trace.WithTimestamp(o.Start.Add(o.Duration)))
func ExampleOptions_observe() {
	ctx := context.Background()
	type traceID struct{}
	var lines []string
	t, _ := linktrack.New(memstore.New(), linktrack.Options{
		BaseURL: "https://go.example.com",
		Observe: func(ctx context.Context, o linktrack.Observation) {
			if id, traced := ctx.Value(traceID{}).(string); traced { // not the work that is done for nobody
				lines = append(lines, fmt.Sprintf("%s: %s %s %s", id, o.Operation, o.Name, o.Outcome))
			}
		},
	})
	defer t.Close(ctx)
	traced := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Handler().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), traceID{}, r.Header.Get("X-Request-Id"))))
	})

	r := httptest.NewRequest("GET", "https://go.example.com/spring", nil)
	r.Header.Set("X-Request-Id", "4bf92f35")
	traced.ServeHTTP(httptest.NewRecorder(), r)
	for _, line := range lines {
		fmt.Println(line)
	}
	// Output:
	// 4bf92f35: store LinkByPath not_found
	// 4bf92f35: store LinksByPath ok
	// 4bf92f35: redirect  not_found
}
