package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"unicode/utf8"

	"github.com/linktrackhq/linktrack"
)

// sortClicks sorts the clicks in the order of the history's primary key.
func (w *work) sortClicks() {
	slices.SortFunc(w.clicks, func(x, y linktrack.Click) int {
		return cmp.Or(cmp.Compare(x.Link, y.Link), slices.Compare(x.ID[:], y.ID[:]))
	})
}

// writeHistory writes the clicks. It ignores a click whose id is in the history already:
// an error would make the step fail each time that it is tried.
func (w *work) writeHistory(ctx context.Context, tx *transaction) error {
	hits := inserts{
		tx:   tx,
		head: `INSERT INTO lt_hit (link_id, id, ip, agent_id, referrer_id, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot, class, reason) VALUES `,
		tail: tx.upsert("lt_hit", "link_id, id", replace("link_id")),
	}
	for i := range w.clicks {
		c := &w.clicks[i]
		hits.begin()
		hits.number(c.Link)
		hits.bytes(string(c.ID[:]))
		hits.bytes(string(c.IP.AsSlice()))
		agentID, referrerID, referrer, host, userAgent, browser, platform := w.texts[i].rowTexts(c)
		for _, s := range [...]string{agentID, referrerID, referrer, host, userAgent, browser, platform, c.Country, c.Query} {
			hits.bytes(s)
		}
		hits.bool(c.Unique)
		hits.bool(c.Bot)
		hits.number(signed(c.Class))
		hits.number(signed(c.Reason))
		if err := hits.end(ctx); err != nil {
			return err
		}
	}
	return hits.flush(ctx)
}

// fitClick truncates the texts of a click to the lengths of their columns.
func fitClick(c *linktrack.Click) {
	c.Referrer = Truncate(c.Referrer, 8192)
	c.ReferrerHost = Truncate(c.ReferrerHost, 1020)
	c.UserAgent = Truncate(c.UserAgent, 4096)
	c.Browser = Truncate(c.Browser, 1020)
	c.Platform = Truncate(c.Platform, 1020)
	c.Country = Truncate(c.Country, 8)
	c.Query = Truncate(c.Query, 8192)
}

// signed returns a class or reason as its column holds it: numbers from 128 on, which no
// version of this package has, are negative there.
func signed[T ~uint8](v T) int64 { return int64(int8(v)) }

// Truncate returns s, shortened to at most limit bytes. It does not split a character.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
