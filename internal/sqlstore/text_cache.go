package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/maypok86/otter/v2"
)

// A textCache has the rows of lt_text that the last pages of history used. Rows never
// change, so it cannot have an outdated one. A row that was deleted with its day does no
// harm: a click that came too late to be deleted with it has its texts as before.
type textCache struct {
	rows *otter.Cache[textKey, dayText]
}

// maxTextCache is about the maximum size of the cache in bytes.
const maxTextCache = 8 << 20

func newTextCache() textCache {
	return textCache{otter.Must(&otter.Options[textKey, dayText]{
		MaximumWeight: maxTextCache,
		Weigher:       func(_ textKey, t dayText) uint32 { return uint32(t.size()) + 200 }, // 200: the entry without its texts
	})}
}

// read returns those rows that exist of the keys. It reads the missing ones from lt_text.
func (c textCache) read(ctx context.Context, db querier, keys map[textKey]struct{}) (map[textKey]dayText, error) {
	texts := make(map[textKey]dayText, len(keys))
	for k := range keys {
		if t, ok := c.rows.GetIfPresent(k); ok {
			texts[k] = t
			delete(keys, k)
		}
	}
	err := readTexts(ctx, db, `day, id, text, host, browser, platform`, slices.Collect(maps.Keys(keys)), func(scan func(...any) error) error {
		var k textKey
		var id []byte
		var t dayText
		err := scan(&k.day, &id, &t.text, &t.host, &t.browser, &t.platform)
		copy(k.id[:], id)
		texts[k] = t
		c.rows.Set(k, t)
		return err
	})
	return texts, err
}
