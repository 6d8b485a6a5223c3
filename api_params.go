package linktrack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/localtime"
)

// params are the parameters of an API call, by name. Only those that newParams was given
// are kept, because a client may send any number of others. As in PHP, in which the API's
// clients are written, the last value of a name counts, and one in the body replaces one
// in the query string. An empty value is the same as none.
type params map[string]string

func newParams(names ...string) params {
	p := make(params, len(names))
	for _, name := range names {
		p[name] = ""
	}
	return p
}

// unset returns the same parameters, all of them absent.
func (p params) unset() params { return newParams(slices.Collect(maps.Keys(p))...) }

const (
	maxBody  = 1 << 20 // bytes
	maxParts = 1000    // of a multipart body
	maxPairs = 1000    // of a query string or a urlencoded body

	// Parameters of a Content-Type or a Content-Disposition take microseconds
	// each to parse, so their bytes are bounded.
	maxMediaType   = 4 << 10
	maxPartHeader  = 4 << 10
	maxPartHeaders = 128 << 10 // of all parts
)

var (
	errTooLarge  = errors.New("the body is too large")
	errMediaType = errors.New("the body must be application/x-www-form-urlencoded or multipart/form-data")
)

// readParams reads parameters of the query string and the body. The errors are
// errTooLarge, errMediaType, or an *InvalidError about the body. The parameters of the
// query string are also returned with an error.
func readParams(w http.ResponseWriter, r *http.Request, names []string) (params, error) {
	p := newParams(names...)
	if err := p.parse(r.URL.RawQuery, true); err != nil {
		return p, err
	}
	return p, p.readBody(w, r)
}

// readBody adds the parameters in the body of a POST, all of them or none.
func (p params) readBody(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost || r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	contentType := r.Header.Get("Content-Type")
	if len(contentType) > maxMediaType {
		return invalid("the Content-Type", "must have at most %d bytes", maxMediaType)
	}
	mediaType, attributes, err := mime.ParseMediaType(contentType)
	isForm := err == nil && mediaType == "application/x-www-form-urlencoded"
	isMultipart := err == nil && mediaType == "multipart/form-data"
	if !isForm && !isMultipart {
		if n, err := r.Body.Read(make([]byte, 1)); n > 0 {
			return errMediaType
		} else if err != nil && err != io.EOF {
			return bodyError(err)
		}
		return nil
	}
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return bodyError(err)
	case isForm:
		fields := p.unset()
		if err := fields.parse(string(body), false); err != nil {
			return err
		}
		for name, value := range fields {
			p.set(name, value)
		}
		return nil
	}
	fields := p.unset()
	if err := fields.readMultipart(body, attributes["boundary"]); err != nil {
		return bodyError(err)
	}
	for name, value := range fields {
		p.set(name, value)
	}
	return nil
}

func (p params) readMultipart(body []byte, boundary string) error {
	if boundary == "" {
		return invalid("the body", "is multipart/form-data and its boundary is missing")
	}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	headers := 0 // bytes
	for range maxParts {
		part, err := parts.NextPart()
		if err == io.EOF {
			// This is also returned for a body that ends in the header of a part. No
			// link must be made without the parameters that are missing.
			end := "--" + boundary + "--"
			if !bytes.HasPrefix(body, []byte(end)) && !bytes.Contains(body, []byte("\n"+end)) {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		size := headerSize(part)
		if headers += size; size > maxPartHeader || headers > maxPartHeaders {
			return invalid("the body", "must have at most %d bytes in the header of a part, and %d in all of them", maxPartHeader, maxPartHeaders)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() == "" {
			p.set(part.FormName(), string(value))
		}
	}
	return invalid("the body", "must have at most %d parts", maxParts)
}

func headerSize(part *multipart.Part) (n int) {
	for name, values := range part.Header {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}

func bodyError(err error) error {
	var large *http.MaxBytesError
	var inv *InvalidError
	switch {
	case errors.As(err, &large):
		return fmt.Errorf("%w: at most %d bytes are taken", errTooLarge, large.Limit)
	case errors.As(err, &inv):
		return err
	}
	return invalid("the body", "could not be read to its end")
}

// parse adds the pairs of a query string or a urlencoded body. Like PHP, it accepts every
// text. With rawURL, external_url may be pasted unescaped, as in the API's documentation:
// it extends to the end of the query or to "&login=" or "&pass=". Because the text is read
// before the login is checked, too many pairs are an *InvalidError.
func (p params) parse(s string, rawURL bool) error {
	const external = "external_url="
	for n := 0; ; n++ {
		if s = strings.TrimLeft(s, "&"); s == "" {
			return nil
		}
		if n == maxPairs {
			what := "the body"
			if rawURL {
				what = "the query"
			}
			return invalid(what, "must have at most %d parameters", maxPairs)
		}
		if rawURL && strings.HasPrefix(s, external) && isWebURL(s[len(external):]) {
			s = s[len(external):]
			end := rawEnd(s)
			p.set("external_url", s[:end])
			s = strings.TrimPrefix(s[end:], "&")
			continue
		}
		var pair string
		pair, s, _ = strings.Cut(s, "&")
		name, value, _ := strings.Cut(pair, "=")
		p.set(unescape(name), unescape(value))
	}
}

// rawEnd returns where the pasted URL at the beginning of s ends.
func rawEnd(s string) int {
	for i := 0; ; i++ {
		next := strings.IndexByte(s[i:], '&')
		if next < 0 {
			return len(s)
		}
		i += next
		if rest := s[i+1:]; strings.HasPrefix(rest, "login=") || strings.HasPrefix(rest, "pass=") {
			return i
		}
	}
}

func (p params) set(name, value string) {
	if _, known := p[name]; known && value != "" {
		p[name] = value
	}
}

func isWebURL(s string) bool {
	return hasPrefixFold(s, "http://") || hasPrefixFold(s, "https://")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// unescape decodes "+" and "%xx". Any other "%" stays as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, hexValue(s[i+1])<<4|hexValue(s[i+2]))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

// hexValue returns the value of a digit that isHex accepts.
func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// given are those parameters of makeLink that are set and need an account type
// which allows them.
func (p params) given() []string {
	var names []string
	for _, name := range linkParams {
		if p[name] != "" {
			names = append(names, name)
		}
	}
	return names
}

// ParseNewLink reads a link from the parameters of makeLink, by name, as the API
// does, and from forward_query and has_public_revenue. Other names are ignored.
// The error is an [*InvalidError].
func (t *Tracker) ParseNewLink(values map[string]string) (NewLink, error) {
	return params(values).newLink(t.opts.TimeZone)
}

func (p params) newLink(zone *time.Location) (NewLink, error) {
	in := NewLink{Host: p["host"], VanityLink: p["vanity_link"], Password: p["password"]}
	for _, property := range linkProperties {
		if err := property.parse(&in.LinkSettings, p, zone); err != nil {
			return NewLink{}, err
		}
	}
	return in, nil
}

// ParseLinkEdit reads a change for [Tracker.UpdateLink] from the parameters that
// [Tracker.ParseNewLink] reads, by name: a value sets its property, an empty
// value clears it, and a property whose name is missing stays as it is. Other
// names are ignored, and so are host and vanity_link, which cannot be changed.
// The error is an [*InvalidError].
func (t *Tracker) ParseLinkEdit(values map[string]string) (func(*LinkEdit), error) {
	given := params(maps.Clone(values))
	if _, err := given.newLink(t.opts.TimeZone); err != nil {
		return nil, err
	}
	return func(e *LinkEdit) {
		for _, property := range linkProperties {
			if _, ok := given[property.name]; ok {
				property.parse(&e.LinkSettings, given, t.opts.TimeZone) // without an error, as above
			}
		}
		if password, ok := given["password"]; ok {
			e.Password = &password
		}
	}, nil
}

func (p params) linksQuery() (LinksQuery, error) {
	q := LinksQuery{Sort: Sort(p["sort"])}
	var err error
	if q.Paths, err = p.list("links"); err != nil {
		return q, err
	}
	if q.Groups, err = p.list("groups"); err != nil {
		return q, err
	}
	if q.Ascending, err = p.ascending(); err != nil {
		return q, err
	}
	q.Limit, err = p.limit()
	return q, err
}

func (p params) historyQuery(zone *time.Location) (HistoryQuery, error) {
	var q HistoryQuery
	var err error
	if s := p["sort"]; s != "" && s != "h.created_at" {
		return q, invalid("sort", "must be h.created_at")
	}
	if q.Ascending, err = p.ascending(); err != nil {
		return q, err
	}
	if q.Limit, err = p.limit(); err != nil {
		return q, err
	}
	if q.Start, err = p.time("start_date", zone); err != nil {
		return q, err
	}
	if q.End, err = p.time("end_date", zone); err != nil {
		return q, err
	}
	if q.Before, err = p.clickID("before"); err != nil {
		return q, err
	}
	q.After, err = p.clickID("after")
	return q, err
}

func (p params) exportQuery(zone *time.Location) (q ClickRange, err error) {
	if q.Start, err = p.time("start_date", zone); err != nil {
		return q, err
	}
	if q.End, err = p.time("end_date", zone); err != nil {
		return q, err
	}
	q.After, err = p.clickID("after")
	return q, err
}

func (p params) reportQuery() (q ReportQuery, err error) {
	if q.From, err = p.day("from"); err != nil {
		return q, err
	}
	if q.To, err = p.day("to"); err != nil {
		return q, err
	}
	q.By = By(strings.ToLower(p["by"]))
	return q, nil
}

// day reads a day; zero if it is absent.
func (p params) day(name string) (Day, error) {
	s := p[name]
	if s == "" {
		return 0, nil
	}
	at, err := time.Parse(time.DateOnly, s)
	if err != nil || DayOf(at) < 1 {
		return 0, invalid(name, "must be a day such as 2024-11-24, after 1970-01-01")
	}
	return DayOf(at), nil
}

// number reads a whole number of 0 or more; 0 if it is absent.
func (p params) number(name string) (int64, error) {
	s := p[name]
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] == '+' || s[0] == '-' {
		return 0, invalid(name, "must be a whole number, 0 or more")
	}
	return n, nil
}

func (p params) limit() (int, error) {
	n, err := p.number("limit")
	if err != nil || n > maxLimit || n == 0 && p["limit"] != "" {
		return 0, invalid("limit", "must be a number from 1 to %d", maxLimit)
	}
	return int(n), nil
}

func (p params) flag(name string, absent bool) (bool, error) {
	switch strings.ToLower(p[name]) {
	case "":
		return absent, nil
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, invalid(name, "must be 1 or 0")
}

func (p params) ascending() (bool, error) {
	switch strings.ToLower(p["order"]) {
	case "", "desc":
		return false, nil
	case "asc":
		return true, nil
	}
	return false, invalid("order", "must be asc or desc")
}

const timeLayout = "2006-01-02 15:04:05"

// time reads a time, or a day for its 00:00:00; zero if it is absent. See localtime.Parse
// for times when clocks are changed.
func (p params) time(name string, zone *time.Location) (time.Time, error) {
	s := p[name]
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{timeLayout, time.DateOnly} {
		if at, ok := localtime.Parse(layout, s, zone); ok && at.Year() >= 1970 {
			return at, nil
		}
	}
	return time.Time{}, invalid(name, "must be a time such as 2024-11-24 10:35:16 or a day such as 2024-11-24, from 1970 on")
}

func (p params) clickID(name string) (ClickID, error) {
	if p[name] == "" {
		return ClickID{}, nil
	}
	id, ok := ParseClickID(p[name])
	if !ok {
		return ClickID{}, invalid(name, "must be the id of a click")
	}
	return id, nil
}
