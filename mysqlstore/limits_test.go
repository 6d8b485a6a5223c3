package mysqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

func TestNoVisitorIsTurnedAwayByAServerThatAllowsFewConnections(t *testing.T) {
	for connections, visitors := range map[int]int{10: 320, 5: 320, 1: 60} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s, err := mysqlstore.Open(testmysql.LimitedDSN(t, connections))
			require.NoError(t, err)
			defer s.Close()
			require.NoError(t, s.Migrate(t.Context()))
			tracker, err := linktrack.New(s, linktrack.Options{BaseURL: "http://go.example.com"})
			require.NoError(t, err)
			a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
			require.NoError(t, err)
			var paths []string
			for i := range visitors / 2 {
				l := linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: fmt.Sprint("l", i)}
				if i%2 == 0 {
					l.DeactivateAt = 3
				}
				_, err := tracker.MakeLink(t.Context(), a, l)
				require.NoError(t, err)
				paths = append(paths, l.VanityLink)
			}
			require.NoError(t, tracker.Close(t.Context()))

			tracker, err = linktrack.New(s, linktrack.Options{BaseURL: "http://go.example.com"}) // knows no link yet
			require.NoError(t, err)
			h := tracker.Handler()
			var all sync.WaitGroup
			var mu sync.Mutex
			answers := map[int]int{}
			for i := range visitors {
				all.Go(func() {
					r := httptest.NewRequest(http.MethodGet, "http://go.example.com/"+paths[i%len(paths)], nil)
					r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					mu.Lock()
					defer mu.Unlock()
					answers[w.Code]++
				})
			}
			all.Wait()
			require.Equal(t, map[int]int{http.StatusFound: visitors}, answers)

			// What needs a connection of its own gets it beside visitors.
			all.Go(func() {
				assert.NoError(t, s.PruneClicks(t.Context(), time.Now().AddDate(0, 0, -30)))
			})
			for i := range visitors {
				all.Go(func() {
					_, err := s.LinkByPath(t.Context(), "go.example.com", paths[i%len(paths)])
					assert.NoError(t, err)
				})
			}
			all.Wait()
			require.NoError(t, tracker.Close(t.Context()))
			links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: a.ID, Sort: linktrack.SortCreated, Limit: 1000})
			require.NoError(t, err)
			var sum int64
			for _, l := range links {
				sum += l.Counts.People
			}
			require.EqualValues(t, visitors, sum)
		})
	}
}

func TestWhoFindsNoConnectionIsToldOfTheLimitWhenTheTimeIsUp(t *testing.T) {
	dsn := testmysql.LimitedDSN(t, 1)
	first, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer first.Close()
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	c.Timeout = 200 * time.Millisecond // Open waits twice that
	_, err = mysqlstore.Open(c.FormatDSN())
	require.ErrorContains(t, err, "max_user_connections")
	require.ErrorContains(t, err, "MaxConnections")
	require.NotContains(t, err.Error(), "s3cret")
	require.NoError(t, first.Close())
	second, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestMaxConnectionsBoundsThePool(t *testing.T) {
	dsn := testmysql.DSN(t)
	_, err := mysqlstore.Open(dsn, mysqlstore.MaxConnections(0))
	require.ErrorContains(t, err, "MaxConnections must be at least 1, not 0")

	other, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	require.NoError(t, other.Migrate(t.Context()))
	require.NoError(t, other.Close())
	db := admin(t, dsn)
	db.SetMaxOpenConns(1)
	connections := func() (n int) {
		for {
			err := db.Get(&n, `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()`)
			if number, _ := errors.AsType[*mysql.MySQLError](err); number != nil && number.Number == 3854 {
				continue // the list also has the statements that run, and one of them has bytes that are no text
			}
			require.NoError(t, err)
			return n
		}
	}
	for connections() > 0 { // the server takes a moment to end those that were closed
		require.NoError(t, t.Context().Err())
	}
	s, err := mysqlstore.Open(dsn, mysqlstore.MaxConnections(3))
	require.NoError(t, err)
	defer s.Close()
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 20 {
		all.Go(func() {
			for ctx.Err() == nil {
				_, err := s.LinkByPath(t.Context(), "go.example.com", "none")
				assert.ErrorIs(t, err, linktrack.ErrNotFound)
			}
		})
	}
	defer all.Wait()
	defer cancel()
	most := 0
	for range 50 {
		most = max(most, connections())
	}
	require.LessOrEqual(t, most, 3)
	require.Positive(t, most)
}
