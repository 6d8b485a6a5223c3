package linktrack

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The answer to getReport, one model for all formats, see encode.go.

type reportModel struct {
	RedirectHash    text                   `json:"redirect_hash" xml:"redirect_hash"`
	Link            text                   `json:"link" xml:"link"`
	Title           text                   `json:"title" xml:"title"`
	From            text                   `json:"from" xml:"from"`
	To              text                   `json:"to" xml:"to"`
	By              text                   `json:"by" xml:"by"`
	CountTotal      int64                  `json:"count_total" xml:"count_total"`
	CountUnique     int64                  `json:"count_unique" xml:"count_unique"`
	CountBot        int64                  `json:"count_bot" xml:"count_bot"`
	CountConversion int64                  `json:"count_conversion" xml:"count_conversion"`
	Values          listModel[valueModel]  `json:"values" xml:"values"`
	Periods         listModel[periodModel] `json:"periods" xml:"periods"`
	ReferrerHosts   breakdownModel         `json:"referrer_hosts" xml:"referrer_hosts"`
	Browsers        breakdownModel         `json:"browsers" xml:"browsers"`
	Platforms       breakdownModel         `json:"platforms" xml:"platforms"`
	Countries       breakdownModel         `json:"countries" xml:"countries"`
}

type valueModel struct {
	Currency text   `json:"currency" xml:"currency"`
	Amount   amount `json:"amount" xml:"amount"`
}

type periodModel struct {
	Start           text  `json:"start" xml:"start"`
	UTCOffset       int   `json:"utc_offset" xml:"utc_offset"` // seconds east of UTC, for the hour that comes twice
	CountTotal      int64 `json:"count_total" xml:"count_total"`
	CountUnique     int64 `json:"count_unique" xml:"count_unique"`
	CountBot        int64 `json:"count_bot" xml:"count_bot"`
	CountConversion int64 `json:"count_conversion" xml:"count_conversion"`
}

type breakdownModel struct {
	Top   listModel[countModel] `json:"top" xml:"top"`
	Other int64                 `json:"other" xml:"other"`
}

type countModel struct {
	Value text  `json:"value" xml:"value"`
	Count int64 `json:"count" xml:"count"`
}

type reportDocument struct {
	Report reportModel `json:"report"`
}

// MarshalXML leaves out the wrapping that only JSON has.
func (d reportDocument) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(d.Report, xml.StartElement{Name: xml.Name{Local: "report"}})
}

// listModel is an array in JSON, and in XML an element with items.
type listModel[T any] []T

// MarshalXML writes the element, also where there are no items.
func (l listModel[T]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Items []T `xml:"item"`
	}{l}, start)
}

// amount is ten-thousandths, written as a decimal number.
type amount int64

func (a amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%s%d.%04d", sign, n/10_000, n%10_000)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalText is for XML.
func (a amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// MarshalJSON writes a number.
func (a amount) MarshalJSON() ([]byte, error) { return a.MarshalText() }

// WriteJSON writes the report as getReport answers it.
func (r Report) WriteJSON(w io.Writer) error {
	b, err := encodeJSON(r.document())
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// WriteCSV writes the report as one table in CSV (RFC 4180, UTF-8): a row for
// each thing that was counted, whose first two columns say what. Texts are
// written so that no spreadsheet takes them for formulas.
//
//	redirect_hash, link, title, from, to, by   the text or day, in value
//	total                                      the four counts
//	conversion_value                           the currency, in value, and the amount
//	day or hour                                its start, in value, utc_offset in seconds, and the four counts
//	referrer_host, browser, platform, country  the value, empty if not known, and the clicks of people
//	other_referrer_host and so on              the clicks of people with further values
func (r Report) WriteCSV(w io.Writer) error {
	b, err := encodeCSV(r.document())
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func (r Report) document() reportDocument {
	values := listModel[valueModel]{}
	for _, currency := range slices.Sorted(maps.Keys(r.Values)) {
		values = append(values, valueModel{text(currency), amount(r.Values[currency])})
	}
	periods := make(listModel[periodModel], len(r.Periods))
	for i, p := range r.Periods {
		start := p.Start.In(r.TimeZone)
		_, offset := start.Zone()
		periods[i] = periodModel{text(start.Format(timeLayout)), offset, p.People, p.Unique, p.Bots, p.Conversions}
	}
	return reportDocument{reportModel{
		RedirectHash:    text(r.Link.Path),
		Link:            text(r.URL),
		Title:           text(r.Link.Title),
		From:            text(r.From.String()),
		To:              text(r.To.String()),
		By:              text(r.By),
		CountTotal:      r.Total.People,
		CountUnique:     r.Total.Unique,
		CountBot:        r.Total.Bots,
		CountConversion: r.Total.Conversions,
		Values:          values,
		Periods:         periods,
		ReferrerHosts:   r.Referrers.model(),
		Browsers:        r.Browsers.model(),
		Platforms:       r.Platforms.model(),
		Countries:       r.Countries.model(),
	}}
}

func (b Breakdown) model() breakdownModel {
	top := make(listModel[countModel], len(b.Top))
	for i, v := range b.Top {
		top[i] = countModel{text(v.Value), v.Clicks}
	}
	return breakdownModel{top, b.Other}
}

var reportColumns = []string{"property", "value", "utc_offset", "count_total", "count_unique", "count_bot", "count_conversion", "amount"}

func (d reportDocument) writeCSV(w *csv.Writer) {
	r, number := d.Report, func(n int64) string { return strconv.FormatInt(n, 10) }
	w.Write(reportColumns)
	for _, p := range []struct {
		name  string
		value text
	}{
		{"redirect_hash", r.RedirectHash},
		{"link", r.Link},
		{"title", r.Title},
		{"from", r.From},
		{"to", r.To},
		{"by", r.By},
	} {
		w.Write([]string{p.name, cell(string(p.value)), "", "", "", "", "", ""})
	}
	w.Write([]string{"total", "", "", number(r.CountTotal), number(r.CountUnique), number(r.CountBot), number(r.CountConversion), ""})
	for _, v := range r.Values {
		w.Write([]string{"conversion_value", cell(string(v.Currency)), "", "", "", "", "", v.Amount.String()})
	}
	for _, p := range r.Periods {
		w.Write([]string{string(r.By), string(p.Start), strconv.Itoa(p.UTCOffset),
			number(p.CountTotal), number(p.CountUnique), number(p.CountBot), number(p.CountConversion), ""})
	}
	for _, b := range []struct {
		name string
		breakdownModel
	}{
		{"referrer_host", r.ReferrerHosts},
		{"browser", r.Browsers},
		{"platform", r.Platforms},
		{"country", r.Countries},
	} {
		for _, v := range b.Top {
			w.Write([]string{b.name, cell(string(v.Value)), "", number(v.Count), "", "", "", ""})
		}
		w.Write([]string{"other_" + b.name, "", "", number(b.Other), "", "", "", ""})
	}
}
