package sqlstore

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestFactsComeBackAsTheyWentIn(t *testing.T) {
	at := time.Date(2026, 3, 8, 9, 30, 0, 0, time.UTC) // 04:30 in Chicago, an hour after the clocks went on
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	in := linktrack.Click{ID: linktrack.NewClickID(at), Link: 7, ReferrerHost: "é.example", Browser: "Firefox", Platform: "", Country: "DE", Unique: true}
	b := appendFact([]byte{factsVersion}, &in, zone)
	first := len(b)
	b = appendFact(b, &linktrack.Click{ID: in.ID, Link: -1, Bot: true}, nil)
	second := len(b)
	b = appendConversion(b, &linktrack.Conversion{Click: linktrack.ClickRef{Link: 8}, Time: at, Value: 12_3400, Currency: "EUR"}, zone)
	var got []fact
	if err := readFacts(b, func(f *fact) { got = append(got, *f) }); err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	in.ID, in.Link = linktrack.ClickID{}, 0
	want := []fact{
		{at: at.UnixMicro(), day: linktrack.DayOf(at), of: 3, link: 7, click: in},
		{at: at.UnixMicro(), day: linktrack.DayOf(at), of: 9, link: -1, click: linktrack.Click{Bot: true}},
		{at: at.UnixMicro(), day: linktrack.DayOf(at), of: 3, link: 8, isConversion: true,
			conversion: linktrack.Conversion{Value: 12_3400, Currency: "EUR"}},
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	for n := range len(b) {
		err := readFacts(b[:n], func(*fact) {})
		if whole := n == 1 || n == first || n == second; (err == nil) != whole {
			t.Errorf("the first %d of %d bytes: %v", n, len(b), err)
		}
	}
	for _, version := range []byte{0, factsVersion + 1} {
		if err := readFacts([]byte{version}, nil); err == nil {
			t.Errorf("version %d is read", version)
		}
	}
	old := appendFact([]byte{1}, &linktrack.Click{ID: linktrack.NewClickID(time.UnixMicro(495_000)), Link: 7}, time.UTC)
	failed := readFacts(old, func(f *fact) {
		if f.link != 7 || f.at != 495_000*3600e6 {
			t.Errorf("of version 1: link %d at %d", f.link, f.at)
		}
	})
	if failed != nil {
		t.Error(failed)
	}
}

// Bytes of a row are either refused, or read as facts that can be summed up and
// that are the same after they were written and read again.
func FuzzFacts(f *testing.F) {
	at := time.UnixMicro(1_769_083_200_000_000)
	b := appendFact([]byte{factsVersion}, &linktrack.Click{ID: linktrack.NewClickID(at), Link: 7, ReferrerHost: "é.example", Browser: "Firefox", Unique: true}, time.UTC)
	b = appendConversion(b, &linktrack.Conversion{Click: linktrack.ClickRef{Link: 8}, Time: at, Value: 12_3400, Currency: "EUR"}, time.UTC)
	f.Add(b)
	f.Add(b[:len(b)-2])
	f.Add(appendTakenBack(b, &conversion{Conversion: linktrack.Conversion{Click: linktrack.ClickRef{Link: 8}, Time: at, Value: 12_3400, Currency: "EUR"}}))
	f.Add(append([]byte{1}, b[1:]...))
	f.Add(append(b[:1:1], 0, 14, 2, 2, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)) // a text of 2^64-1 bytes
	f.Fuzz(func(t *testing.T, row []byte) {
		read := func(b []byte) (all []fact, err error) {
			err = readFacts(b, func(f *fact) { all = append(all, *f) })
			return all, err
		}
		facts, err := read(row)
		if err != nil {
			require.ErrorIs(t, err, errFacts)
			return
		}
		again := []byte{factsVersion}
		for _, f := range facts {
			again = writeFact(again, f)
		}
		got, err := read(again)
		require.NoError(t, err)
		require.Equal(t, facts, got)

		w := newWork()
		want := 0
		for i := range facts {
			w.takeFact(&facts[i])
			if want++; facts[i].isTakenBack {
				want -= 2
			}
		}
		var taken int64
		for _, d := range w.days {
			taken += d.People + d.Bots + d.Conversions
		}
		require.EqualValues(t, want, taken)
	})
}

// writeFact writes a fact as it is, also one that no click makes.
func writeFact(b []byte, f fact) []byte {
	numbers, texts := []int64{f.link, f.at, int64(f.day), int64(f.of)}, []string{f.conversion.Currency}
	flags := byte(0)
	if f.isConversion {
		flags, numbers = factConversion, append(numbers, int64(f.conversion.Value))
		if f.isTakenBack {
			flags |= factTakenBack
		}
	} else {
		texts = []string{f.click.ReferrerHost, f.click.Browser, f.click.Platform, f.click.Country}
	}
	if f.click.Unique {
		flags |= factUnique
	}
	if f.click.Bot {
		flags |= factBot
	}
	b = append(b, flags)
	for _, n := range numbers {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range texts {
		b = appendText(b, s)
	}
	return b
}

// appendFact writes a click as processes of the version before do.
func appendFact(b []byte, c *linktrack.Click, zone *time.Location) []byte {
	var flags byte
	if c.Unique {
		flags |= factUnique
	}
	if c.Bot {
		flags |= factBot
	}
	day, hour := linktrack.DayAndHour(c.ID.Time(), zone)
	b = appendWhen(append(b, flags), c.Link, c.ID.Time(), day, hour)
	for _, s := range [...]string{c.ReferrerHost, c.Browser, c.Platform, c.Country} {
		b = appendText(b, Truncate(s, 1020))
	}
	return b
}
