package linktrack_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A receiver keeps the alerts that it gets, and answers as the test sets.
type receiver struct {
	mu     sync.Mutex
	alerts []linktrack.Alert
	times  []time.Time
	answer func(ctx context.Context, a linktrack.Alert) error // nil: it takes everything
}

func (r *receiver) Notify(ctx context.Context, a linktrack.Alert) error {
	r.mu.Lock()
	r.alerts, r.times = append(r.alerts, a), append(r.times, time.Now())
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx, a)
}

func (r *receiver) does(answer func(context.Context, linktrack.Alert) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) got() []linktrack.Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]linktrack.Alert{}, r.alerts...)
}

func (r *receiver) when() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time{}, r.times...)
}

func (r *receiver) ids() (ids []string) {
	for _, a := range r.got() {
		ids = append(ids, a.ID)
	}
	return ids
}

func TestAnAlertIsDeliveredSoonAfterItsClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		store := memstore.New()
		tracker, err := linktrack.New(store, linktrack.Options{BaseURL: "https://go.example.com", Notify: r})
		require.NoError(t, err)
		account, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional, Email: "ada@example.com"})
		require.NoError(t, err)
		l, err := tracker.MakeLink(t.Context(), account, linktrack.NewLink{
			LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", AlertAt: 2, DeactivateAt: 3, HasAlertEmail: true}, VanityLink: "sale",
		})
		require.NoError(t, err)
		f := &trackertest.Follower{T: t, Tracker: tracker, Account: account, Path: l.Path}
		f.Passes(linktrack.Visit{})
		time.Sleep(time.Hour)
		require.Empty(t, r.got(), "one of two has come")

		reached := time.Now().UTC()
		f.Passes(linktrack.Visit{})
		time.Sleep(1500 * time.Millisecond)
		got := r.got()
		require.Len(t, got, 1)
		require.Equal(t, linktrack.AlertAt, got[0].Kind)
		require.Equal(t, "https://go.example.com/sale", got[0].URL)
		require.Equal(t, "ada@example.com", got[0].Email)
		require.EqualValues(t, 2, got[0].Count)
		require.Equal(t, reached, got[0].Reached)
		require.Equal(t, l.ID, got[0].Link.ID)
		require.EqualValues(t, 2, got[0].Link.Counts.People)

		f.Passes(linktrack.Visit{})
		time.Sleep(1500 * time.Millisecond)
		got = r.got()
		require.Len(t, got, 2)
		require.Equal(t, linktrack.AlertUsedUp, got[1].Kind)
		require.NotEqual(t, got[0].ID, got[1].ID)
		time.Sleep(24 * time.Hour)
		require.Len(t, r.got(), 2, "what was delivered is not delivered again")
		f.Close()
	})
}

func TestAnAlertNamesTheAccountsAddressOnlyIfItsLinkAsksForIt(t *testing.T) {
	for _, test := range []struct {
		name string
		opts linktrack.Options
		link linktrack.Link
		want string
	}{
		{"a link that asks for it", linktrack.Options{}, linktrack.Link{Account: 1, LinkSettings: linktrack.LinkSettings{HasAlertEmail: true}}, "ada@example.com"},
		{"a link that does not", linktrack.Options{}, linktrack.Link{Account: 1}, ""},
		{"a link of an account that the store does not have", linktrack.Options{}, linktrack.Link{Account: 2, LinkSettings: linktrack.LinkSettings{HasAlertEmail: true}}, ""},
		{"a host with its own users, whose numbers mean others in the store", linktrack.Options{
			Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) { return linktrack.Account{}, nil }},
		}, linktrack.Link{Account: 1, LinkSettings: linktrack.LinkSettings{HasAlertEmail: true}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, store := &receiver{}, memstore.New()
				_, err := store.CreateAccount(t.Context(), linktrack.Account{Login: "ada", Email: "ada@example.com"})
				require.NoError(t, err)
				test.link.Path, test.link.AlertAt = ".sale", 1
				raise(t, store, test.link)
				test.opts.Notify = r
				tracker, err := linktrack.New(store, test.opts)
				require.NoError(t, err)
				time.Sleep(time.Second)
				require.Len(t, r.got(), 1, "an alert that no process delivered is delivered as soon as one can")
				require.Equal(t, test.want, r.got()[0].Email)
				require.NoError(t, tracker.Close(t.Context()))
			})
		})
	}
}

// raise makes a link and lets people click on it until its AlertAt is reached.
func raise(t *testing.T, store linktrack.Store, l linktrack.Link) linktrack.Link {
	t.Helper()
	l.Host, l.ExternalURL = "localhost:8080", "https://example.com/"
	l, err := trackertest.CreateLink(t.Context(), store, l)
	require.NoError(t, err)
	b := linktrack.Batch{Source: linktrack.Source(linktrack.NewClickID(time.Now())), Seq: 1}
	for range l.AlertAt {
		b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(time.Now()), Link: l.ID})
	}
	require.NoError(t, store.AppendClicks(t.Context(), b))
	_, err = store.ApplyClicks(t.Context(), time.UTC, time.Time{})
	require.NoError(t, err)
	return l
}

func TestAnAlertThatFailsIsTriedAgainLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		r, store := &receiver{}, memstore.New()
		raise(t, store, linktrack.Link{Path: ".sale", LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
		r.does(func(context.Context, linktrack.Alert) error { return trackertest.ErrDown })
		tracker, err := linktrack.New(store, linktrack.Options{Notify: r, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		time.Sleep(30 * 24 * time.Hour)
		tries := r.when()
		require.Greater(t, len(tries), 24*29, "it is never given up")
		pause := 5 * time.Second
		for i := 1; i < len(tries); i++ {
			gap := tries[i].Sub(tries[i-1])
			require.GreaterOrEqual(t, gap, pause*3/4, "before try %d", i+1)
			require.LessOrEqual(t, gap, pause+5*time.Second, "before try %d", i+1)
			pause = min(2*pause, time.Hour)
		}
		ids := r.ids()
		for _, id := range ids {
			require.Equal(t, ids[0], id, "it is the same alert each time")
		}
		require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())

		r.does(func(context.Context, linktrack.Alert) error { panic("a bug of the notifier's") })
		time.Sleep(3 * time.Hour)
		r.does(nil)
		time.Sleep(time.Hour)
		n := len(r.got())
		require.Greater(t, n, len(tries)+1)
		time.Sleep(24 * time.Hour)
		require.Len(t, r.got(), n, "it was delivered")
		require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "delivered again"), log.String())
		require.NoError(t, tracker.Close(t.Context()))
	})
}

func TestAnAlertThatCanNeverBeDeliveredIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		r, store := &receiver{}, memstore.New()
		raise(t, store, linktrack.Link{Path: ".sale", LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
		r.does(func(context.Context, linktrack.Alert) error {
			return fmt.Errorf("no such mailbox: %w", linktrack.ErrUndeliverable)
		})
		tracker, err := linktrack.New(store, linktrack.Options{Notify: r, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		require.Len(t, r.got(), 1, "it is tried once")
		require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
		require.NoError(t, tracker.Close(t.Context()))
	})
}

func TestNobodyWaitsForANotifierThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		r.does(func(ctx context.Context, _ linktrack.Alert) error { <-ctx.Done(); return ctx.Err() })
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Notify: r}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
		start := time.Now()
		f.Passes(linktrack.Visit{})
		require.Zero(t, time.Since(start))
		time.Sleep(1500 * time.Millisecond)
		require.Len(t, r.got(), 1)
		start = time.Now()
		for range 100 {
			f.Passes(linktrack.Visit{})
		}
		require.Zero(t, time.Since(start), "a delivery under way delays no redirect")
		time.Sleep(time.Hour)
		require.Greater(t, len(r.got()), 5, "what hangs is given up, and tried again")
		f.Close()
	})
}

func TestANewAlertDoesNotWaitBehindThoseThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := &receiver{}, memstore.New()
		r.does(func(ctx context.Context, a linktrack.Alert) error {
			if a.Link.Path == "new" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		for range 1000 { // each hangs for 20 s: all of them take hours
			raise(t, store, linktrack.Link{Path: randomPath(), LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
		}
		f := trackertest.Follow(t, store, linktrack.Options{Notify: r}, linktrack.NewLink{})
		time.Sleep(12 * time.Hour)
		raise(t, store, linktrack.Link{Path: "new", LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
		before := len(r.got())
		time.Sleep(21 * time.Second)
		require.LessOrEqual(t, len(r.got())-before, 3)
		last := r.got()[before:]
		require.True(t, last[0].Link.Path == "new" || last[1].Link.Path == "new", "it is the next")
		f.Close()
	})
}

func randomPath() string { return linktrack.NewClickID(time.Now()).String()[19:] }

func TestCloseWaitsForADeliveryOrLeavesItToItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		slow := &receiver{}
		slow.does(func(ctx context.Context, _ linktrack.Alert) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		for i, patience := range []time.Duration{time.Minute, 2 * time.Second} {
			raise(t, store, linktrack.Link{Path: randomPath(), LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
			tracker, err := linktrack.New(store, linktrack.Options{Notify: slow})
			require.NoError(t, err)
			time.Sleep(500 * time.Millisecond)
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			require.NoError(t, tracker.Close(ctx))
			cancel()
			require.Equal(t, min(2500*time.Millisecond, patience), time.Since(start))
			require.NoError(t, tracker.Close(t.Context()), "it may be closed twice")
			require.Len(t, slow.got(), i+1)
		}
		other := &receiver{}
		tracker, err := linktrack.New(store, linktrack.Options{Notify: other})
		require.NoError(t, err)
		time.Sleep(50 * time.Second)
		require.Empty(t, other.got(), "nobody knows yet that it was not delivered")
		time.Sleep(15 * time.Second)
		require.Equal(t, slow.ids()[1:], other.ids(), "its lease has ended, and the first was delivered")
		require.NoError(t, tracker.Close(t.Context()))
	})
}

func TestOfManyTrackersOneDeliversAnAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := &receiver{}, memstore.New()
		var trackers []*linktrack.Tracker
		for range 5 {
			tracker, err := linktrack.New(store, linktrack.Options{Notify: r})
			require.NoError(t, err)
			trackers = append(trackers, tracker)
		}
		for range 50 {
			raise(t, store, linktrack.Link{Path: randomPath(), LinkSettings: linktrack.LinkSettings{AlertAt: 2}})
		}
		time.Sleep(10 * time.Second)
		ids := map[string]bool{}
		for _, id := range r.ids() {
			require.False(t, ids[id], "%s is delivered twice", id)
			ids[id] = true
		}
		require.Len(t, ids, 50)
		for _, tracker := range trackers {
			require.NoError(t, tracker.Close(t.Context()))
		}
	})
}

// A store whose alerts fail on demand.
type forgetful struct {
	linktrack.Store
	mu    sync.Mutex
	fails map[string]error
}

func (s *forgetful) fail(call string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = map[string]error{call: err}
}

func (s *forgetful) error(call string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fails[call]
}

func (s *forgetful) LeaseAlert(ctx context.Context, now, until time.Time) (linktrack.PendingAlert, error) {
	if err := s.error("LeaseAlert"); err != nil {
		return linktrack.PendingAlert{}, err
	}
	return s.Store.LeaseAlert(ctx, now, until)
}

func (s *forgetful) FinishAlert(ctx context.Context, id linktrack.AlertID) error {
	if err := s.error("FinishAlert"); err != nil {
		return err
	}
	return s.Store.FinishAlert(ctx, id)
}

func (s *forgetful) AccountByID(ctx context.Context, id linktrack.AccountID) (linktrack.Account, error) {
	if err := s.error("AccountByID"); err != nil {
		return linktrack.Account{}, err
	}
	return s.Store.AccountByID(ctx, id)
}

func TestAnAlertSurvivesAStoreThatFails(t *testing.T) {
	for _, test := range []struct {
		call  string
		again int // how often it is delivered while the store fails
	}{
		{"LeaseAlert", 0},
		{"AccountByID", 0},
		{"FinishAlert", 5}, // with each lease
	} {
		t.Run(test.call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log trackertest.LogBuffer
				r, store := &receiver{}, &forgetful{Store: memstore.New()}
				store.fail(test.call, trackertest.ErrDown)
				raise(t, store, linktrack.Link{Path: ".sale", LinkSettings: linktrack.LinkSettings{AlertAt: 1, HasAlertEmail: true}})
				tracker, err := linktrack.New(store, linktrack.Options{Notify: r, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				require.NoError(t, err)
				time.Sleep(5*time.Minute - 10*time.Second)
				require.Len(t, r.got(), test.again)
				store.fail("nothing", nil)
				time.Sleep(10 * time.Minute)
				require.Len(t, r.got(), test.again+1)
				require.Equal(t, r.ids()[0], r.ids()[len(r.ids())-1])
				require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
				require.Equal(t, 1, strings.Count(log.String(), "delivered again"), log.String())
				require.NoError(t, tracker.Close(t.Context()))
			})
		})
	}
}
