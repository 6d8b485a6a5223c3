package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A shlink reads the answers of Shlink's GET /rest/v3/short-urls.
type shlink struct {
	t     *linktrack.Tracker
	pages int          // the number of pages that the file names
	seen  map[int]bool // pages that were read
	omitted
}

// A shlinkURL is a short URL in Shlink's API v3.
type shlinkURL struct {
	ShortCode     string   `json:"shortCode"`
	LongURL       string   `json:"longUrl"`
	DateCreated   string   `json:"dateCreated"`
	Title         *string  `json:"title"`
	Tags          []string `json:"tags"`
	Domain        *string  `json:"domain"`
	ForwardQuery  bool     `json:"forwardQuery"`
	VisitsCount   int64    `json:"visitsCount"` // until Shlink 3
	VisitsSummary struct {
		Total int64 `json:"total"`
	} `json:"visitsSummary"`
	Meta struct {
		ValidSince *string `json:"validSince"`
		ValidUntil *string `json:"validUntil"`
		MaxVisits  *int64  `json:"maxVisits"`
	} `json:"meta"`
	HasRedirectRules bool                       `json:"hasRedirectRules"` // since Shlink 4
	DeviceLongURLs   map[string]json.RawMessage `json:"deviceLongUrls"`   // in Shlink 3
	Crawlable        bool                       `json:"crawlable"`
}

func (s *shlink) column(param string) string {
	if name, ok := map[string]string{
		"external_url": "longUrl", "vanity_link": "shortCode", "redirect_hash": "shortCode", "host": "domain",
		"created_at": "dateCreated", "expires_at": "meta.validUntil", "deactivate_at": "meta.maxVisits",
		"group": "tags", "notes": "tags", "forward_query": "forwardQuery",
	}[param]; ok {
		return name
	}
	return param
}

func (s *shlink) notes() []string {
	notes := s.omitted.notes()
	if s.pages > len(s.seen) {
		notes = append(notes, fmt.Sprintf("the file has %d of %d pages of short URLs", len(s.seen), s.pages))
	}
	return notes
}

func (s *shlink) other(name string, raw []byte) error {
	if name != "pagination" {
		return nil
	}
	var p struct {
		CurrentPage int `json:"currentPage"`
		PagesCount  int `json:"pagesCount"`
	}
	err := json.Unmarshal(raw, &p)
	s.pages = p.PagesCount
	if len(s.seen) < 1_000_000 {
		s.seen[p.CurrentPage] = true
	}
	return err
}

var errNoTime = errors.New("it has an invalid time")

func (s *shlink) link(e *entry, raw []byte) error {
	var u shlinkURL
	if err := json.Unmarshal(raw, &u); err != nil {
		return err
	}
	l := &e.link
	l.VanityLink, l.ExternalURL, l.ForwardQuery = u.ShortCode, u.LongURL, u.ForwardQuery
	if u.ShortCode == "" {
		e.wrong("shortCode", "is missing")
	}
	if u.Title != nil {
		l.Title = oneLine(*u.Title)
	}
	if u.Domain != nil {
		l.Host = *u.Domain
	}
	l.Group, l.Notes = groupOf(u.Tags)
	if limit := u.Meta.MaxVisits; limit != nil && *limit > 0 {
		l.DeactivateAt = *limit
		subtractUsed(l, max(u.VisitsCount, u.VisitsSummary.Total))
	}
	if u.HasRedirectRules {
		s.add("redirect rules")
	}
	for _, url := range u.DeviceLongURLs {
		if isSet(url) {
			s.add("deviceLongUrls")
			break
		}
	}
	if u.Crawlable {
		s.add("crawlable")
	}
	var since time.Time
	for _, t := range []struct {
		at   *time.Time
		text *string
	}{{&l.CreatedAt, &u.DateCreated}, {&l.ExpiresAt, u.Meta.ValidUntil}, {&since, u.Meta.ValidSince}} {
		if t.text == nil {
			continue
		}
		var ok bool
		if *t.at, ok = parseTime(*t.text, s.t.TimeZone()); !ok {
			return errNoTime
		}
	}
	if since.After(time.Now()) {
		e.wrong("meta.validSince", "is in the future, but a link here is active at once")
	}
	return nil
}

// groupOf returns a single tag as the group, and several tags as notes.
func groupOf(tags []string) (group, notes string) {
	switch len(tags) {
	case 0:
		return "", ""
	case 1:
		return tags[0], ""
	}
	return "", "tags: " + strings.Join(tags, ", ")
}
