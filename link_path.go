package linktrack

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A linkPath is the path of a visitor's request, read as the path of a link. Mail
// programs and people add characters that stand around a link in a text, and mail
// transport doubles or drops a dot that begins a line. The paths of links have a small
// alphabet, so that these can be told apart:
//
//  1. The path as it was sent is looked up first.
//  2. Characters outside the alphabet are removed at both ends, never inside.
//  3. The dot before a generated path may be missing or doubled.
//
// "&" and "?" behind the path begin a query, "#" a fragment.
type linkPath struct {
	key   string // see Link.Key
	view  linkView
	query string // the escaped query behind the path; "" none
}

// A linkView says which page of a link is requested.
type linkView int

const (
	redirectView linkView = iota
	summaryView           // "+" behind the path
	codeView              // ".qr" behind the path
)

var viewSuffix = [...]string{redirectView: "", summaryView: "+", codeView: ".qr"}

// parseLinkPath reads a path, with or without its leading slash. ok is false if no link
// can have it.
func parseLinkPath(path string) (p linkPath, ok bool) {
	if isLinkPath(path) {
		return linkPath{key: strings.ToLower(path)}, true
	}
	for range 3 { // some programs escape a path that is escaped already
		decoded := decodePath(path)
		if decoded == path {
			break
		}
		path = decoded
	}
	start := 0
	for start < len(path) && !isPathChar(path[start]) {
		start++
	}
	end := start
	for end < len(path) && isPathChar(path[end]) {
		end++
	}
	name, tail := path[start:end], path[end:]
	if name == "" || len(name) > maxPath {
		return linkPath{}, false
	}
	if i := strings.IndexByte(tail, '#'); i >= 0 {
		tail = tail[:i]
	}
	if i := strings.IndexAny(tail, "&?"); i >= 0 {
		p.query, tail = escapeQuery(strings.TrimPrefix(tail[i+1:], "amp;")), tail[:i] // HTML writes "&" as "&amp;"
	}
	if behind, found := strings.CutPrefix(tail, ".qr"); found {
		p.view, tail = codeView, behind
	}
	plus := false
	for _, c := range []byte(tail) {
		if isPathChar(c) {
			return linkPath{}, false
		}
		plus = plus || c == '+'
	}
	if plus {
		if p.view == codeView {
			return linkPath{}, false
		}
		p.view = summaryView
	}
	p.key = strings.ToLower(name)
	if start > 0 && path[start-1] == '.' && mayBeGenerated(name) {
		p.key = "." + p.key
	}
	return p, true
}

// dottedKey returns the key with a dot before it, if a link may have such a key.
func dottedKey(key string) (dotted string, ok bool) {
	if strings.HasPrefix(key, ".") || !mayBeGenerated(key) {
		return "", false
	}
	return "." + key, true
}

// lookAlike returns the name that differs from another only by its dot, which mail
// transport may drop: for a generated path the name without the dot, for any other the
// name with a dot. ok is false if no link can have it.
func lookAlike(name LinkName) (LinkName, bool) {
	key, ok := strings.CutPrefix(name.Key, ".")
	if !ok {
		key, ok = dottedKey(name.Key)
	}
	return LinkName{Host: name.Host, Key: key}, ok
}

// lookAlikes returns which of the names have a look-alike that is a link of another
// account. A new link with such a name would get the visitors of that link whose mail
// programs dropped the dot.
func (t *Tracker) lookAlikes(ctx context.Context, a AccountID, names []LinkName) (map[LinkName]bool, error) {
	of := make(map[LinkName]LinkName, len(names))
	others := make([]LinkName, 0, len(names))
	for _, name := range names {
		if other, ok := lookAlike(name); ok {
			of[other] = name
			others = append(others, other)
		}
	}
	if len(others) == 0 {
		return nil, nil
	}
	found, err := t.store.LinksByPath(ctx, others)
	if err != nil {
		return nil, unavailable(err)
	}
	taken := make(map[LinkName]bool, len(found))
	for other, l := range found {
		if l.Account != a {
			taken[of[other]] = true
		}
	}
	return taken, nil
}

// dotted returns the key with a dot before the name's key if there is such a link, else
// "".
func (c *linkCache) dotted(ctx context.Context, name LinkName) (string, error) {
	key, ok := dottedKey(name.Key)
	if !ok {
		return "", nil
	}
	links, err := c.store.LinksByPath(ctx, []LinkName{{Host: name.Host, Key: key}})
	if err != nil || len(links) == 0 {
		return "", err
	}
	return key, nil
}

// find returns the entry of the link that a path names, [ErrNotFound] or
// [ErrUnavailable]. For a path without a link, the cache also keeps whether there is a
// link with a dot. A reserved word does not lead to a link with a dot.
func (t *Tracker) find(ctx context.Context, host *servedHost, p linkPath, at time.Time) (*entry, error) {
	e, err := t.links.get(ctx, host.name, p.key, at)
	if errors.Is(err, ErrNotFound) && e.dotted != "" && !t.reserved[p.key] {
		return t.links.get(ctx, host.name, e.dotted, at)
	}
	return e, err
}

// visited returns the entry of the link that a caller's host and path name, and the
// path as it was read. path may be a whole tracking URL, whose host replaces host. The
// host "" is the Tracker's first.
func (t *Tracker) visited(ctx context.Context, host, path string, at time.Time) (*entry, linkPath, error) {
	h, p, ok := t.readLinkName(path)
	if !ok {
		return nil, linkPath{}, ErrNotFound
	}
	if h == nil {
		if h, ok = t.hosts.named(host); !ok {
			return nil, linkPath{}, ErrNotFound
		}
	}
	e, err := t.find(ctx, h, p, at)
	return e, p, err
}

// readLinkName reads the name that a caller gives for a link: its path, in all forms
// that visitors may use, or its tracking URL, with or without the scheme. host is nil if
// the name has none.
func (t *Tracker) readLinkName(name string) (host *servedHost, p linkPath, ok bool) {
	if p, ok = parseLinkPath(name); ok {
		return nil, p, true
	}
	_, rest, isURL := strings.Cut(name, "://")
	if !isURL {
		rest = strings.TrimLeftFunc(name, func(r rune) bool {
			return r != '[' && r != '.' && (r > 0x7f || !isPathChar(byte(r)))
		})
	}
	before, behind, found := strings.Cut(rest, "/")
	if found {
		if host, found = t.hosts.find(before); found {
			rest = behind
			if behind, ok = host.below("/" + behind); !ok {
				return nil, linkPath{}, false
			}
			p, ok = parseLinkPath(behind)
			return host, p, ok
		}
	}
	if isURL {
		return nil, linkPath{}, false
	}
	if rest, ok = t.hosts.below("/" + rest); ok {
		p, ok = parseLinkPath(rest)
	}
	return nil, p, ok
}

// readTrackingURL reads the tracking URL of a link on any host, served or not.
// The path of its mount is not known, so only the last part of the path counts.
func readTrackingURL(name string) (host string, p linkPath, ok bool) {
	scheme, rest, isURL := strings.Cut(name, "://")
	authority, path, found := strings.Cut(rest, "/")
	host, port, err := parseHost(authority)
	if !isURL || !found || err != nil {
		return "", linkPath{}, false
	}
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[strings.ToLower(scheme)] {
		host += ":" + port
	}
	if i := strings.IndexAny(path, "?#&"); i >= 0 {
		path = path[:i]
	}
	path = strings.TrimRight(path, "/")
	p, ok = parseLinkPath(path[strings.LastIndexByte(path, '/')+1:])
	return host, p, ok
}

// queryOf returns the query behind "&" in the path of a request. It is returned as it was
// sent if that is known, because escaping it again would change it.
func (p linkPath) queryOf(u *url.URL) string {
	if p.query == "" {
		return ""
	}
	raw := strings.TrimLeft(u.EscapedPath(), "/&")
	for i := range len(raw) {
		behind := ""
		switch {
		case raw[i] == '&':
			behind = raw[i+1:]
		case raw[i] == '%' && i+2 < len(raw) && (raw[i+1:i+3] == "26" || strings.EqualFold(raw[i+1:i+3], "3f")):
			behind = raw[i+3:]
		default:
			continue
		}
		behind = strings.TrimPrefix(behind, "amp;")
		if escapeQuery(decodePath(behind)) == p.query {
			return behind
		}
		break
	}
	return p.query
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

func escapeQuery(decoded string) string { return (&url.URL{Path: decoded}).EscapedPath() }

// decodePath decodes percent escapes; "+" is not one.
func decodePath(s string) string { return unescape(strings.ReplaceAll(s, "+", "%2B")) }

// maxCookiePath is the longest path of a cookie, in bytes, because it has the visitor's
// own text.
const maxCookiePath = 3 * maxPath

// cookiePathOf returns the path of the visit's cookie, below the mount: the link's path
// in the case in which the visitor wrote it, because browsers distinguish cases.
// Characters around it are kept up to the next slash, because browsers send a cookie back
// only for its path and for paths below it.
func (h *servedHost) cookiePathOf(r *http.Request, path string, p linkPath, linkPath string) string {
	if isLinkPath(path) {
		return path
	}
	raw := r.URL.EscapedPath()
	below, ok := strings.CutPrefix(raw, h.cookiePath)
	if !ok { // the mount was removed already
		below = strings.TrimPrefix(raw, "/")
	}
	name := len(below) - len(strings.TrimLeft(below, "/")) // where the link's path begins
	if i := strings.Index(strings.ToLower(below), strings.TrimPrefix(p.key, ".")); i >= 0 {
		name = i
	}
	if i := strings.IndexByte(below[name:], '/'); i >= 0 {
		below = below[:name+i]
	}
	if len(below) > maxCookiePath || strings.ContainsAny(below, ";,") {
		return linkPath
	}
	return below
}

// isLinkPath reports whether a link may have this path, in any case.
func isLinkPath(s string) bool {
	name := strings.TrimPrefix(s, ".")
	return len(name) <= maxPath && isPathText(name)
}

// mayBeGenerated reports whether a dot and this name may be the path of a link.
func mayBeGenerated(name string) bool {
	return len(name) <= maxGenerated && !strings.ContainsAny(name, "_-")
}

func isPathText(s string) bool {
	for i := range len(s) {
		if !isPathChar(s[i]) {
			return false
		}
	}
	return s != ""
}

// isPathChar reports whether a character is in the alphabet of paths.
func isPathChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
