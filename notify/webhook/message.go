package webhook

import (
	"time"

	"github.com/linktrackhq/linktrack"
)

// A Message is the body of a post: an alert as JSON. New versions may add fields.
type Message struct {
	ID      string              `json:"id"`      // the same each time this alert is sent
	Kind    linktrack.AlertKind `json:"kind"`    // alert_at or deactivate_at
	Count   int64               `json:"count"`   // the number of people's clicks that the alert is about
	Reached time.Time           `json:"reached"` // when the link reached it; all times are RFC 3339 in UTC
	Link    Link                `json:"link"`    // the link at the time of the post
}

// A Link has the properties of a link in a [Message], with the names that the API
// uses. A text that is not set is empty.
type Link struct {
	RedirectHash    string     `json:"redirect_hash"`
	URL             string     `json:"url"` // the tracking link
	ExternalURL     string     `json:"external_url"`
	Host            string     `json:"host"`
	Title           string     `json:"title"`
	Group           string     `json:"group"`
	AlertAt         int64      `json:"alert_at"`      // 0 is off
	DeactivateAt    int64      `json:"deactivate_at"` // 0 is off
	ExpiresAt       *time.Time `json:"expires_at"`    // null: never
	CreatedAt       time.Time  `json:"created_at"`
	CountTotal      int64      `json:"count_total"`
	CountUnique     int64      `json:"count_unique"`
	CountBot        int64      `json:"count_bot"`
	CountConversion int64      `json:"count_conversion"`
}

func newMessage(a linktrack.Alert) Message {
	l := a.Link
	m := Message{
		ID:      a.ID,
		Kind:    a.Kind,
		Count:   a.Count,
		Reached: a.Reached.UTC(),
		Link: Link{
			RedirectHash:    l.Path,
			URL:             a.URL,
			ExternalURL:     l.ExternalURL,
			Host:            l.Host,
			Title:           l.Title,
			Group:           l.Group,
			AlertAt:         l.AlertAt,
			DeactivateAt:    l.DeactivateAt,
			CreatedAt:       l.CreatedAt.UTC(),
			CountTotal:      l.Counts.People,
			CountUnique:     l.Counts.Unique,
			CountBot:        l.Counts.Bots,
			CountConversion: l.Counts.Conversions,
		},
	}
	if !l.ExpiresAt.IsZero() {
		at := l.ExpiresAt.UTC()
		m.Link.ExpiresAt = &at
	}
	return m
}
