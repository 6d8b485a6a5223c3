package mysqlstore

import (
	"testing"
	"time"

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
