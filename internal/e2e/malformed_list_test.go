package e2e

import (
	"fmt"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack/internal/trackertest"
)

const (
	credentials = "login=" + trackertest.Login + "&pass=" + trackertest.Pass
	toPage      = "&external_url=http://example.com/"
	formType    = "Content-Type: application/x-www-form-urlencoded"
	partsType   = "Content-Type: multipart/form-data; boundary=b"
	makeLink    = "/api/v1_0/makeLink"
)

// bare is a request without a Content-Length.
func bare(method, target, body string, header ...string) string {
	header = append([]string{"Host: go.example.com", "Connection: close"}, header...)
	return method + " " + target + " HTTP/1.1\r\n" + strings.Join(header, "\r\n") + "\r\n\r\n" + body
}

// whole is a request whose Content-Length is right.
func whole(method, target, body string, header ...string) string {
	return bare(method, target, body, append(header, fmt.Sprint("Content-Length: ", len(body)))...)
}

func get(target string, header ...string) string { return bare("GET", target, "", header...) }

func post(target, form string) string { return whole("POST", target, form, formType) }

// parts writes a multipart body, with the boundary b, of names and values.
func parts(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", pairs[i], pairs[i+1])
	}
	return b.String() + "--b--\r\n"
}

// aLink is a multipart body that makes a link if nothing is wrong with it.
func aLink(more ...string) string {
	return parts(append([]string{"login", trackertest.Login, "pass", trackertest.Pass, "external_url", "http://example.com/"}, more...)...)
}

// writtenAttempts are those that somebody thought of.
func writtenAttempts() []attempt {
	long := strings.Repeat("x", 40_000)
	many := strings.Repeat("&x=1&y[]=2&=3&&", 5000)
	list := strings.Repeat("a,", 1001)
	const link, links, history = "/api/v1_0/getLink?" + credentials, "/api/v1_0/getLinks?" + credentials, "/api/v1_0/getLinkHistory?" + credentials + "&redirect_hash=plain"
	const small, cut = "the body is too large: at most 1048576 bytes", "could not be read to its end"
	return []attempt{
		{"no credentials", get(makeLink), false, 400, "login is missing"},
		{"no pass", get(makeLink + "?login=x"), false, 400, "pass is missing"},
		{"nothing to link to", get(makeLink + "?" + credentials), false, 400, "external_url is missing"},
		{"a broken Basic header", get(makeLink, "Authorization: Basic %%%"), false, 400, "login is missing"},
		{"a Basic header without a colon", get(makeLink, "Authorization: Basic bG9naW4="), false, 400, "login is missing"},
		{"another kind of Authorization", get(makeLink, "Authorization: Bearer x"), false, 400, "login is missing"},
		{"credentials twice, the last wrong", get(makeLink + "?" + credentials + "&pass=no" + toPage), false, 401, "login or pass is wrong"},
		{"credentials twice, the body's wrong", post(makeLink+"?"+credentials, "pass=no"+toPage), false, 401, "login or pass is wrong"},
		{"credentials as an array", post(makeLink, "login[]="+trackertest.Login+"&pass[]="+trackertest.Pass+toPage), false, 400, "login is missing"},
		{"a login that is no text", post(makeLink, "login=%ff%00%27&pass=%00"+toPage), false, 401, "login or pass is wrong"},
		{"a huge login", post(makeLink, "login="+strings.Repeat("x", 900_000)+"&pass=x"), false, 401, "login or pass is wrong"},

		{"white space in a raw URL", get(makeLink + "?" + credentials + "&external_url=http://example.com/a b"), false, 400, ""},
		{"bad UTF-8 in a raw URL", get(makeLink + "?" + credentials + "&external_url=http://example.com/\xff\xfe"), false, 400, "external_url must be UTF-8"},
		{"a control character in a raw URL", get(makeLink + "?" + credentials + "&external_url=http://example.com/\x01"), false, 400, ""},
		{"NUL in an encoded URL", get(makeLink + "?" + credentials + "&external_url=http%3A%2F%2Fexample.com%2F%00"), false, 400, "control characters"},
		{"a header in a URL", post(makeLink, credentials+"&external_url=http%3A%2F%2Fexample.com%2F%0d%0aSet-Cookie:%20x"), false, 400, "white space"},
		{"a URL that runs over what follows", get(makeLink + "?external_url=http://example.com/&format=x"), false, 400, "login is missing"},
		{"a loop", post(makeLink, credentials+"&external_url=http://go.example.com/plain"), false, 400, "(a loop)"},
		{"POST's parameters on GET", get(makeLink + "?" + credentials + "&password=x&external_url=http%3A%2F%2Fexample.com"), false, 400, "password is taken with POST only"},
		{"a huge query", get(makeLink + "?" + credentials + "&title=" + strings.Repeat("x", 30_000) + toPage), false, 400, "title is taken with POST only"},
		{"a huge URL", post(makeLink, credentials+toPage+long), false, 400, "external_url must have at most 4096 bytes"},
		{"huge notes", post(makeLink, credentials+"&notes="+long+toPage), false, 400, "notes must have at most 10000 characters"},
		{"a huge password", post(makeLink, credentials+"&password="+long+toPage), false, 400, "password must have at most 1000 bytes"},

		{"no content type", whole("POST", makeLink, credentials+toPage), false, 415, ""},
		{"JSON", whole("POST", makeLink, `{"login":"x"}`, "Content-Type: application/json"), false, 415, "multipart/form-data"},
		{"a content type that is none", whole("POST", makeLink, credentials+toPage, "Content-Type: ;;/=\""), false, 415, ""},
		{"multipart of another kind", whole("POST", makeLink, aLink(), "Content-Type: multipart/mixed; boundary=b"), false, 415, ""},
		{"multipart without a boundary", whole("POST", makeLink, aLink(), "Content-Type: multipart/form-data"), false, 400, "the body is multipart/form-data and its boundary is missing"},
		{"multipart with another boundary", whole("POST", makeLink, aLink(), "Content-Type: multipart/form-data; boundary=c"), false, 400, cut},
		{"multipart that is none", whole("POST", makeLink, credentials+toPage, partsType), false, 400, cut},
		{"multipart that does not end", whole("POST", makeLink, strings.TrimSuffix(aLink(), "--b--\r\n"), partsType), false, 400, cut},
		{"multipart that ends in the header of a part", whole("POST", makeLink, strings.TrimSuffix(aLink(), "--\r\n")+"\r\nContent-Disposition: form-data; name=\"password\"\r\n", partsType), false, 400, cut},
		{"multipart without names", whole("POST", makeLink, strings.ReplaceAll(aLink(), "name=", "nome="), partsType), false, 400, "login is missing"},
		{"multipart whose fields are files", whole("POST", makeLink, strings.ReplaceAll(aLink(), "name=", "filename=f; name="), partsType), false, 400, "login is missing"},
		{"multipart with a header without end", whole("POST", makeLink, "--b\r\nContent-Disposition: "+strings.Repeat(long, 20), partsType), false, 400, cut},
		{"multipart with two thousand parts", whole("POST", makeLink, parts(slices.Repeat([]string{"x", "y"}, 2000)...), partsType), false, 400, "the body must have at most 1000 parts"},
		{"urlencoded called multipart", whole("POST", makeLink, "", partsType), false, 400, ""},
		{"a body of more than is taken", post(makeLink, credentials+toPage+strings.Repeat("&x=y", 300_000)), false, 413, small},
		{"multipart of more than is taken", whole("POST", makeLink, aLink("notes", strings.Repeat(long, 30)), partsType), false, 413, small},
		{"thousands of parameters", post(makeLink, credentials+many), false, 400, "the body must have at most 1000 parameters"},

		{"half-sent multipart", bare("POST", makeLink, aLink()[:200], partsType, "Content-Length: 1000"), true, 400, cut},
		{"half-sent multipart, and waiting", bare("POST", makeLink, aLink()[:200], partsType, "Content-Length: 1000"), false, 400, cut},
		{"a half-sent form", bare("POST", makeLink, credentials+toPage, formType, "Content-Length: 1000"), true, 400, cut},
		{"a half-sent form, and waiting", bare("POST", makeLink, credentials+toPage, formType, "Content-Length: 1000"), false, 400, cut},
		{"a body announced and not sent", bare("POST", makeLink, "", formType, "Content-Length: 1000", "Expect: 100-continue"), true, 400, cut},
		{"a body announced and not sent, and waiting", bare("POST", makeLink, "", formType, "Content-Length: 1000", "Expect: 100-continue"), false, 400, cut},
		{"a body without a type announced and not sent, and waiting", bare("POST", makeLink, "", "Content-Length: 1000"), false, 400, cut},
		{"an expectation that nobody knows", whole("POST", makeLink, credentials+toPage, formType, "Expect: a miracle"), false, 417, ""},
		{"a Content-Length that is too short", bare("POST", makeLink, aLink(), partsType, "Content-Length: 100"), false, 400, cut},
		{"a Content-Length that is no number", bare("POST", makeLink, aLink(), partsType, "Content-Length: many"), false, 400, ""},
		{"a negative Content-Length", bare("POST", makeLink, aLink(), partsType, "Content-Length: -1"), false, 400, ""},
		{"two Content-Lengths", bare("POST", makeLink, aLink(), partsType, "Content-Length: 10", "Content-Length: 20"), false, 400, ""},
		{"a chunk that is none", bare("POST", makeLink, "zz\r\n"+credentials, formType, "Transfer-Encoding: chunked"), false, 400, cut},
		{"chunks that do not end", bare("POST", makeLink, "5\r\nlogin\r\n", formType, "Transfer-Encoding: chunked"), true, 400, cut},
		{"a chunk larger than the world", bare("POST", makeLink, "ffffffffffffffffff\r\nx", formType, "Transfer-Encoding: chunked"), false, 400, cut},
		{"chunks of more than is taken", bare("POST", makeLink, "200000\r\n"+strings.Repeat("x", 1<<21)+"\r\n0\r\n\r\n", formType, "Transfer-Encoding: chunked"), false, 413, small},

		{"a format that is none", get(links + "&format=jsonp&callback=x"), false, 400, "format must be xml or json"},
		{"a format that is no text", get(links + "&format=%00%ff"), false, 400, "format must be xml or json"},
		{"a broken body, in the format asked for", bare("POST", links+"&format=json", "x", partsType, "Content-Length: 9"), true, 400, `{"error":{"code":400,"message":"the body could not`},
		{"a wrong type, in the format asked for", whole("POST", link+"&format=JSON", "x", "Content-Type: text/plain"), false, 415, `{"error":{"code":415,`},
		{"a sort that is none", get(links + "&sort=l.pass'--"), false, 400, "sort must be one of"},
		{"a sort of another call", get(links + "&sort=h.created_at"), false, 400, "sort must be one of"},
		{"an order that is none", get(links + "&order=random"), false, 400, "order must be asc or desc"},
		{"a limit of 0", get(links + "&limit=0"), false, 400, "limit must be a number from 1 to 1000"},
		{"a limit of 1001", get(links + "&limit=1001&format=json"), false, 400, "limit must be a number from 1 to 1000"},
		{"too many links", get(links + "&links=" + list), false, 400, "links must have at most 1000 items"},
		{"too many groups", get(links + "&groups=" + list), false, 400, "groups must have at most 1000 items"},
		{"a link of no account", get(link + "&redirect_hash=nobodys"), false, 404, "not found"},
		{"a link name that is no text", get(link + "&redirect_hash=%ff%00%0a"), false, 404, "not found"},
		{"history of nothing", get("/api/v1_0/getLinkHistory?" + credentials), false, 400, "redirect_hash is missing"},
		{"history from long ago", get(history + "&start_date=1999-12-31"), false, 400, "start_date must not be more than 30 days back"},
		{"history from the year 0", get(history + "&start_date=0000-00-00+00:00:00"), false, 400, "start_date must be a time such as"},
		{"history until nonsense", get(history + "&end_date=2024-02-30"), false, 400, "end_date must be a time such as"},
		{"history before no click", get(history + "&before=%00"), false, 400, "before must be the id of a click"},

		{"an unknown path", get("/nobody"), false, 404, "This link does not exist"},
		{"an unknown call", get("/api/v1_0/dropTables?" + credentials), false, 404, ""},
		{"a path above the root", get("/../../etc/passwd"), false, 404, ""},
		{"a path that is no text", get("/%ff%fe%00"), false, 404, ""},
		{"a path with a NUL", get("/plain\x00"), false, 400, ""},
		{"a path with a bad escape", get("/%zz"), false, 400, ""},
		{"a huge path", get("/" + long[:30_000]), false, 404, ""},
		{"a posted link", post("/plain", "password=x"), false, 405, "method not allowed"},
		{"a posted summary", post("/plain+", "x=y"), false, 405, "method not allowed"},
		{"a posted ping", post("/api/ping", "x=y"), false, 405, "method not allowed"},
		{"a wrong password", post("/secret", "password=%ff%00"), false, 403, "The password is wrong."},
		{"no password", post("/secret", ""), false, 403, "The password is wrong."},
		{"a password too long for the form", post("/secret", "password="+long), false, 413, "the body is too large: at most 8192 bytes"},
		{"a password as JSON", whole("POST", "/secret", `{"password":"letmein"}`, "Content-Type: application/json"), false, 415, ""},
		{"half a password", bare("POST", "/secret", "password=letm", formType, "Content-Length: 16"), true, 400, cut},

		{"a method that nobody knows", bare("BREW", makeLink+"?"+credentials+toPage, ""), false, 405, "method not allowed"},
		{"a method in lower case", bare("get", makeLink+"?"+credentials+toPage, ""), false, 405, ""},
		{"a method that is none", bare("G(T", makeLink, ""), false, 400, ""},
		{"HEAD of a call", bare("HEAD", makeLink+"?"+credentials+toPage, ""), false, 405, ""},
		{"no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", false, 400, ""},
		{"no version", "GET " + makeLink + "\r\n\r\n", false, 400, ""},
		{"no host", "GET " + makeLink + " HTTP/1.1\r\n\r\n", false, 400, ""},
		{"two hosts", get(makeLink, "Host: other.example"), false, 400, ""},
		{"a host that is none", "GET " + makeLink + " HTTP/1.1\r\nHost: a b\r\n\r\n", false, 400, ""},
		{"a header with a NUL", get(makeLink, "X: \x00"), false, 400, ""},
		{"a header without a colon", get(makeLink, "X"), false, 400, ""},
		{"a header name with a space", get(makeLink, "X Y: z"), false, 400, ""},
		{"huge headers", get(makeLink+"?"+credentials+toPage, "X: "+long), false, 431, ""},
		{"a huge cookie", get("/plain", "Cookie: linktrack_visit="+long), false, 431, ""},
		{"thousands of headers", get("/plain", slices.Repeat([]string{"X: y"}, 10_000)...), false, 431, ""},
	}
}
