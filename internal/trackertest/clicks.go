package trackertest

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// DayNamed returns the day of a date such as 2024-11-24.
func DayNamed(t testing.TB, date string) linktrack.Day {
	t.Helper()
	at, err := time.Parse(time.DateOnly, date)
	require.NoError(t, err)
	return linktrack.DayOf(at)
}

// RandomClicks returns n clicks at random times within so many
// days after from. They are the same at each call.
func RandomClicks(link int64, n int, from time.Time, days int) []linktrack.Click {
	random := rand.New(rand.NewPCG(1, uint64(link)))
	clicks := make([]linktrack.Click, n)
	for i := range clicks {
		at := from.Add(time.Duration(random.Int64N(int64(days) * int64(24*time.Hour))))
		clicks[i] = linktrack.Click{
			ID: linktrack.NewClickID(at), Link: link, IP: netip.MustParseAddr("192.0.2.77"),
			Referrer:     "https://a.example/secret?q=1",
			ReferrerHost: []string{"", "a.example", "b.example"}[random.IntN(3)],
			Browser:      []string{"", "Firefox", "Safari"}[random.IntN(3)],
			Platform:     []string{"Linux", "iOS"}[random.IntN(2)],
			Country:      []string{"US", "DE", ""}[random.IntN(3)],
			Unique:       random.IntN(2) == 0,
		}
		if random.IntN(6) == 0 {
			clicks[i].Bot, clicks[i].Unique = true, false
		}
	}
	return clicks
}

// ExportedIDs returns the ids of the clicks in an exported history.
func ExportedIDs(t testing.TB, f linktrack.Format, r io.Reader) (ids []string) {
	t.Helper()
	if f == linktrack.FormatJSON {
		var document struct{ History []map[string]any }
		require.NoError(t, json.NewDecoder(r).Decode(&document))
		for _, k := range document.History {
			ids = append(ids, k["id"].(string))
		}
		return ids
	}
	rows, err := csv.NewReader(r).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"id", "created_at", "ip_address", "referrer", "referrer_host", "user_agent", "browser", "platform", "is_unique", "is_bot", "query"}, rows[0])
	for _, row := range rows[1:] {
		ids = append(ids, row[0])
	}
	return ids
}

// RecordMany records n clicks of people on a link, long ago and some at the same
// microsecond, and returns their ids in the order of histories, oldest first.
func (s *Service) RecordMany(l linktrack.Link, n int) []string {
	s.Helper()
	ids := make([]string, 0, n)
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for len(ids) < n {
		b := make([]linktrack.Click, 0, 1000)
		for range min(1000, n-len(ids)) {
			if len(ids)%3 != 0 {
				at = at.Add(1500 * time.Millisecond)
			}
			id := linktrack.NewClickID(at)
			b = append(b, linktrack.Click{ID: id, Link: l.ID, UserAgent: "Mozilla/5.0", Referrer: "https://a.example/"})
			ids = append(ids, id.String())
		}
		s.Record(b...)
	}
	slices.Sort(ids)
	return ids
}
