package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// ReclassifyClicks implements [linktrack.ClickReclassifier]. A step changes at most 1,000
// clicks. It needs the lease of ApplyClicks, because both change the same sums.
func (s *Store) ReclassifyClicks(ctx context.Context, verdicts []linktrack.Verdict, zone *time.Location) (changed int, err error) {
	const op = "re-classify clicks"
	if err := ctx.Err(); err != nil {
		return 0, s.failed(op, err)
	}
	for part := range slices.Chunk(lastVerdicts(verdicts), rowsAtOnce) {
		n, err := s.reclassify(ctx, part, zone)
		if changed += n; err != nil {
			return changed, s.failed(op, err)
		}
	}
	return changed, nil
}

// lastVerdicts returns the last verdict on each click, in the order of the history's
// primary key.
func lastVerdicts(verdicts []linktrack.Verdict) []linktrack.Verdict {
	sorted := slices.Clone(verdicts)
	slices.Reverse(sorted)
	slices.SortStableFunc(sorted, func(x, y linktrack.Verdict) int { return compareClicks(x.Click, y.Click) })
	return slices.CompactFunc(sorted, func(x, y linktrack.Verdict) bool { return x.Click == y.Click })
}

func compareClicks(x, y linktrack.ClickRef) int {
	return cmp.Or(cmp.Compare(x.Link, y.Link), slices.Compare(x.ID[:], y.ID[:]))
}

// reclassify makes one step.
func (s *Store) reclassify(ctx context.Context, verdicts []linktrack.Verdict, zone *time.Location) (changed int, err error) {
	err = s.withLease(ctx, func(tx *transaction) (err error) {
		changed, err = s.reclassifyIn(ctx, tx, verdicts, zone)
		return err
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// reclassifyIn locks and changes rows in the order in which a step of ApplyClicks does, and
// ends the lease.
func (s *Store) reclassifyIn(ctx context.Context, tx *transaction, verdicts []linktrack.Verdict, zone *time.Location) (changed int, err error) {
	from, err := s.lockLease(ctx, tx)
	if err != nil {
		return 0, err
	}
	rows, err := s.lockHits(ctx, tx, verdicts)
	if err != nil {
		return 0, err
	}
	clicks := make([]linktrack.Click, len(rows))
	for i := range rows {
		clicks[i] = rows[i].Click
	}
	now, deltas := linktrack.Reclassify(clicks, verdicts, zone)
	if err := updateHits(ctx, tx, now); err != nil {
		return 0, err
	}
	w := newWork()
	w.takeDeltas(deltas)
	if err := w.forgetUnknown(ctx, tx); err != nil {
		return 0, err
	}
	if err := w.write(ctx, tx, from); err != nil {
		return 0, err
	}
	if err := s.keepLease(ctx, tx, from, true); err != nil {
		return 0, err
	}
	return len(now), w.writeCounts(ctx, tx)
}

// lockHits returns the rows of the verdicts' clicks, and locks them. Clicks that are in
// lt_click, which has no columns for a class and a reason, are moved to lt_hit.
func (s *Store) lockHits(ctx context.Context, tx *transaction, verdicts []linktrack.Verdict) ([]historyRow, error) {
	if tx.OldTables {
		if err := moveOldClicks(ctx, tx, verdicts); err != nil {
			return nil, err
		}
	}
	var hits builder
	hits.add(selectHistory(`agent_id, referrer_id, class, reason`, `lt_hit`))
	hits.inClicks(verdicts)
	hits.add(tx.ForUpdate)
	rows, err := scanHistory(ctx, tx, &hits)
	if err != nil {
		return nil, err
	}
	return rows, s.addTexts(ctx, tx, rows)
}

// moveOldClicks moves clicks from lt_click to lt_hit.
func moveOldClicks(ctx context.Context, tx *transaction, verdicts []linktrack.Verdict) error {
	var old builder
	old.add(`SELECT 1 FROM lt_click`)
	old.inClicks(verdicts)
	old.add(tx.ForUpdate)
	var found []int
	if err := tx.SelectContext(ctx, &found, old.sql.String(), old.args...); err != nil || len(found) == 0 {
		return err
	}
	const columns = `link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot`
	var move, remove builder
	move.add(`INSERT INTO lt_hit (` + columns + `) SELECT ` + columns + ` FROM lt_click`)
	move.inClicks(verdicts)
	move.add(tx.upsert("lt_hit", "link_id, id", replace("link_id"))) // both tables may have a click, see readHistory
	if err := move.exec(ctx, tx); err != nil {
		return err
	}
	remove.add(`DELETE FROM lt_click`)
	remove.inClicks(verdicts)
	return remove.affectAll(ctx, tx, len(found))
}

// inClicks adds the condition that a row is that of one of the verdicts' clicks, which are
// in the order of the primary key.
func (p *builder) inClicks(verdicts []linktrack.Verdict) {
	var links []int64
	var ids [][]string // of each link
	for _, v := range verdicts {
		if n := len(links); n == 0 || links[n-1] != v.Click.Link {
			links, ids = append(links, v.Click.Link), append(ids, nil)
		}
		of := &ids[len(ids)-1]
		*of = append(*of, string(v.Click.ID[:]))
	}
	p.add(` WHERE `)
	p.anyOf(len(links), func(i int) {
		p.add(`link_id = ? AND id IN `, links[i])
		p.in(ids[i])
	})
}

// updateHits stores what the clicks are taken for. Their rows exist, so none is inserted.
func updateHits(ctx context.Context, tx *transaction, clicks []linktrack.Click) error {
	if len(clicks) == 0 {
		return nil
	}
	var p builder
	p.add(`INSERT INTO lt_hit (link_id, id, is_bot, class, reason) VALUES `)
	for i := range clicks {
		c := &clicks[i]
		p.row(i, c.Link, c.ID[:], c.Bot, signed(c.Class), signed(c.Reason))
	}
	p.add(tx.upsert("lt_hit", "link_id, id", replace("is_bot"), replace("class"), replace("reason")))
	return p.exec(ctx, tx)
}
