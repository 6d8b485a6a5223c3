package linktrack_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestWhatAConversionMustBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{}, trackertest.Convertible)
		click := f.Clicks()
		plain, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
		require.NoError(t, err)
		untracked, err := f.Visit(linktrack.Visit{Path: plain.Path})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		madeUp := click
		madeUp.ID[15] ^= 1
		elsewhere := click
		elsewhere.Link = plain.ID
		for want, c := range map[string]linktrack.Conversion{
			"click_id is missing": {},
			"click_id is of a link without has_conversion_tracking": {Click: linktrack.ClickRef{Link: plain.ID, ID: untracked.Click}},
			"not found":  {Click: madeUp},
			"not found ": {Click: elsewhere},
			"order_id must have at most 255 characters":                        {Click: click, OrderID: strings.Repeat("é", 256)},
			"order_id must not have control characters":                        {Click: click, OrderID: "a\nb"},
			"order_id must be UTF-8":                                           {Click: click, OrderID: "\xff"},
			"value must be from 0 to below 1000000000000":                      {Click: click, Value: -1, Currency: "EUR"},
			"value must be from 0 to below 1000000000000 ":                     {Click: click, Value: 1e16, Currency: "EUR"},
			"currency is missing beside a value":                               {Click: click, Value: 1},
			"currency must be a code of ISO 4217 in upper case, such as EUR":   {Click: click, Value: 1, Currency: "eur"},
			"currency must be a code of ISO 4217 in upper case, such as EUR ":  {Click: click, Value: 1, Currency: "XYZ"},
			"currency must be a code of ISO 4217 in upper case, such as EUR  ": {Click: click, Value: 1, Currency: "UR "},
			"time must not be before the click or in the future":               {Click: click, Time: click.ID.Time().Add(-time.Microsecond)},
			"time must not be before the click or in the future ":              {Click: click, Time: time.Now().Add(time.Second)},
		} {
			_, err := f.Tracker.Convert(t.Context(), nil, c)
			require.EqualError(t, err, strings.TrimSpace(want))
		}
		require.Zero(t, f.Counts().Conversions)
		_, err = f.Tracker.Convert(t.Context(), &linktrack.Account{ID: 2}, linktrack.Conversion{Click: click})
		require.Equal(t, linktrack.ErrNotFound, err, "another account learns nothing of the click")
		_, err = f.Tracker.Convert(t.Context(), &linktrack.Account{ID: 2}, linktrack.Conversion{Click: linktrack.ClickRef{Link: plain.ID, ID: untracked.Click}})
		require.Equal(t, linktrack.ErrNotFound, err, "nor what the link does")
		counted, err := f.Tracker.Convert(t.Context(), &f.Account, linktrack.Conversion{Click: click, Currency: "JPY"})
		require.NoError(t, err)
		require.True(t, counted, "to be worth nothing is something")
	})
}

func TestTheWindowIsThirtyDaysFromTheClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
		one, two := f.Clicks(), f.Clicks()
		clicked := one.ID.Time()
		time.Sleep(30 * 24 * time.Hour)
		require.True(t, f.Convert(linktrack.Conversion{Click: one}), "the last moment")
		time.Sleep(time.Microsecond)
		_, err := f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: two})
		require.EqualError(t, err, "click_id is of a click more than 30 days before the conversion")
		require.ErrorAs(t, err, new(*linktrack.InvalidError))
		time.Sleep(24 * time.Hour)
		require.True(t, f.Convert(linktrack.Conversion{Click: two, Time: clicked.Add(time.Minute)}), "what matters is when it happened")
		days, err := store.Rollups(t.Context(), linktrack.RollupOf{Link: one.Link}, 0, 1<<30)
		require.NoError(t, err)
		require.Len(t, days, 2, "it counts on the day it happened")
		require.EqualValues(t, 1, days[0].Conversions)
		require.EqualValues(t, 1, days[1].Conversions)
	})
}

func TestAConversionWaitsForItsClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckBuffered, FlushInterval: 900 * time.Millisecond}}, trackertest.Convertible)
		click := f.Clicks()
		require.Zero(t, f.Counts().People, "the click is in memory only")
		require.True(t, f.Convert(linktrack.Conversion{Click: click}))
		require.EqualValues(t, 1, f.Counts().Conversions)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestOnlySoManyConversionsWaitForTheirClicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckBuffered, FlushInterval: time.Hour}}, trackertest.Convertible)
		click := f.Clicks()
		var atOnce, waited atomic.Int64
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				start := time.Now()
				_, err := f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: click})
				assert.ErrorIs(t, err, linktrack.ErrUnavailable)
				if time.Since(start) == 0 {
					atOnce.Add(1)
				} else {
					waited.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 256, waited.Load())
		require.EqualValues(t, 744, atOnce.Load())
		start := time.Now()
		_, err := f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: click})
		require.ErrorIs(t, err, linktrack.ErrUnavailable)
		require.NotZero(t, time.Since(start), "there is room again")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAConversionThatCouldNotWaitLongerMayBeSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckBuffered, FlushInterval: 3 * time.Minute}}, trackertest.Convertible)
		click := f.Clicks()
		convert := func() (bool, error) {
			return f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: click})
		}
		_, err := convert()
		require.ErrorIs(t, err, linktrack.ErrUnavailable)
		time.Sleep(2 * time.Minute)
		_, err = convert()
		require.ErrorIs(t, err, linktrack.ErrUnavailable, "clicks wait here, this may be one of them")
		time.Sleep(2 * time.Minute)
		counted, err := convert()
		require.NoError(t, err)
		require.True(t, counted)
		require.NoError(t, f.Tracker.Close(t.Context()))

		began := time.Now()
		madeUp := linktrack.ClickRef{Link: click.Link, ID: linktrack.NewClickID(began)}
		_, err = f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: madeUp})
		require.ErrorIs(t, err, linktrack.ErrUnavailable, "another process may have it")
		require.Less(t, time.Since(began), 2*time.Second)
		time.Sleep(time.Minute)
		_, err = f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: madeUp})
		require.ErrorIs(t, err, linktrack.ErrNotFound)
	})
}

func TestAClickThatWasPrunedIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, memstore.NewWith(memstore.Options{MaxClicks: 2}), linktrack.Options{}, trackertest.Convertible)
		click := f.Clicks()
		time.Sleep(time.Hour) // ids of the same moment have no order
		f.Clicks()
		require.True(t, f.Convert(linktrack.Conversion{Click: f.Clicks()}))
		_, err := f.Tracker.Convert(t.Context(), nil, linktrack.Conversion{Click: click})
		require.ErrorIs(t, err, linktrack.ErrNotFound)
	})
}

// A deaf store loses the answers to conversions.
type deaf struct {
	linktrack.Store
	lost atomic.Int64
}

func (d *deaf) RecordConversion(ctx context.Context, c linktrack.Conversion, zone *time.Location) (bool, error) {
	counted, err := d.Store.RecordConversion(ctx, c, zone)
	if d.lost.Add(-1) >= 0 {
		return false, trackertest.ErrDown
	}
	return counted, err
}

func TestAConversionWhoseAnswerWasLostIsCountedOnce(t *testing.T) {
	store := &deaf{Store: memstore.New()}
	f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
	store.lost.Store(1)
	c := linktrack.Conversion{Click: f.Clicks()}
	_, err := f.Tracker.Convert(t.Context(), nil, c)
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
	require.False(t, f.Convert(c))
	require.EqualValues(t, 1, f.Counts().Conversions)
}

func TestRefsAreTextThatSortsByTime(t *testing.T) {
	at := time.Date(2026, 1, 22, 12, 0, 0, 0, time.UTC)
	older := linktrack.ClickRef{Link: 1 << 62, ID: linktrack.NewClickID(at)}
	newer := linktrack.ClickRef{Link: 1, ID: linktrack.NewClickID(at.Add(time.Microsecond))}
	require.Less(t, older.String(), newer.String())
	for _, r := range []linktrack.ClickRef{older, newer} {
		require.Regexp(t, `^[0-9a-f]{32}[0-9a-z]{1,13}$`, r.String())
		for _, s := range []string{r.String(), strings.ToUpper(r.String())} {
			got, ok := linktrack.ParseClickRef(s)
			require.True(t, ok)
			require.Equal(t, r, got)
		}
	}
	s := newer.String()
	for _, bad := range []string{"", "x", s[:32], s[:31] + "g1", s + "-1", s[:32] + "0", s[:32] + "01", s[:32] + "-5", s[:32] + "+5", s[:32] + "zzzzzzzzzzzzz", s + " ", newer.ID.String()} {
		_, ok := linktrack.ParseClickRef(bad)
		require.False(t, ok, bad)
	}
}
