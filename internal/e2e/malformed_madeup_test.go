package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// A chooser makes attempts up, always the same ones.
type chooser struct{ *rand.Rand }

// madeUpAttempts returns n attempts, each with one mistake of a kind at a place
// and in surroundings that are chosen at random.
func madeUpAttempts(n int) []attempt {
	c := chooser{rand.New(rand.NewPCG(2, 2012))}
	kinds := []func() attempt{
		c.badValue, c.badValue, c.badValue, c.badValueInParts, c.badQuery, c.badQuery,
		c.cutParts, c.cutParts, c.wrongLength, c.wrongMethod, c.wrongType, c.noise, c.noiseAsBody, c.badPath, c.tooMuch, c.strange,
	}
	attempts := make([]attempt, n)
	for i := range attempts {
		attempts[i] = kinds[i%len(kinds)]()
		attempts[i].name = fmt.Sprintf("made up no. %d, %s", i, attempts[i].name)
	}
	return attempts
}

func (c chooser) one(of ...string) string { return of[c.IntN(len(of))] }

// bytes returns up to n bytes of any kind.
func (c chooser) bytes(n int) string {
	b := make([]byte, 1+c.IntN(n))
	for i := range b {
		b[i] = byte(c.Uint32())
	}
	return string(b)
}

// escaped is s as a parameter's value, each byte as it is, if it may be, or as
// an escape.
func (c chooser) escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c.IntN(2) == 0 {
			fmt.Fprintf(&b, "%%%02x", s[i])
		} else {
			b.WriteString(url.QueryEscape(s[i : i+1]))
		}
	}
	return b.String()
}

// badText is no UTF-8, or has a control character, or is too long for anything.
func (c chooser) badText() string {
	const words = "Grüße, 世界 & <b>\"friends\"</b>; 100% 'sure'"
	i := c.IntN(len(words))
	return words[:i] + c.one("\x00", "\x01", "\x1b[2J", "\x7f", "\xff", "\xc3\x28", "\xed\xa0\x80", "\xf8\x88\x80\x80", "\xc0\xaf",
		"\u0085", strings.Repeat("ü", 10_001)) + words[i:]
}

func (c chooser) badNumber() string {
	return c.one("-1", "+1", "1.5", "1e9", "NaN", "Infinity", "0x10", " 1", "1 ", "1,000", "٣", "９", "--", "\x00",
		"9223372036854775808", "1"+strings.Repeat("0", 1+c.IntN(5000)), c.bytes(8)+"x")
}

func (c chooser) badTime() string {
	return c.one("0000-00-00", "0000-00-00 00:00:00", "2094-13-01", "2094-02-30", "2094-1-1", "12/24/2094", "24.12.2094", "tomorrow", "now",
		"4000000000", "-2094-12-24", "2094-12-24T10:35:16", "2094-12-24 10:35", "2094-12-24 25:00:00", "2094-12-24 10:35:16.5", "1969-12-31",
		"99999-12-31", "2094-12-24 10:35:16 ", "２０９４-12-24", c.bytes(10), strings.Repeat("2", 1+c.IntN(5000)))
}

// badParameter is one that makeLink refuses whatever stands beside it.
func (c chooser) badParameter() (name, value string) {
	switch c.IntN(7) {
	case 0:
		return c.one("title", "description", "notes", "group"), c.badText()
	case 1:
		return c.one("alert_at", "deactivate_at"), c.badNumber()
	case 2:
		return "expires_at", c.one(c.badTime(), "2020-02-29", "1970-01-01 00:00:00", "9999-12-32 23:59:59")
	case 3:
		return c.one("is_active", "is_public", "has_plus_tracking", "has_public_tracking", "has_conversion_tracking", "has_alert_email"),
			c.one("2", "-1", "01", "y", "t", "null", "1 ", "\x00", "১", strings.Repeat("1", 5000), c.bytes(6)+"x")
	case 4:
		return "vanity_link", c.one("a b", "a.b", ".f2jt", "a/b", "../x", "é", "api", "API", "robots.txt", "plain", "SECRET", "a+", "%", "\x00", "-\xff",
			"<script>", strings.Repeat("x", 101), c.bytes(20)+"?")
	case 5:
		return "host", c.one("other.example", "go.example.com.evil.example", "http://go.example.com", "go.example.com/x", "a b", "[::1", "\x00", "\xff", "..",
			"localhost:99999", strings.Repeat("x.", 5000), c.bytes(20)+" ")
	}
	return "external_url", c.one("example.com", "//example.com", "http:/example.com", "http://", "https:///x", "http://x", "http://www.x", "ftp://example.com",
		"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", " http://example.com", "http://example.com\n", "http://exa mple.com", "http://u:p@example.com",
		"http://example.com:99999", "http://example.com:x", "http://[::1", "http://[x]", "http://example..com", "http://exam%70le.com", "http://go.example.com/plain",
		"http://GO.example.com.", "http://example.com/"+strings.Repeat("x", 5000), "http://example.com/"+c.badText(), "http://"+c.bytes(20)+"@", "h\xffttp://example.com")
}

// surroundings are parameters that are right, or that nobody knows.
func (c chooser) surroundings() string {
	s := credentials
	for range c.IntN(6) {
		s += "&" + c.one("title=My+Title", "colour=red", "is_public=1", "notes=%00"[:6], "x="+c.escaped(c.bytes(30)), "=", "&", "a;b", "%", "format=json", "limit=10")
	}
	return s
}

func (c chooser) badValue() attempt {
	name, value := c.badParameter()
	form := c.surroundings() + toPage + "&" + name + "=" + c.escaped(value)
	if name != "external_url" && c.IntN(4) == 0 { // an external_url that was given in the query
		return attempt{name: "a bad " + name, raw: post(makeLink+"?"+toPage[1:], c.surroundings()+"&"+name+"="+c.escaped(value)), says: "Error: "}
	}
	return attempt{name: "a bad " + name, raw: post(makeLink, form), says: "Error: "}
}

func (c chooser) badValueInParts() attempt {
	name, value := c.badParameter()
	return attempt{name: "a bad " + name + " in multipart", raw: whole("POST", makeLink, aLink(name, value), partsType), says: "Error: "}
}

// badQuery is a get call with one value that it refuses.
func (c chooser) badQuery() attempt {
	call := c.one("getLinks", "getLinkHistory")
	target := "/api/v1_0/" + call
	name := c.one("sort", "order", "limit", "format", "links")
	value := c.one("'; DROP TABLE links", "\x00", "\xff", "desc, asc", strings.Repeat("x", 5000), c.bytes(10)+"?")
	switch {
	case call == "getLinkHistory" && c.IntN(2) == 0:
		name, value = c.one("start_date", "end_date"), c.badTime()
	case call == "getLinkHistory" && (name == "links" || c.IntN(4) == 0):
		name = c.one("before", "after")
	case name == "links":
		name, value = c.one("links", "groups"), strings.Repeat(c.bytes(3)+"x,", 1001)
	case name == "limit":
		value = c.one(c.badNumber(), "0", "1001", "99999999")
	}
	q := credentials + "&redirect_hash=" + c.one("plain", "nobodys", "%ff") + "&" + name + "=" + c.escaped(value)
	if len(q) < 20_000 && c.IntN(2) == 0 {
		return attempt{name: "a bad " + name + " of " + call, raw: get(target + "?" + q)}
	}
	return attempt{name: "a bad " + name + " of " + call, raw: post(target, q)}
}

// cutParts is a multipart body that ends too early, announced as whole or not.
func (c chooser) cutParts() attempt {
	body := aLink("title", "My Title", "notes", strings.Repeat("note", c.IntN(1000)))
	cut := body[:c.IntN(len(body)-len("--\r\n"))]
	a := attempt{name: fmt.Sprintf("multipart cut at %d of %d", len(cut), len(body)), status: 400}
	if c.IntN(2) == 0 {
		a.raw = whole("POST", makeLink, cut, partsType)
	} else {
		a.raw, a.cut = bare("POST", makeLink, cut, partsType, fmt.Sprint("Content-Length: ", len(body))), true
	}
	return a
}

// wrongLength is a form that is longer or shorter than it says.
func (c chooser) wrongLength() attempt {
	body := "external_url=http://example.com/&" + credentials
	n := c.IntN(len(body)) // the pass is not whole
	if c.IntN(2) == 0 {
		n = len(body) + 1 + c.IntN(1<<20)
	}
	return attempt{name: fmt.Sprintf("%d bytes called %d", len(body), n), cut: n > len(body),
		raw: bare("POST", makeLink, body, formType, fmt.Sprint("Content-Length: ", n))}
}

func (c chooser) wrongMethod() attempt {
	method := c.one("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "Post", "X", strings.Repeat("M", 1+c.IntN(5000)))
	target := c.one(makeLink, "/api/v1_0/getLink", "/api/v1_0/getLinks", "/api/v1_0/getLinkHistory", "/api/ping", "/plain", "/plain+", "/secret")
	return attempt{name: method[:1] + "… " + target, raw: whole(method, target+"?"+credentials+toPage, c.one("", credentials), formType), status: 405}
}

// wrongType is a body of a type that is not read, on any call.
func (c chooser) wrongType() attempt {
	target := c.one(makeLink, "/api/v1_0/getLink", "/api/v1_0/getLinks", "/api/v1_0/getLinkHistory", "/secret")
	header := "Content-Type: " + c.one("application/json", "text/plain", "text/xml", "application/octet-stream", "multipart/mixed; boundary=b", "form", "/", ";", "\xff",
		"application/x-www-form-urlencoded, text/plain", strings.Repeat("x/", 1000))
	if c.IntN(4) == 0 {
		header = "X-No: type"
	}
	return attempt{name: header, raw: whole("POST", target+"?"+credentials+toPage, c.one(credentials, "{}", c.bytes(500)), header), status: 415}
}

// noise is no HTTP, though it ends as a request does.
func (c chooser) noise() attempt {
	line := strings.NewReplacer("\n", "", "\r", "").Replace(c.bytes(300))
	return attempt{name: "noise", raw: c.one("", "GET ", "GET /", "POST /api HTTP/1.1\r\n") + "\x00" + line + "\r\n\r\n", status: 400}
}

func (c chooser) noiseAsBody() attempt {
	target := c.one(makeLink, "/api/v1_0/getLink", "/api/v1_0/getLinks", "/api/v1_0/getLinkHistory")
	return attempt{name: "noise as a body", raw: whole("POST", target, c.bytes(5000), c.one(formType, partsType)), status: 400}
}

func (c chooser) badPath() attempt {
	path := "/" + c.one("%", "%g0", "%2", "plain%", "plain\x01", "a\x00b", "api/v1_0/%6", "api/v2_0/makeLink", "api//v1_0/makeLink", "API/V1_0/MAKELINK",
		"plain/..", "%2e%2e/%2e%2e", "%ff", "plain%00x", ".plain", "+", "%2b%2b", "..", "nobodys"+strings.Repeat("+", 100), strings.Repeat("x", 101), strings.Repeat("/x", 4500))
	return attempt{name: "the path " + path[:min(len(path), 30)], raw: bare(c.one("GET", "POST"), path+"?"+credentials+toPage, "", "Content-Length: 0")}
}

// tooMuch is too large in one of its parts.
func (c chooser) tooMuch() attempt {
	n := 1 + c.IntN(100_000)
	switch c.IntN(4) {
	case 0:
		return attempt{name: "a large body", raw: post(makeLink, credentials+"&x="+strings.Repeat("%", 1<<20+n)), status: 413}
	case 1:
		return attempt{name: "a large part", raw: whole("POST", makeLink, aLink("x", strings.Repeat("x", 1<<20+n)), partsType), status: 413}
	case 2:
		return attempt{name: "a large header", raw: get(makeLink+"?"+credentials+toPage, "X: "+strings.Repeat("x", 40_000+n)), status: 431}
	}
	return attempt{name: "a large target", raw: get(makeLink + "?" + credentials + "&x=" + strings.Repeat("x", 40_000+n)), status: 431}
}

// strange has credentials that are none, or none that stand where they count.
func (c chooser) strange() attempt {
	wrong := c.escaped(c.bytes(20))
	return c.oneOf(
		attempt{name: "wrong credentials", raw: post(makeLink, "login="+wrong+"x&pass="+c.escaped(c.bytes(5000))+"x"+toPage), status: 401},
		attempt{name: "a wrong pass behind the right one", raw: post(makeLink, credentials+toPage+"&pass="+wrong+"x"), status: 401},
		attempt{name: "a wrong login in the body", raw: post("/api/v1_0/getLinks?"+credentials, "login=x"+wrong), status: 401},
		attempt{name: "Basic behind empty parameters", raw: get("/api/v1_0/getLink?login=&pass=", "Authorization: Basic "+c.one("", "x", "Og==", "Ong=", "%")), status: 400},
		attempt{name: "an escaped name with no value", raw: get("/api/v1_0/getLinkHistory?log%69n&p%61ss=x"), status: 400},
	)
}

func (c chooser) oneOf(attempts ...attempt) attempt { return attempts[c.IntN(len(attempts))] }
