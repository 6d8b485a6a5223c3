package rules

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var conversions = []rule{
	{"the image counts what it is told once", theImageCountsWhatItIsToldOnce},
	{"the owner's server reports conversions", theOwnersServerReportsConversions},
	{"an order that is posted a hundred times at once counts once", anOrderPostedAHundredTimesAtOnceCountsOnce},
	{"a visitor takes no order from the shop", aVisitorTakesNoOrderFromTheShop},
	{"a conversion is counted once and is no click", aConversionIsCountedOnceAndIsNoClick},
}

func theImageCountsWhatItIsToldOnce(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	link := s.MakeConvertibleLink()
	click := s.Click(link)
	for range 3 {
		s.GetPixel("", "Cookie", "other=1; "+click)
	}
	require.Equal(t, 1, s.Converted(link), "a page that is loaded again counts once")
	s.GetPixel("click=" + trackertest.ClickOf(s.Click(link)) + "&order=42&value=12.34&currency=EUR")
	s.GetPixel("lt_click=" + trackertest.ClickOf(s.Click(link)) + "&order=42&value=12.34&currency=EUR")
	require.Equal(t, 2, s.Converted(link), "an order counts once")
	s.GetPixel("lt_click=" + trackertest.ClickOf(s.Click(link)) + "&order=43")
	require.Equal(t, 3, s.Converted(link))
	require.EqualValues(t, 4, s.Link(link)["count_total"], "conversions are no clicks")
}

func theOwnersServerReportsConversions(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	link := s.MakeConvertibleLink()
	click := trackertest.ClickOf(s.Click(link))
	report := func(pairs ...string) *http.Response { return s.Call("conversion", trackertest.Values(pairs...)) }

	r := report("click_id", click, "order_id", "A&1", "value", "12.50", "currency", "EUR")
	require.Equal(t, http.StatusCreated, r.StatusCode)
	require.Equal(t, "application/xml; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<conversion><click_id>"+click+
		"</click_id><order_id>A&amp;1</order_id><value>12.5</value><currency>EUR</currency><counted>1</counted></conversion>\n", trackertest.Text(t, r))
	r = report("click_id", click, "format", "json")
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, `{"conversion":{"click_id":"`+click+`","order_id":null,"value":null,"currency":null,"counted":0}}`+"\n", trackertest.Text(t, r))
	require.Equal(t, 1, s.Converted(link))

	plain := s.MakeLink()
	out, err := s.Tracker.Follow(t.Context(), linktrack.Visit{Path: plain[strings.LastIndex(plain, "/"):]})
	require.NoError(t, err)
	untracked := linktrack.ClickRef{Link: out.Link.ID, ID: out.Click}.String()
	old := linktrack.ClickRef{Link: 1, ID: linktrack.NewClickID(time.Now().AddDate(0, 0, -31))}.String()
	unknown := linktrack.ClickRef{Link: 1, ID: linktrack.NewClickID(time.Now().AddDate(0, 0, -1))}.String()
	for _, c := range []struct {
		pairs   []string
		code    int
		message string
	}{
		{nil, 400, "click_id is missing"},
		{[]string{"click_id", "x"}, 400, "click_id must be what the destination got as lt_click"},
		{[]string{"click_id", click, "value", "1"}, 400, "currency is missing beside a value"},
		{[]string{"click_id", click, "value", "0"}, 400, "currency is missing beside a value"},
		{[]string{"click_id", click, "currency", "EUR"}, 400, "value is missing beside a currency"},
		{[]string{"click_id", click, "value", "-1", "currency", "EUR"}, 400, "value must be a decimal number such as 12.34"},
		{[]string{"click_id", click, "value", "1", "currency", "eur"}, 400, "currency must be a code of ISO 4217 in upper case, such as EUR"},
		{[]string{"click_id", untracked}, 400, "click_id is of a link without has_conversion_tracking"},
		{[]string{"click_id", old}, 400, "click_id is of a click more than 30 days before the conversion"},
		{[]string{"click_id", unknown}, 404, "not found"},
	} {
		r := report(append([]string{"format", "json"}, c.pairs...)...)
		var document struct {
			Error struct {
				Code    int
				Message string
			}
		}
		trackertest.Decode(t, r, &document)
		require.Equal(t, c.code, r.StatusCode)
		require.Equal(t, c.message, document.Error.Message)
	}

	_, otherPass, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "other"})
	require.NoError(t, err)
	r = s.Post("/api/v1_0/conversion", trackertest.Values("login", "other", "pass", otherPass, "click_id", trackertest.ClickOf(s.Click(link))))
	require.Equal(t, http.StatusNotFound, r.StatusCode, "another account's click is none")
	require.Equal(t, http.StatusUnauthorized, s.Post("/api/v1_0/conversion", trackertest.Values("login", "other", "pass", "x", "click_id", click)).StatusCode)
	require.Equal(t, http.StatusBadRequest, s.Post("/api/v1_0/conversion", trackertest.Values("click_id", click)).StatusCode)
	r = s.Get("/api/v1_0/conversion?login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&click_id=" + trackertest.ClickOf(s.Click(link)))
	require.Equal(t, http.StatusMethodNotAllowed, r.StatusCode)
	require.Equal(t, "POST", r.Header.Get("Allow"))
	require.Equal(t, 1, s.Converted(link))
}

func anOrderPostedAHundredTimesAtOnceCountsOnce(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	link := s.MakeConvertibleLink()
	clicks := [2]string{trackertest.ClickOf(s.Click(link)), trackertest.ClickOf(s.Click(link))}
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for i := range 100 {
		wg.Go(func() {
			r := s.Call("conversion", trackertest.Values("click_id", clicks[i%2], "order_id", "42", "value", "5", "currency", "EUR"))
			mu.Lock()
			defer mu.Unlock()
			statuses[r.StatusCode]++
		})
	}
	wg.Wait()
	require.Equal(t, map[int]int{201: 1, 200: 99}, statuses)
	require.Equal(t, 1, s.Converted(link))
}

func aVisitorTakesNoOrderFromTheShop(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	link := s.MakeConvertibleLink("has_public_tracking", "1", "vanity_link", "sale")
	visitor, customer := trackertest.ClickOf(s.Click(link)), trackertest.ClickOf(s.Click(link))
	s.GetPixel("click=" + visitor + "&order=1001&value=0&currency=EUR")
	require.Equal(t, 1, s.Converted(link))
	report := trackertest.Values("click_id", customer, "order_id", "1001", "value", "12.34", "currency", "EUR")
	require.Equal(t, http.StatusCreated, s.Call("conversion", report).StatusCode, "the order is the shop's")
	require.Equal(t, http.StatusOK, s.Call("conversion", report).StatusCode, "a repeat counts nothing")
	s.GetPixel("click=" + visitor + "&order=1001&value=0&currency=EUR")
	require.Equal(t, 1, s.Converted(link))
	values := func() map[string]linktrack.Amount {
		r, err := s.Tracker.Report(t.Context(), s.Account, "sale", linktrack.ReportQuery{})
		require.NoError(t, err)
		require.EqualValues(t, 1, r.Total.Conversions)
		return r.Values
	}
	require.Equal(t, map[string]linktrack.Amount{"EUR": 123_400}, values())

	public := func() linktrack.Report {
		r, err := s.Tracker.Public(t.Context(), "", "sale", linktrack.PageReport)
		require.NoError(t, err)
		require.EqualValues(t, 1, r.Total.Conversions)
		return r
	}
	require.Nil(t, public().Values, "what it was worth is nobody's business")
	_, err := s.Tracker.UpdateLink(t.Context(), s.Account, "sale", func(e *linktrack.LinkEdit) { e.HasPublicRevenue = true })
	require.NoError(t, err)
	require.Equal(t, map[string]linktrack.Amount{"EUR": 123_400}, public().Values, "the owner ticked the box")
	require.NotContains(t, s.Link(link), "has_public_revenue", "the documented calls have their documented fields")
}

func aConversionIsCountedOnceAndIsNoClick(t *testing.T, store linktrack.Store) {
	f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
	one, two := f.Clicks(), f.Clicks()
	c := linktrack.Conversion{Click: one, OrderID: "42", Value: 123_400, Currency: "EUR"}
	require.True(t, f.Convert(c))
	require.False(t, f.Convert(c), "a repeat is a success that counts nothing")
	require.False(t, f.Convert(linktrack.Conversion{Click: one}), "the click was counted")
	c.Click = two
	require.False(t, f.Convert(c), "the order was counted")
	require.True(t, f.Convert(linktrack.Conversion{Click: two}))
	require.Equal(t, []int64{2, 2}, []int64{f.Counts().Conversions, f.Counts().People})
}
