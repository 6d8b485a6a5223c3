package mysqlstore_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// Strangers choose the referrers, and a step may have thousands of links.
func TestAStepHoldsTheSumsOfSomeLinksAtATime(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	batch := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1}
	var links []linktrack.Link
	for i := range 300 {
		links = append(links, linktrack.Link{Account: 1, Host: "h.example", Path: fmt.Sprint("p", i), LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
	}
	links, err := plain.CreateLinks(t.Context(), links)
	require.NoError(t, err)
	for _, l := range links {
		batch.Clicks = append(batch.Clicks, click(l.ID, noon))
	}
	var values []string
	for i := range 100 {
		values = append(values, fmt.Sprintf(`"%0200d":1`, i))
	}
	data := `{"p":100,"r":{"t":{` + strings.Join(values, ",") + `}}}`
	db.MustExec(`INSERT INTO lt_day (link_id, day, data) SELECT id, ?, ? FROM lt_link`, int64(linktrack.DayOf(noon)), data)
	appendBatch(t, plain, batch)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var before, most int64
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "INSERT INTO lt_source") {
			most = heap() - before
		}
	})
	before = heap()
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	require.NotZero(t, most)
	require.Less(t, most, int64(4<<20))
}
