package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

//go:embed templates static
var files embed.FS

// A look is how pages look: templates, texts and static files, with what the
// host has replaced of them.
type look struct {
	o         Options
	zone      *time.Location
	templates map[string]*template.Template // by name, without .html
	static    map[string]staticFile         // by name with hash: style.0123456789abcdef.css
	hashed    map[string]string             // from style.css to that
}

type staticFile struct {
	content     []byte
	contentType string
}

func newLook(o Options, zone *time.Location) (*look, error) {
	if o.Name == "" {
		o.Name = "Linktrack"
	}
	if o.Accent == "" {
		o.Accent = "#1f5fd0"
	}
	accent, err := parseColor(o.Accent)
	if err != nil {
		return nil, err
	}
	l := &look{
		o:         o,
		zone:      zone,
		templates: make(map[string]*template.Template),
		static:    make(map[string]staticFile),
		hashed:    make(map[string]string),
	}
	l.addStatic("brand.css", []byte(brandStyle(accent)))
	names, err := fs.ReadDir(files, "static")
	if err != nil {
		return nil, err
	}
	for _, f := range names {
		content, err := l.file("static", f.Name())
		if err != nil {
			return nil, err
		}
		l.addStatic(f.Name(), content)
	}
	return l, l.parse()
}

// file returns a file as the host has replaced it, or as it is.
func (l *look) file(dir, name string) ([]byte, error) {
	if l.o.Templates != nil {
		content, err := fs.ReadFile(l.o.Templates, name)
		if err == nil {
			return content, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("pages: read %s: %w", name, err)
		}
	}
	return files.ReadFile(dir + "/" + name)
}

// layouts are templates that others use: they are no pages of their own.
var layouts = []string{"head.html", "layout.html", "public.html", "field.html", "counts.html"}

// roots are the templates that pages begin with, where it is not layout.html.
var roots = map[string]string{"visitor.html": "visitor.html", "quick.html": "public.html", "quicklink.html": "public.html"}

// parse reads the templates. visitor.html stands alone.
func (l *look) parse() error {
	common := template.New("").Funcs(l.funcs())
	for _, name := range layouts {
		if err := l.parseFile(common, name); err != nil {
			return err
		}
	}
	names, err := fs.ReadDir(files, "templates")
	if err != nil {
		return err
	}
	for _, f := range names {
		if slices.Contains(layouts, f.Name()) {
			continue
		}
		set := template.Must(common.Clone())
		if err := l.parseFile(set, f.Name()); err != nil {
			return err
		}
		root := "layout.html"
		if other, ok := roots[f.Name()]; ok {
			root = other
		}
		l.templates[strings.TrimSuffix(f.Name(), ".html")] = set.Lookup(root)
	}
	return nil
}

func (l *look) parseFile(set *template.Template, name string) error {
	content, err := l.file("templates", name)
	if err == nil {
		_, err = set.New(name).Parse(string(content))
	}
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	return nil
}

// funcs are what templates may call.
func (l *look) funcs() template.FuncMap {
	return template.FuncMap{
		"text":  l.text,
		"brand": func() string { return l.o.Name },
		// to is the address of a page, of its parts: {{to "links" .Host .Path "edit"}}.
		"to":    l.to,
		"asset": func(name string) string { return l.o.Prefix + "static/" + l.hashed[name] },
		"when":  func(at time.Time) string { return at.In(l.zone).Format("2006-01-02 15:04 MST") },
		"zone":  func() string { return l.zoneLine(l.zone, time.Now()) },
		"iso":   func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"count": count,
	}
}

func (l *look) to(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return l.o.Prefix + strings.Join(escaped, "/")
}

// text returns a text by its key, with what goes into it.
func (l *look) text(key string, args ...any) string {
	s, ok := l.o.Texts[key]
	if !ok {
		if s, ok = english[key]; !ok {
			return key
		}
	}
	if len(args) > 0 {
		s = fmt.Sprintf(s, args...)
	}
	return s
}

// reason words an error of a rule for a person; label is the parameter as the
// person sees it.
func (l *look) reason(label string, inv *linktrack.InvalidError) string {
	return label + " " + l.text(inv.Reason)
}

// count writes a number with thin spaces between its thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// addStatic adds a file under a name that has a hash of its content in it, so
// that browsers may keep it for ever.
func (l *look) addStatic(name string, content []byte) {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	l.hashed[name] = hashed
	l.static[hashed] = staticFile{content, map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}[ext]}
}

func (l *look) serveStatic(w http.ResponseWriter, r *http.Request) {
	f, ok := l.static[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}
