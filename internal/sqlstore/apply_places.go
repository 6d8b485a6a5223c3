package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// A sumDay is the key of a row of lt_sum. The names in of are keys.
type sumDay struct {
	of  linktrack.RollupOf
	day linktrack.Day
}

// The values of lt_sum.kind.
const (
	sumOfAccount = 1
	sumOfGroup   = 2
	sumOfTag     = 3
)

func sumKind(of linktrack.RollupOf) (kind int, name string) {
	switch {
	case of.Group != "":
		return sumOfGroup, of.Group
	case of.Tag != "":
		return sumOfTag, of.Tag
	}
	return sumOfAccount, ""
}

// writePlaces merges the sums of days of the links into those of their accounts, groups
// and tags. Only the holder of the lock on lt_roll writes lt_sum.
func (w *work) writePlaces(ctx context.Context, tx *transaction) error {
	days := slices.SortedFunc(maps.Keys(w.days), func(x, y linkDay) int {
		return cmp.Or(cmp.Compare(x.day, y.day), cmp.Compare(x.link, y.link))
	})
	sums := make(map[sumDay][]*linktrack.Rollup)
	replaced := make(map[sumDay][]*linktrack.Rollup)
	for _, k := range days {
		for _, of := range w.places[k.link] {
			key := sumDay{of, k.day}
			sums[key] = append(sums[key], w.days[k])
			if old := w.replaced[k]; old != nil {
				replaced[key] = append(replaced[key], old)
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(x, y sumDay) int {
		return cmp.Or(cmp.Compare(x.of.Account, y.of.Account), cmp.Compare(x.of.Group, y.of.Group),
			cmp.Compare(x.of.Tag, y.of.Tag), cmp.Compare(x.day, y.day))
	})
	for part := range slices.Chunk(keys, sumsAtOnce) {
		if err := writeSums(ctx, tx, part, sums, replaced); err != nil {
			return err
		}
	}
	return nil
}

// sumsAtOnce bounds the memory of a statement: a row may have some 20 KB.
const sumsAtOnce = 50

// writeSums merges what is added to some rows of lt_sum into them, one by one: what takes
// back must be merged into what has counted it. A row that does not have what is to be
// replaced stays as it is: the link counted for another group or tag then.
func writeSums(ctx context.Context, tx *transaction, keys []sumDay, added, replaced map[sumDay][]*linktrack.Rollup) error {
	type row struct {
		account int64
		kind    int
		name    string
		day     linktrack.Day
	}
	rowOf := make(map[row]sumDay, len(keys))
	sums := make(map[sumDay]*linktrack.Rollup, len(keys))
	var p builder
	p.add(`SELECT account_id, kind, name_key, day, data FROM lt_sum WHERE `)
	for _, k := range keys {
		kind, name := sumKind(k.of)
		rowOf[row{int64(k.of.Account), kind, name, k.day}] = k
	}
	p.anyOf(len(keys), func(i int) {
		kind, name := sumKind(keys[i].of)
		p.add(`(account_id = ? AND kind = ? AND name_key = ? AND day = ?)`, int64(keys[i].of.Account), kind, []byte(name), int64(keys[i].day))
	})
	rows, err := tx.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		var data []byte
		if err := rows.Scan(&r.account, &r.kind, &r.name, &r.day, &data); err != nil {
			return err
		}
		kept := linktrack.Rollup{Day: r.day}
		if err := json.Unmarshal(data, &kept); err != nil {
			return errDay // err is left out because it may quote the data
		}
		sums[rowOf[r]] = &kept
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	p = builder{}
	p.add(`INSERT INTO lt_sum (account_id, kind, name_key, day, data) VALUES `)
	n := 0
	for _, k := range keys {
		sum := sums[k]
		if sum == nil {
			sum = &linktrack.Rollup{Day: k.day}
		}
		if !takeOut(sum, replaced[k]) {
			continue
		}
		for _, day := range added[k] {
			sum.Merge(*day)
		}
		data, err := json.Marshal(sum)
		if err != nil {
			return err
		}
		kind, name := sumKind(k.of)
		p.row(n, int64(k.of.Account), kind, []byte(name), int64(k.day), data)
		n++
	}
	if n == 0 {
		return nil
	}
	p.add(tx.upsert("lt_sum", "account_id, kind, name_key, day", replace("data")))
	return p.exec(ctx, tx)
}

// takeOut subtracts roll-ups from a sum that has counted them. It reports false, and changes
// nothing, if the sum has less than one of them.
func takeOut(sum *linktrack.Rollup, days []*linktrack.Rollup) bool {
	for _, day := range days {
		if sum.People < day.People || sum.Unique < day.Unique || sum.Bots < day.Bots || sum.Conversions < day.Conversions {
			return false
		}
		sum.Merge(negative(day))
	}
	return true
}

// negative returns what takes a roll-up out of a sum, see [linktrack.Rollup.Merge].
func negative(r *linktrack.Rollup) linktrack.Rollup {
	tally := func(t linktrack.Tally) linktrack.Tally {
		top := make(map[string]int64, len(t.Top))
		for value, n := range t.Top {
			top[value] = -n
		}
		return linktrack.Tally{Top: top, Other: -t.Other}
	}
	counters := func(n linktrack.Counters) linktrack.Counters {
		return linktrack.Counters{People: -n.People, Unique: -n.Unique, Bots: -n.Bots, Conversions: -n.Conversions}
	}
	minus := linktrack.Rollup{
		Day: r.Day, Counters: counters(r.Counters), Hours: make(map[int]linktrack.Counters), Values: make(map[string]int64),
		Referrers: tally(r.Referrers), Browsers: tally(r.Browsers), Platforms: tally(r.Platforms), Countries: tally(r.Countries),
	}
	for hour, n := range r.Hours {
		minus.Hours[hour] = counters(n)
	}
	for currency, value := range r.Values {
		minus.Values[currency] = -value
	}
	return minus
}
