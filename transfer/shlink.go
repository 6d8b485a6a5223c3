package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A shlinkPages is the answers of Shlink's list of short URLs, one behind the
// other.
type shlinkPages struct {
	lines *lineReader
	json  *json.Decoder
	depth []string // names of the objects and lists that are open
	pages int      // that there are, as the file says
	seen  map[int]bool
	found bool // a list of short URLs
}

// A shlinkURL is a short URL as Shlink's API v3 has it.
type shlinkURL struct {
	ShortCode     string    `json:"shortCode"`
	LongURL       string    `json:"longUrl"`
	DateCreated   time.Time `json:"dateCreated"`
	Title         *string   `json:"title"`
	Tags          []string  `json:"tags"`
	Domain        *string   `json:"domain"`
	ForwardQuery  bool      `json:"forwardQuery"`
	VisitsCount   int64     `json:"visitsCount"` // until Shlink 3
	VisitsSummary struct {
		Total int64 `json:"total"`
	} `json:"visitsSummary"`
	Meta struct {
		ValidSince *time.Time `json:"validSince"`
		ValidUntil *time.Time `json:"validUntil"`
		MaxVisits  *int64     `json:"maxVisits"`
	} `json:"meta"`
}

func newShlink(in *bufio.Reader) *shlinkPages {
	lines := &lineReader{in: in}
	return &shlinkPages{lines: lines, json: json.NewDecoder(lines), seen: map[int]bool{}}
}

func (s *shlinkPages) column(param string) string {
	if name, ok := map[string]string{
		"external_url": "longUrl", "vanity_link": "shortCode", "redirect_hash": "shortCode", "host": "domain",
		"created_at": "dateCreated", "expires_at": "meta.validUntil", "deactivate_at": "meta.maxVisits",
		"group": "tags", "notes": "tags", "forward_query": "forwardQuery",
	}[param]; ok {
		return name
	}
	return param
}

func (s *shlinkPages) notes() []string {
	if s.pages > len(s.seen) {
		return []string{fmt.Sprintf("the file has %d of %d pages of short URLs", len(s.seen), s.pages)}
	}
	return nil
}

// next looks for the list "data" and returns what stands in it.
func (s *shlinkPages) next() (entry, error) {
	for {
		if s.inList() && s.json.More() {
			return s.read()
		}
		tok, err := s.json.Token()
		if errors.Is(err, io.EOF) && len(s.depth) == 0 {
			if !s.found {
				return entry{}, s.broken("there is no list of short URLs in the file")
			}
			return entry{}, io.EOF
		}
		if err != nil {
			return entry{}, s.unreadable(err)
		}
		if err := s.step(tok); err != nil {
			return entry{}, err
		}
	}
}

// inList reports whether the list of short URLs is open: "data", or one that is
// the whole file.
func (s *shlinkPages) inList() bool {
	switch n := len(s.depth); {
	case n == 1:
		return s.depth[0] == "["
	case n == 3:
		return s.depth[1] == "shortUrls{" && s.depth[2] == "data["
	}
	return false
}

// step follows the structure of the file, outside of the list.
func (s *shlinkPages) step(tok json.Token) error {
	name := ""
	if key, ok := tok.(string); ok { // of an object, since no others are read here
		name = key
		if name == "pagination" {
			var p struct {
				CurrentPage int `json:"currentPage"`
				PagesCount  int `json:"pagesCount"`
			}
			if err := s.json.Decode(&p); err != nil {
				return s.unreadable(err)
			}
			s.pages, s.seen[p.CurrentPage] = p.PagesCount, true
			return nil
		}
		if name != "shortUrls" && name != "data" {
			if err := s.json.Decode(new(json.RawMessage)); err != nil {
				return s.unreadable(err)
			}
			return nil
		}
		var err error
		if tok, err = s.json.Token(); err != nil {
			return s.unreadable(err)
		}
	}
	switch tok {
	case json.Delim('{'), json.Delim('['):
		s.depth = append(s.depth, name+tok.(json.Delim).String())
		s.found = s.found || s.inList()
	case json.Delim('}'), json.Delim(']'):
		s.depth = s.depth[:len(s.depth)-1]
	}
	return nil
}

func (s *shlinkPages) read() (entry, error) {
	var raw json.RawMessage
	if err := s.json.Decode(&raw); err != nil {
		return entry{}, s.unreadable(err)
	}
	end := s.lines.at(s.json.InputOffset())
	e := entry{line: end - bytes.Count(raw, []byte("\n"))}
	var u shlinkURL
	var wrong *json.UnmarshalTypeError
	switch err := json.Unmarshal(raw, &u); {
	case errors.As(err, &wrong):
		e.wrong(wrong.Field, "is of another kind than expected")
	case err != nil:
		e.wrong("", "it has a time that is none")
	default:
		s.fill(&e, u)
	}
	return e, nil
}

func (s *shlinkPages) fill(e *entry, u shlinkURL) {
	l := &e.link
	l.VanityLink, l.ExternalURL, l.CreatedAt, l.ForwardQuery = u.ShortCode, u.LongURL, u.DateCreated, u.ForwardQuery
	if u.ShortCode == "" {
		e.wrong("shortCode", "is missing")
	}
	if u.Title != nil {
		l.Title = oneLine(*u.Title)
	}
	if u.Domain != nil {
		l.Host = *u.Domain
	}
	switch len(u.Tags) {
	case 0:
	case 1:
		l.Group = u.Tags[0]
	default:
		l.Notes = "tags: " + strings.Join(u.Tags, ", ")
	}
	if u.Meta.ValidUntil != nil {
		l.ExpiresAt = *u.Meta.ValidUntil
	}
	if since := u.Meta.ValidSince; since != nil && since.After(time.Now()) {
		e.wrong("meta.validSince", "lies in the future, and a link here begins at once")
	}
	if most := u.Meta.MaxVisits; most != nil && *most > 0 {
		l.DeactivateAt = *most
		letThrough(l, max(u.VisitsCount, u.VisitsSummary.Total))
	}
}

func (s *shlinkPages) broken(reason string) error {
	return &broken{s.lines.at(s.json.InputOffset()), reason}
}

func (s *shlinkPages) unreadable(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return &broken{s.lines.at(syntax.Offset), "this is no JSON: " + syntax.Error()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return s.broken("the file ends within the JSON")
	}
	return err
}

// A lineReader knows in which lines the bytes are that were read through it.
type lineReader struct {
	in     io.Reader
	offset int64
	ends   []int64 // offsets of line ends that at was not asked about yet
	line   int     // how many were before
}

func (r *lineReader) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	for i, c := range b[:n] {
		if c == '\n' {
			r.ends = append(r.ends, r.offset+int64(i))
		}
	}
	r.offset += int64(n)
	return n, err
}

// at returns the line, from 1, of the byte before an offset. Offsets must not
// fall.
func (r *lineReader) at(offset int64) int {
	n := 0
	for n < len(r.ends) && r.ends[n] < offset {
		n++
	}
	r.ends = r.ends[n:]
	r.line += n
	return r.line + 1
}
