package linktrack

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strconv"
	"time"
)

// A linkModel is a link as the API returns it, with the fields of linkFields.
type linkModel struct {
	t *Tracker
	*Link
}

func (t *Tracker) linkModel(l Link) linkModel {
	l.Disabled = l.Disabled || l.usedUp() // is_active is 0 in both cases
	return linkModel{t, &l}
}

// A linkField is a field of a link in the API's answers.
type linkField struct {
	name  string
	value func(linkModel) any // a text, a flag, or an int64
}

// linkFields are the fields of a link in the order in which the API returns
// them: the properties of linkProperties, and the fields that are no settings,
// each after the property that it follows.
var linkFields = func() []linkField {
	fields := []linkField{
		{"redirect_hash", func(m linkModel) any { return text(m.Path) }},
		{"link", func(m linkModel) any { return text(m.t.TrackingURL(*m.Link)) }},
	}
	following := map[string][]linkField{
		"external_url": {
			{"host", func(m linkModel) any { return text(m.Host) }},
			{"vanity_link", func(m linkModel) any { return text(m.Vanity()) }},
		},
		"has_alert_email": {
			{"has_password", func(m linkModel) any { return flag(m.HasPassword()) }},
		},
		"expires_at": {
			{"created_at", func(m linkModel) any { return m.t.stamp(m.CreatedAt) }},
			{"updated_at", func(m linkModel) any { return m.t.stamp(m.Counts.LastClick) }},
			{"count_day", func(m linkModel) any { return m.Counts.Day }},
			{"count_total", func(m linkModel) any { return m.Counts.People }},
			{"count_unique", func(m linkModel) any { return m.Counts.Unique }},
			{"count_bot", func(m linkModel) any { return m.Counts.Bots }},
			{"count_conversion", func(m linkModel) any { return m.Counts.Conversions }},
		},
	}
	for _, p := range linkProperties {
		if !p.internal {
			fields = append(fields, linkField{p.name, func(m linkModel) any { return m.setting(&p) }})
		}
		fields = append(fields, following[p.name]...)
	}
	return fields
}()

// setting returns the value of a property as answers have it.
func (m linkModel) setting(p *linkProperty) any {
	switch v := p.value(&m.LinkSettings).(type) {
	case string:
		return text(v)
	case bool:
		return flag(v)
	case time.Time:
		return m.t.stamp(v)
	default:
		return v
	}
}

// MarshalXML writes the fields in their order.
func (m linkModel) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, f := range linkFields {
		if err := e.EncodeElement(f.value(m), xml.StartElement{Name: xml.Name{Local: f.name}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// writeJSON writes the fields in their order.
func (m linkModel) writeJSON(b *bytes.Buffer) error {
	texts := json.NewEncoder(b)
	texts.SetEscapeHTML(false)
	next := byte('{')
	for _, f := range linkFields {
		b.WriteByte(next)
		next = ','
		b.WriteByte('"')
		b.WriteString(f.name)
		b.WriteString(`":`)
		switch v := f.value(m).(type) {
		case text:
			if v == "" {
				b.WriteString("null")
				break
			}
			if err := texts.Encode(string(v)); err != nil {
				return err
			}
			b.Truncate(b.Len() - 1) // the end of the line
		case flag:
			b.WriteString(v.String())
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		}
	}
	b.WriteByte('}')
	return nil
}

// writeJSON writes {"link":{…}}.
func (d linkDocument) writeJSON(b *bytes.Buffer) error {
	b.WriteString(`{"link":`)
	err := d.Link.writeJSON(b)
	b.WriteByte('}')
	return err
}

// writeJSON writes {"links":[{…},…]}.
func (d linksDocument) writeJSON(b *bytes.Buffer) error {
	b.WriteString(`{"links":[`)
	for i, m := range d.Links {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := m.writeJSON(b); err != nil {
			return err
		}
	}
	b.WriteString(`]}`)
	return nil
}
