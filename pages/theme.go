package pages

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

//go:embed templates static
var files embed.FS

// A theme is the look of the pages: templates, texts, and static files, with the
// host's replacements.
type theme struct {
	o         Options
	zone      *time.Location
	templates map[string]*template.Template // by name, without .html
	static    map[string]staticFile         // by the name in their address: style.0123456789abcdef.css
	hashed    map[string]string             // that name, by the file's own name: style.css
	own       bool                          // the host adds static files
}

func newTheme(o Options, zone *time.Location, visitors bool) (*theme, error) {
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
	if err := checkTexts(o.Texts); err != nil {
		return nil, err
	}
	t := &theme{
		o:         o,
		zone:      zone,
		templates: make(map[string]*template.Template),
		static:    make(map[string]staticFile),
		hashed:    make(map[string]string),
	}
	if err := t.checkNames(); err != nil {
		return nil, err
	}
	if err := t.readStatic(accent); err != nil {
		return nil, err
	}
	return t, t.parse(visitors)
}

// file returns the host's replacement of a file, or else the file itself.
func (t *theme) file(dir, name string) ([]byte, error) {
	if t.o.Templates != nil {
		content, err := fs.ReadFile(t.o.Templates, name)
		if err == nil {
			return content, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("pages: read %s: %w", name, err)
		}
	}
	return files.ReadFile(dir + "/" + name)
}

// layouts are the templates that other templates use. They are not pages.
var layouts = []string{"head.html", "layout.html", "public.html", "field.html", "counts.html"}

// roots are the templates that begin a page, where that is not layout.html.
var roots = map[string]string{"visitor.html": "visitor.html", "anonymous.html": "public.html", "anonymouslink.html": "public.html"}

// parse reads the templates. If the host replaces files, parse also checks the
// templates: only visitor.html if visitors is true, otherwise all others.
func (t *theme) parse(visitors bool) error {
	common := template.New("").Funcs(t.funcs())
	for _, name := range layouts {
		if err := t.parseFile(common, name); err != nil {
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
		if err := t.parseFile(set, f.Name()); err != nil {
			return err
		}
		root := "layout.html"
		if other, ok := roots[f.Name()]; ok {
			root = other
		}
		name := strings.TrimSuffix(f.Name(), ".html")
		t.templates[name] = set.Lookup(root)
		if page := pageTypes[name]; t.o.Templates != nil && visitors == (page == nil) {
			data := reflect.TypeFor[view.Frame]()
			if visitors {
				data = reflect.TypeFor[view.Visitor]()
			}
			if err := t.checkTemplate(set, root, data, page); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *theme) parseFile(set *template.Template, name string) error {
	content, err := t.file("templates", name)
	if err == nil {
		_, err = set.New(name).Parse(string(content))
	}
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	return nil
}

// funcs returns the functions that templates may call.
func (t *theme) funcs() template.FuncMap {
	return template.FuncMap{
		"text":  t.text,
		"brand": func() string { return t.o.Name },
		// to returns the address of a page from its parts: {{to "links" .Host .Path "edit"}}.
		"to":    t.to,
		"asset": t.asset,
		// extra returns the address of the host's style sheet, "" if there is none.
		"extra": t.extraStyle,
		"when":  func(at time.Time) string { return at.In(t.zone).Format("2006-01-02 15:04 MST") },
		"zone":  func() string { return t.zoneLine(t.zone, time.Now()) },
		"iso":   func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"count": count,
	}
}

func (t *theme) to(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return t.o.Prefix + strings.Join(escaped, "/")
}

// text returns the text of a key, with the values of its verbs.
func (t *theme) text(key string, args ...any) string {
	s, ok := t.o.Texts[key]
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

// reason returns a sentence about a broken rule. label is the name of the
// parameter on the page.
func (t *theme) reason(label string, inv *linktrack.InvalidError) string {
	return label + " " + t.text(inv.Reason)
}

// count returns a number as a text with thin spaces between its thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
