package linktrack

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"time"
)

// The API's answers, one model for both formats: the order of the fields is the
// order in XML and in JSON.

type clickModel struct {
	ID           text `json:"id" xml:"id"`
	CreatedAt    text `json:"created_at" xml:"created_at"`
	IPAddress    text `json:"ip_address" xml:"ip_address"`
	Referrer     text `json:"referrer" xml:"referrer"`
	ReferrerHost text `json:"referrer_host" xml:"referrer_host"`
	UserAgent    text `json:"user_agent" xml:"user_agent"`
	Browser      text `json:"browser" xml:"browser"`
	Platform     text `json:"platform" xml:"platform"`
	IsUnique     flag `json:"is_unique" xml:"is_unique"`
	IsBot        flag `json:"is_bot" xml:"is_bot"`
	Query        text `json:"query" xml:"query"`
}

type conversionModel struct {
	ClickID  text `json:"click_id" xml:"click_id"`
	OrderID  text `json:"order_id" xml:"order_id"`
	Value    text `json:"value" xml:"value"`
	Currency text `json:"currency" xml:"currency"`
	Counted  flag `json:"counted" xml:"counted"`
}

type errorModel struct {
	Code    int  `json:"code" xml:"code"`
	Message text `json:"message" xml:"message"`
}

// The documents: XML takes the element's name from XMLName, JSON the key from
// the tag.
type (
	linkDocument struct {
		Link linkModel
	}
	linksDocument struct {
		XMLName xml.Name    `xml:"links"`
		Links   []linkModel `xml:"link"`
	}
	historyDocument struct {
		XMLName xml.Name     `json:"-" xml:"history"`
		Items   []clickModel `json:"history" xml:"item"`
	}
	conversionDocument struct {
		Conversion conversionModel `json:"conversion"`
	}
	errorDocument struct {
		Error errorModel `json:"error"`
	}
)

// MarshalXML leaves out the wrapping that only JSON has.
func (d linkDocument) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(d.Link, xml.StartElement{Name: xml.Name{Local: "link"}})
}

// MarshalXML leaves out the wrapping that only JSON has.
func (d conversionDocument) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(d.Conversion, xml.StartElement{Name: xml.Name{Local: "conversion"}})
}

// MarshalXML leaves out the wrapping that only JSON has.
func (d errorDocument) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(d.Error, xml.StartElement{Name: xml.Name{Local: "error"}})
}

func (t *Tracker) clickModel(c Click) clickModel {
	ip := ""
	if c.IP.IsValid() {
		ip = c.IP.String()
	}
	return clickModel{
		ID:           text(c.ID.String()),
		CreatedAt:    t.stamp(c.ID.Time()),
		IPAddress:    text(ip),
		Referrer:     text(c.Referrer),
		ReferrerHost: text(c.ReferrerHost),
		UserAgent:    text(c.UserAgent),
		Browser:      text(c.Browser),
		Platform:     text(c.Platform),
		IsUnique:     flag(c.Unique && !c.Bot), // a click that was re-classified as a bot's stays Unique
		IsBot:        flag(c.Bot),
		Query:        text(c.Query),
	}
}

// stamp writes a time in the service zone; the zero time is absent.
func (t *Tracker) stamp(at time.Time) text {
	if at.IsZero() {
		return ""
	}
	return text(at.In(t.opts.TimeZone).Format(timeLayout))
}

// text is a string whose empty value is absent: an empty element, null.
type text string

// MarshalXML strips the characters that XML 1.0 has no way to write.
func (s text) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' ||
			r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF {
			return r
		}
		return -1
	}, string(s)), start)
}

// MarshalJSON writes null for nothing.
func (s text) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(string(s))
	return b.Bytes(), err
}

// flag is written as 1 or 0.
type flag bool

func (f flag) String() string {
	if f {
		return "1"
	}
	return "0"
}

// MarshalText is for XML.
func (f flag) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// MarshalJSON writes a number.
func (f flag) MarshalJSON() ([]byte, error) { return f.MarshalText() }

func encodeXML(document any) ([]byte, error) {
	b := bytes.NewBufferString(xml.Header)
	err := xml.NewEncoder(b).Encode(document)
	b.WriteByte('\n')
	return b.Bytes(), err
}

func encodeJSON(document any) ([]byte, error) {
	var b bytes.Buffer
	if d, ok := document.(jsonWriter); ok {
		err := d.writeJSON(&b)
		b.WriteByte('\n')
		return b.Bytes(), err
	}
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(document)
	return b.Bytes(), err
}

// A jsonWriter is a document that writes itself. If it implemented
// json.Marshaler, encoding/json would parse again what it wrote.
type jsonWriter interface{ writeJSON(*bytes.Buffer) error }
