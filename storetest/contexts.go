package storetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var contexts = []rule{
	{"a cancelled context is an error, and nothing is changed", func(t *testing.T, s linktrack.Store) {
		account, err := s.CreateAccount(t.Context(), someone("ada"))
		require.NoError(t, err, "an account with a new login is made")
		own := key(t, s, account.ID, "own")
		l := create(t, s, limited("sale", 5))
		alerted := create(t, s, alerting("alerted", 1))
		send(t, s, person(alerted.ID, noon))
		alerted = look(t, s, alerted)
		alerted.Counts.Day = 1 // which list counts
		deleted := remove(t, s, create(t, s, plain("deleted")))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		source := newSource()
		calls := map[string]func() error{
			"CreateAccount": func() error { _, err := s.CreateAccount(ctx, someone("bob")); return err },
			"KeyByLogin":    func() error { _, _, err := s.KeyByLogin(ctx, "ada"); return err },
			"CreateKey": func() error {
				_, err := s.CreateKey(ctx, linktrack.Key{Account: account.ID, Login: "key"})
				return err
			},
			"Keys":        func() error { _, err := s.Keys(ctx, account.ID); return err },
			"DeleteKey":   func() error { return s.DeleteKey(ctx, account.ID, own.ID) },
			"UseKey":      func() error { return s.UseKey(ctx, account.ID, own.ID, 20000) },
			"AccountByID": func() error { _, err := s.AccountByID(ctx, account.ID); return err },
			"Accounts":    func() error { _, err := s.Accounts(ctx, 0, 10); return err },
			"UpdateAccount": func() error {
				_, err := s.UpdateAccount(ctx, account.ID, func(a *linktrack.Account) error { a.Email = "changed@example.com"; return nil })
				return err
			},
			"EraseAccount": func() error { return s.EraseAccount(ctx, account.ID) },
			"Session":      func() error { _, _, err := s.Session(ctx, account.ID, linktrack.SessionID{1}); return err },
			"EndSession": func() error {
				return s.EndSession(ctx, account.ID, linktrack.SessionID{1}, noon.AddDate(0, 0, 30), noon)
			},
			"EndSessions": func() error { return s.EndSessions(ctx, account.ID) },
			"Secret":      func() error { _, err := s.Secret(ctx, []byte("candidate of a cancelled call")); return err },
			"Zone":        func() error { _, err := s.Zone(ctx, "Europe/Berlin"); return err },
			"CreateLinks": func() error {
				l := grouped("other", "NEWS")
				l.Tags, l.ExternalID = []string{"NEWS"}, "news"
				_, err := s.CreateLinks(ctx, []linktrack.Link{l})
				return err
			},
			"UpdateLink": func() error {
				_, err := s.UpdateLink(ctx, l.ID, func(l *linktrack.Link) error { l.Title = "changed"; return nil })
				return err
			},
			"LinkByPath":  func() error { _, err := s.LinkByPath(ctx, l.Host, l.Key()); return err },
			"FormerPaths": func() error { _, err := s.FormerPaths(ctx, l.ID); return err },
			"ReleasePaths": func() error {
				return s.ReleasePaths(ctx, l.ID, []linktrack.LinkName{{Host: l.Host, Key: "former"}})
			},
			"LinksByPath": func() error {
				_, err := s.LinksByPath(ctx, []linktrack.LinkName{{Host: l.Host, Key: l.Key()}})
				return err
			},
			"LinksByExternalID": func() error { _, err := s.LinksByExternalID(ctx, owner, []string{"a"}); return err },
			"Links": func() error {
				_, err := s.Links(ctx, linktrack.LinkFilter{Account: owner, Sort: linktrack.SortCreated, Limit: 1})
				return err
			},
			"Groups": func() error { _, err := s.Groups(ctx, owner, 10); return err },
			"CountLinks": func() error {
				_, err := s.CountLinks(ctx, linktrack.LinkFilter{Account: owner})
				return err
			},
			"DeletedLinks":  func() error { _, err := s.DeletedLinks(ctx, noon.AddDate(1, 0, 0), 10); return err },
			"PurgeLink":     func() error { return s.PurgeLink(ctx, deleted.ID, true) },
			"Tags":          func() error { _, err := s.Tags(ctx, owner, 10); return err },
			"ReserveClicks": func() error { _, err := reserveFor(ctx, s, l.ID, 1); return err },
			"AppendClicks": func() error {
				return s.AppendClicks(ctx, linktrack.Batch{Source: source, Seq: 1, Clicks: people(l.ID, 3, noon)})
			},
			"ApplyClicks":   func() error { return applyOnce(ctx, s) },
			"RequeueClicks": func() error { _, err := s.RequeueClicks(ctx); return err },
			"Rollups":       func() error { _, err := s.Rollups(ctx, linktrack.RollupOf{Link: l.ID}, 0, 1<<30); return err },
			"PruneClicks":   func() error { return s.PruneClicks(ctx, noon.AddDate(0, 0, 2)) },
			"Clicks":        func() error { _, err := s.Clicks(ctx, linktrack.ClickFilter{Link: l.ID, Limit: 1}); return err },
			"LeaseAlert":    func() error { _, err := s.LeaseAlert(ctx, later, until); return err },
			"FinishAlert":   func() error { return s.FinishAlert(ctx, alertAt(alerted, 1)) },
			"PostponeAlert": func() error { return s.PostponeAlert(ctx, alertAt(alerted, 1), until) },
			"LinkByClick":   func() error { _, err := s.LinkByClick(ctx, linktrack.ClickRef{Link: l.ID}); return err },
			"RecordConversion": func() error {
				_, err := s.RecordConversion(ctx, conversion(l, "order"), time.UTC)
				return err
			},
		}
		for i := range reflect.TypeFor[linktrack.Store]().NumMethod() {
			require.Contains(t, calls, reflect.TypeFor[linktrack.Store]().Method(i).Name, "this suite must call every method")
		}
		for name, call := range calls {
			err := call()
			require.Error(t, err, "%s with a cancelled context is an error", name)
			require.NotErrorIs(t, err, linktrack.ErrNotFound, "%s: a store that did not look does not know", name)
			require.NotErrorIs(t, err, linktrack.ErrTaken, "%s: a store that did not look does not know", name)
		}

		_, found, err := s.KeyByLogin(t.Context(), "ada")
		require.NoError(t, err, "the account is still there")
		require.Equal(t, account, found, "UpdateAccount changed nothing")
		require.Equal(t, []linktrack.Key{ownKey(account), own}, keysOf(t, s, account.ID), "CreateKey, DeleteKey and UseKey changed nothing")
		standing(t, s, account.ID, linktrack.SessionID{1}, 0, false, "EndSession and EndSessions changed nothing")
		_, _, err = s.KeyByLogin(t.Context(), "bob")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "CreateAccount kept nothing")
		secret, err := s.Secret(t.Context(), []byte("first candidate"))
		require.NoError(t, err, "the first call keeps its candidate")
		require.Equal(t, []byte("first candidate"), secret, "Secret kept nothing")
		zone, err := s.Zone(t.Context(), "")
		require.NoError(t, err, "the zone can be read")
		require.Empty(t, zone, "Zone kept nothing")
		require.Equal(t, []linktrack.Link{l, alerted}, list(t, s, linktrack.LinkFilter{}), "CreateLinks, UpdateLink, ReserveClicks, AppendClicks and RecordConversion changed nothing")
		require.Empty(t, recorded(t, s, l.ID), "AppendClicks kept nothing")
		require.Equal(t, deleted, look(t, s, deleted), "PurgeLink removed nothing")
		a, ok := lease(t, s)
		require.True(t, ok, "the alert is still due")
		require.Equal(t, 1, a.Tries, "LeaseAlert leased nothing")
		other := grouped("other", "News")
		other.Tags, other.ExternalID = []string{"News"}, "news"
		other = create(t, s, other)
		require.Equal(t, "News", other.Group, "CreateLinks made no group")
		require.Equal(t, []string{"News"}, other.Tags, "CreateLinks made no tag")

		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 1, Clicks: people(l.ID, 3, noon)})
		requireTotal(t, s, l, 3, "the Seq of a batch that failed was not kept, so it can be sent again")
	}},
}
