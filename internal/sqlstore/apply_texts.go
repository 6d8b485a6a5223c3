package sqlstore

import (
	"context"
	"hash/maphash"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// A usage counts how often texts were used on a day, of the last texts that this process
// applied. An error in it costs some bytes in the history and has no other effect.
type usage struct {
	seed          maphash.Seed
	recent, older map[uint64]int // the number of uses by the hash of a dayText
}

// maxUsage is the maximum number of texts in each map of a usage.
const maxUsage = 1 << 15

func newUsage() *usage { return &usage{seed: maphash.MakeSeed(), recent: make(map[uint64]int)} }

// add adds to the number of uses of a text, and returns the sum.
func (u *usage) add(t dayText, uses int) int {
	h := maphash.Comparable(u.seed, t)
	n, ok := u.recent[h]
	if !ok {
		n = u.older[h]
		if len(u.recent) >= maxUsage {
			u.recent, u.older = make(map[uint64]int, maxUsage), u.recent
		}
	}
	u.recent[h] = n + uses
	return n + uses
}

// textRowBytes is about what a row of lt_text takes in addition to its texts.
const textRowBytes = 60

// A textUse says how often the clicks of a step use a text, and whether it is in lt_text.
type textUse struct {
	uses  int
	saves int    // bytes in the row of a click that has the id instead of the text
	id    textID // zero if the text is not in lt_text
}

func (u *textUse) shared() bool { return u != nil && u.id != textID{} }

// rowTexts returns the columns of lt_hit that depend on which texts are in lt_text.
func (t *clickTexts) rowTexts(c *linktrack.Click) (agentID, referrerID, referrer, host, userAgent, browser, platform string) {
	if t.agent.shared() {
		agentID = string(t.agent.id[:])
	} else {
		userAgent, browser, platform = c.UserAgent, c.Browser, c.Platform
	}
	switch {
	case t.referrer.shared():
		referrerID = string(t.referrer.id[:])
	case t.site.shared():
		referrerID, referrer = string(t.site.id[:]), c.Referrer[t.siteSize:]
	default:
		referrer, host = c.Referrer, c.ReferrerHost
	}
	return agentID, referrerID, referrer, host, userAgent, browser, platform
}

// clickTexts are the texts of a click that may be in lt_text; nil: none.
type clickTexts struct {
	agent    *textUse
	referrer *textUse // the whole referrer and its host
	site     *textUse // the beginning of the referrer, until its host, and the host
	siteSize int      // the length of this beginning
}

// shareTexts decides which texts of the clicks are to be in lt_text, and inserts those that
// are not there yet. A text has to save more bytes in the rows of the clicks than its own
// row takes: so what strangers send once takes no more room than it has itself.
func (w *work) shareTexts(ctx context.Context, tx *transaction, usage *usage, secret []byte) error {
	uses := make(map[dayText]*textUse)
	use := func(t dayText, saves int) *textUse {
		if saves <= 0 {
			return nil
		}
		u := uses[t]
		if u == nil {
			u = &textUse{saves: saves}
			uses[t] = u
		}
		u.uses++
		return u
	}
	w.texts = make([]clickTexts, len(w.clicks))
	for i := range w.clicks {
		c, t := &w.clicks[i], &w.texts[i]
		day := textDay(c.ID)
		agent := dayText{day: day, text: c.UserAgent, browser: c.Browser, platform: c.Platform}
		t.agent = use(agent, agent.size()-len(textID{}))
		t.siteSize = siteSize(c)
		site := dayText{day: day, text: c.Referrer[:t.siteSize], host: c.ReferrerHost}
		t.site = use(site, site.size()-len(textID{}))
		t.referrer = t.site
		if rest := len(c.Referrer) - t.siteSize; rest > 0 {
			t.referrer = use(dayText{day: day, text: c.Referrer, host: c.ReferrerHost}, rest)
		}
	}
	byKey := make(map[textKey]dayText)
	var keys []textKey
	for t, u := range uses {
		if usage.add(t, u.uses)*u.saves > t.size()+textRowBytes {
			u.id = t.id(secret)
			k := textKey{t.day, u.id}
			byKey[k] = t
			keys = append(keys, k)
		}
	}
	return insertTexts(ctx, tx, keys, byKey)
}

// siteSize returns the length of the beginning of the referrer that many pages of a site
// have in common: until its host, and the slash after that. If the host is not in it, this
// is the whole referrer.
func siteSize(c *linktrack.Click) int {
	i := strings.Index(c.Referrer, c.ReferrerHost)
	if i < 0 || c.ReferrerHost == "" {
		return len(c.Referrer)
	}
	n := i + len(c.ReferrerHost)
	if n < len(c.Referrer) && c.Referrer[n] == '/' {
		n++
	}
	return n
}

// insertTexts inserts those texts that lt_text does not have. It asks first, because it has
// most of them. A row that has just been found can be deleted only if its day is one that
// PruneClicks removes: such clicks are about to be removed, too.
func insertTexts(ctx context.Context, tx *transaction, keys []textKey, texts map[textKey]dayText) error {
	err := readTexts(ctx, tx, `day, id`, keys, func(scan func(...any) error) error {
		var k textKey
		var id []byte
		err := scan(&k.day, &id)
		copy(k.id[:], id)
		delete(texts, k)
		return err
	})
	if err != nil {
		return err
	}
	rows := inserts{
		tx:   tx,
		head: `INSERT INTO lt_text (day, id, text, host, browser, platform) VALUES `,
		tail: tx.upsert("lt_text", "day, id", replace("day")),
	}
	for _, k := range keys { // in their order, as any other process inserts them
		t, missing := texts[k]
		if !missing {
			continue
		}
		rows.begin()
		rows.number(k.day)
		for _, s := range [...]string{string(k.id[:]), t.text, t.host, t.browser, t.platform} {
			rows.bytes(s)
		}
		if err := rows.end(ctx); err != nil {
			return err
		}
	}
	return rows.flush(ctx)
}
