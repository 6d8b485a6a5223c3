package sqlstore

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// A dayText is a row of lt_text without its id: a user agent with its browser and
// platform, or a referrer, or the beginning of one, with its host.
type dayText struct {
	day                           int64 // days since 1970 in UTC
	text, host, browser, platform string
}

func (t *dayText) size() int { return len(t.text) + len(t.host) + len(t.browser) + len(t.platform) }

// A textID is a hash of the texts of a row. Its key is a secret of the store, so that
// nobody can choose two texts with the same id.
type textID [12]byte

func (t *dayText) id(secret []byte) (id textID) {
	var b []byte
	for _, s := range [...]string{t.text, t.host, t.browser, t.platform} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	h := hmac.New(sha256.New, secret)
	h.Write(b)
	copy(id[:], h.Sum(nil))
	return id
}

// readTextSecret reads the key of the ids, which the first process makes.
func (s *Store) readTextSecret(ctx context.Context) (err error) {
	if s.textSecret == nil {
		secret := make([]byte, sha256.Size)
		rand.Read(secret)
		s.textSecret, err = s.setting(ctx, "text_key", secret)
	}
	return err
}

// A textKey is the primary key of lt_text.
type textKey struct {
	day int64
	id  textID
}

func compareTextKeys(x, y textKey) int {
	return cmp.Or(cmp.Compare(x.day, y.day), slices.Compare(x.id[:], y.id[:]))
}

// textDay returns the day under which the texts of a click are stored.
func textDay(click linktrack.ClickID) int64 { return click.Time().Unix() / 86400 }

// readTexts returns the columns of lt_text and calls take for each row that exists of the
// keys, which it sorts.
func readTexts(ctx context.Context, db querier, columns string, keys []textKey, take func(scan func(...any) error) error) error {
	slices.SortFunc(keys, compareTextKeys)
	for part := range slices.Chunk(keys, rowsAtOnce) {
		var p builder
		p.add(`SELECT ` + columns + ` FROM lt_text` + db.dialect().Index(primary) + ` WHERE `)
		var days []int64
		var ids [][]string // of each day
		for _, k := range part {
			if n := len(days); n == 0 || days[n-1] != k.day {
				days, ids = append(days, k.day), append(ids, nil)
			}
			of := &ids[len(ids)-1]
			*of = append(*of, string(k.id[:]))
		}
		p.anyOf(len(days), func(i int) {
			p.add(`day = ? AND id IN `, days[i])
			p.in(ids[i])
		})
		rows, err := db.QueryContext(ctx, p.sql.String(), p.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := take(rows.Scan); err != nil {
				return err
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}
