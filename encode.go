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

type linkModel struct {
	RedirectHash          text  `json:"redirect_hash" xml:"redirect_hash"`
	Link                  text  `json:"link" xml:"link"`
	ExternalURL           text  `json:"external_url" xml:"external_url"`
	Host                  text  `json:"host" xml:"host"`
	VanityLink            text  `json:"vanity_link" xml:"vanity_link"`
	Title                 text  `json:"title" xml:"title"`
	Description           text  `json:"description" xml:"description"`
	Notes                 text  `json:"notes" xml:"notes"`
	Group                 text  `json:"group" xml:"group"`
	IsActive              flag  `json:"is_active" xml:"is_active"`
	IsPublic              flag  `json:"is_public" xml:"is_public"`
	HasPlusTracking       flag  `json:"has_plus_tracking" xml:"has_plus_tracking"`
	HasPublicTracking     flag  `json:"has_public_tracking" xml:"has_public_tracking"`
	HasConversionTracking flag  `json:"has_conversion_tracking" xml:"has_conversion_tracking"`
	HasAlertEmail         flag  `json:"has_alert_email" xml:"has_alert_email"`
	HasPassword           flag  `json:"has_password" xml:"has_password"`
	AlertAt               int64 `json:"alert_at" xml:"alert_at"`
	DeactivateAt          int64 `json:"deactivate_at" xml:"deactivate_at"`
	ExpiresAt             text  `json:"expires_at" xml:"expires_at"`
	CreatedAt             text  `json:"created_at" xml:"created_at"`
	UpdatedAt             text  `json:"updated_at" xml:"updated_at"`
	CountDay              int64 `json:"count_day" xml:"count_day"`
	CountTotal            int64 `json:"count_total" xml:"count_total"`
	CountUnique           int64 `json:"count_unique" xml:"count_unique"`
	CountBot              int64 `json:"count_bot" xml:"count_bot"`
	CountConversion       int64 `json:"count_conversion" xml:"count_conversion"`
}

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
		Link linkModel `json:"link"`
	}
	linksDocument struct {
		XMLName xml.Name    `json:"-" xml:"links"`
		Links   []linkModel `json:"links" xml:"link"`
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

func (t *Tracker) linkModel(l Link) linkModel {
	return linkModel{
		RedirectHash:          text(l.Path),
		Link:                  text(t.TrackingURL(l)),
		ExternalURL:           text(l.ExternalURL),
		Host:                  text(l.Host),
		VanityLink:            text(l.Vanity()),
		Title:                 text(l.Title),
		Description:           text(l.Description),
		Notes:                 text(l.Notes),
		Group:                 text(l.Group),
		IsActive:              flag(!l.Disabled && !l.usedUp()),
		IsPublic:              flag(l.IsPublic),
		HasPlusTracking:       flag(l.HasPlusTracking),
		HasPublicTracking:     flag(l.HasPublicTracking),
		HasConversionTracking: flag(l.HasConversionTracking),
		HasAlertEmail:         flag(l.HasAlertEmail),
		HasPassword:           flag(l.HasPassword()),
		AlertAt:               l.AlertAt,
		DeactivateAt:          l.DeactivateAt,
		ExpiresAt:             t.stamp(l.ExpiresAt),
		CreatedAt:             t.stamp(l.CreatedAt),
		UpdatedAt:             t.stamp(l.Counts.LastClick),
		CountDay:              l.Counts.Day,
		CountTotal:            l.Counts.People,
		CountUnique:           l.Counts.Unique,
		CountBot:              l.Counts.Bots,
		CountConversion:       l.Counts.Conversions,
	}
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
		IsUnique:     flag(c.Unique),
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

// MarshalText is for XML.
func (f flag) MarshalText() ([]byte, error) { return f.MarshalJSON() }

// MarshalJSON writes a number.
func (f flag) MarshalJSON() ([]byte, error) {
	if f {
		return []byte("1"), nil
	}
	return []byte("0"), nil
}

func encodeXML(document any) ([]byte, error) {
	b := bytes.NewBufferString(xml.Header)
	err := xml.NewEncoder(b).Encode(document)
	b.WriteByte('\n')
	return b.Bytes(), err
}

func encodeJSON(document any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(document)
	return b.Bytes(), err
}
