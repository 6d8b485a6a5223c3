package mysqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

func TestAnEmptyLogCostsOneStatement(t *testing.T) {
	_, dsn := opened(t)
	var statements []string
	s := hooked(t, dsn, func(statement string, _ func()) { statements = append(statements, statement) })
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	statements = nil
	require.Zero(t, apply(t, s))
	require.Len(t, statements, 1)
}

func TestABatchIsAppendedByOneStatement(t *testing.T) {
	_, dsn := opened(t)
	var statements []string
	s := hooked(t, dsn, func(statement string, _ func()) { statements = append(statements, statement) })
	makeLink(t, s, linktrack.Link{Path: "a"}) // the first change also asks whether the database is an unfinished copy
	for seq := range int64(3) {
		statements = nil
		appendBatch(t, s, linktrack.Batch{Seq: seq + 1, Clicks: []linktrack.Click{click(1, noon)}})
		if seq == 0 {
			require.Len(t, statements, 1, "it is prepared")
		} else {
			require.Empty(t, statements, "a prepared statement is executed, and nothing else")
		}
	}
}

// The connection ends at every statement of a step in turn, and when the answer to COMMIT
// is on its way.
func TestAStepThatIsKilledAtAnyStatementIsAppliedOnce(t *testing.T) {
	plain, dsn := opened(t)
	at, n := -1, 0
	var killed string
	s := hooked(t, dsn, func(statement string, kill func()) {
		if n == at {
			killed = strings.Join(strings.Fields(statement), " ")
			kill()
		}
		n++
	})
	l := makeLink(t, plain, linktrack.Link{Path: "a", LinkSettings: linktrack.LinkSettings{AlertAt: 2}})
	var kills []string
	want := 0
	var sent []linktrack.Click
	for at = 0; ; at++ {
		b := linktrack.Batch{Source: linktrack.Source{1}, Seq: int64(at + 1), Clicks: []linktrack.Click{click(l.ID, noon.Add(time.Duration(at)*time.Second)), click(l.ID, noon)}}
		for i := range b.Clicks { // both have a text that no other batch has
			b.Clicks[i].UserAgent = strings.Repeat(fmt.Sprint("agent ", at, " "), 20)
		}
		sent = append(sent, b.Clicks...)
		appendBatch(t, plain, b)
		want += 2
		n, killed = 0, ""
		_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
		if killed == "" {
			require.NoError(t, err)
		}
		kills = append(kills, killed)
		appendBatch(t, plain, b)
		apply(t, plain)
		require.EqualValues(t, want, counts(t, plain, l).People, killed)
		require.EqualValues(t, want, total(t, plain, l.ID), killed)
		require.ElementsMatch(t, sent, history(t, plain, l.ID), killed)
		if killed == "" {
			break
		}
	}
	all := strings.Join(kills, "\n")
	for _, statement := range []string{"INSERT INTO lt_text", "INSERT INTO lt_hit", "INSERT INTO lt_day", "UPDATE lt_roll", "INSERT INTO lt_count", "DELETE FROM lt_log", "COMMIT", "COMMITTED"} {
		require.Contains(t, all, statement)
	}
	var alerts int
	require.NoError(t, admin(t, dsn).Get(&alerts, `SELECT COUNT(*) FROM lt_alert`))
	require.Equal(t, 1, alerts)
}

func TestAProcessWaitsForTheOneThatAppliesAndDoesNotRepeatItsWork(t *testing.T) {
	first, dsn := opened(t)
	l := makeLink(t, first, linktrack.Link{Path: "a"})
	appendBatch(t, first, linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})

	inStep, goOn := make(chan struct{}), make(chan struct{})
	slow := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "DELETE FROM lt_log") {
			close(inStep)
			<-goOn
		}
	})
	looked := make(chan struct{}, 1000)
	waiting := hooked(t, dsn, func(statement string, _ func()) {
		assert.NotContains(t, statement, "INSERT INTO lt_hit", "it does the same work")
		if strings.HasPrefix(statement, "SELECT") && strings.Contains(statement, "lease_until") {
			looked <- struct{}{}
		}
	})
	var all sync.WaitGroup
	all.Go(func() {
		_, err := slow.ApplyClicks(t.Context(), nil, time.Time{})
		assert.NoError(t, err)
	})
	<-inStep
	done := make(chan struct{})
	all.Go(func() {
		defer close(done)
		_, err := waiting.ApplyClicks(t.Context(), nil, time.Time{})
		assert.NoError(t, err)
		c, err := waiting.LinkByPath(t.Context(), l.Host, l.Key())
		assert.NoError(t, err)
		assert.EqualValues(t, 1, c.Counts.People, "it returned before the batch was applied")
	})
	<-looked
	<-looked
	select {
	case <-done:
		t.Error("it did not wait")
	default:
	}
	close(goOn)
	all.Wait()
}

func TestTheLeaseOfAProcessThatEndedIsTakenOver(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	appendBatch(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	db.MustExec(`UPDATE lt_roll SET lease_holder = REPEAT('x', 16), lease_until = UNIX_TIMESTAMP() + 50`)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := s.ApplyClicks(ctx, nil, time.Time{})
	require.ErrorIs(t, err, context.DeadlineExceeded, "the other process may be at work")
	db.MustExec(`UPDATE lt_roll SET lease_until = UNIX_TIMESTAMP() - 1`)
	require.Zero(t, apply(t, s))
	require.EqualValues(t, 1, counts(t, s, l).People)
}

// Whatever happens to the lease during a step, also where no lock holds others up, as on
// several servers: the step is not committed when the lease is another one's.
func TestAStepThatHasLostItsLeaseIsNotCommitted(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	for name, change := range map[string]string{
		"the lease": `UPDATE lt_roll SET lease_holder = REPEAT('x', 16), lease_until = 0`,
		"the log":   `UPDATE lt_log SET seq = seq + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			before := counts(t, plain, l).People
			appendBatch(t, plain, linktrack.Batch{Source: linktrack.Source{byte(len(name))}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
			changed := false
			s := hooked(t, dsn, func(statement string, _ func()) {
				// before the step has the lock
				if !changed && (name == "the lease" && strings.Contains(statement, "from_hour FROM lt_roll WHERE id = 1 FOR UPDATE") ||
					name == "the log" && strings.HasPrefix(statement, "DELETE FROM lt_log")) {
					changed = true
					db.MustExec(change)
				}
			})
			_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
			require.NoError(t, err)
			require.True(t, changed)
			apply(t, plain)
			require.Equal(t, before+1, counts(t, plain, l).People)
			require.Len(t, history(t, plain, l.ID), int(before)+1)
		})
	}
}

func TestVisitorsToALinkWithALimitDoNotWaitForALongStep(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a", LinkSettings: linktrack.LinkSettings{DeactivateAt: 100}})
	appendBatch(t, plain, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	reserved := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.Contains(statement, "FROM lt_count") || strings.HasPrefix(statement, "INSERT INTO lt_count") ||
			strings.HasPrefix(statement, "INSERT INTO lt_alert") || strings.HasPrefix(statement, "DELETE FROM lt_log") || strings.HasPrefix(statement, "COMMIT") {
			return // the end of the step
		}
		n, err := trackertest.Reserve(t.Context(), plain, l.ID, 1)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		reserved++
	})
	_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	require.Greater(t, reserved, 10)
}

// A source that has always more to apply does not hold up others, nor the call.
func TestACallAppliesWhatWasThereAndEnds(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	seq := int64(0)
	more := func(source byte, n int) {
		seq++
		b := linktrack.Batch{Source: linktrack.Source{source}, Seq: seq}
		for range n {
			b.Clicks = append(b.Clicks, click(l.ID, noon))
		}
		appendBatch(t, plain, b)
	}
	for source := range byte(5) {
		more(source, 1100)
		more(source, 1100)
	}
	steps := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if statement == "COMMIT" {
			steps++
			for source := range byte(5) {
				more(source, 1100)
			}
		}
	})
	for range 3 {
		steps = 0
		_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
		require.NoError(t, err)
		require.LessOrEqual(t, steps, 60)
		var left int
		require.NoError(t, admin(t, dsn).Get(&left, fmt.Sprintf(`SELECT COUNT(*) FROM lt_log WHERE seq <= %d`, 10)))
		require.Zero(t, left)
	}
}

func TestSourcesThatAreLongSilentAreForgotten(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	for i := range byte(3) {
		record(t, s, linktrack.Batch{Source: linktrack.Source{i}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	}
	db.MustExec(`UPDATE lt_source SET applied_at = applied_at - 399 * 86400 * 1000000 WHERE HEX(source) LIKE '01%'`)
	db.MustExec(`UPDATE lt_source SET applied_at = applied_at - 401 * 86400 * 1000000 WHERE HEX(source) LIKE '02%'`)
	db.MustExec(`INSERT INTO lt_source (source, seq) VALUES (REPEAT('o', 16), 7)`) // a process of the version before
	for range 2 {
		require.NoError(t, s.PruneClicks(t.Context(), time.Time{}))
		var sources []string
		require.NoError(t, db.Select(&sources, `SELECT LEFT(HEX(source), 2) FROM lt_source ORDER BY source`))
		require.Equal(t, []string{"00", "01", "6F"}, sources)
	}
}

func TestABatchThatIsTooLargeForARowIsRejected(t *testing.T) {
	s, _ := opened(t)
	b := linktrack.Batch{Seq: 1}
	for range 3 {
		c := click(1, noon)
		c.Query = strings.Repeat("q", 6<<20)
		b.Clicks = append(b.Clicks, c)
	}
	require.ErrorIs(t, s.AppendClicks(t.Context(), b), linktrack.ErrRejected)
	b.Clicks = b.Clicks[:1]
	require.NoError(t, s.AppendClicks(t.Context(), b))
}

func TestAStoreWithoutTablesRejectsClicks(t *testing.T) {
	s, dsn := opened(t)
	admin(t, dsn).MustExec(`RENAME TABLE lt_log TO lt_log_away`)
	b := linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(1, noon)}}
	require.ErrorIs(t, s.AppendClicks(t.Context(), b), linktrack.ErrRejected)
	admin(t, dsn).MustExec(`RENAME TABLE lt_log_away TO lt_log`)
	require.NoError(t, s.AppendClicks(t.Context(), b))
}

// A process took the lease and died, and the database's clock was set back after that.
func TestALeaseThatEndsInTheDistantFutureHoldsUpNobody(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	appendBatch(t, s, linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	admin(t, dsn).MustExec(`UPDATE lt_roll SET lease_holder = 'somebody', lease_until = UNIX_TIMESTAMP() + 3600`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	size, err := s.ApplyClicks(ctx, nil, time.Time{})
	require.NoError(t, err)
	require.Zero(t, size)
	require.EqualValues(t, 1, counts(t, s, l).People)
}

// What is in the log is returned also when a step fails, after others that did not.
func TestACallThatFailsReturnsWhatIsLeft(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	commits := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if statement == "COMMITTED" {
			if commits++; commits == 1 {
				cancel()
			}
		}
	})
	for seq := range int64(3) {
		b := linktrack.Batch{Source: linktrack.Source{1}, Seq: seq + 1}
		for range 4000 {
			b.Clicks = append(b.Clicks, click(l.ID, noon))
		}
		appendBatch(t, plain, b)
	}
	size, err := s.ApplyClicks(ctx, nil, time.Time{})
	require.ErrorIs(t, err, context.Canceled)
	require.Positive(t, size.Clicks)
	require.Less(t, size.Clicks, int64(12000))
	require.Positive(t, size.Bytes)
}
