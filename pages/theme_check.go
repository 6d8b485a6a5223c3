package pages

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/nearest"
	"github.com/linktrackhq/linktrack/internal/templatecheck"
	"github.com/linktrackhq/linktrack/pages/view"
)

// pageTypes has the type of Frame.Page for each template.
var pageTypes = map[string]reflect.Type{
	"account":         reflect.TypeFor[view.Account](),
	"api":             reflect.TypeFor[view.API](),
	"apitry":          reflect.TypeFor[view.Try](),
	"bookmarklet":     reflect.TypeFor[view.Bookmarklet](),
	"ended":           reflect.TypeFor[view.Ended](),
	"error":           reflect.TypeFor[view.Error](),
	"import":          reflect.TypeFor[view.Import](),
	"linkform":        reflect.TypeFor[view.LinkForm](),
	"links":           reflect.TypeFor[view.Links](),
	"login":           reflect.TypeFor[view.Login](),
	"bookmarkletform": reflect.TypeFor[view.BookmarkletForm](),
	"anonymous":       reflect.TypeFor[view.AnonymousForm](),
	"anonymouslink":   reflect.TypeFor[view.AnonymousLink](),
	"renewpass":       reflect.TypeFor[view.NewPass](),
	"report":          reflect.TypeFor[view.Report](),
}

// checkNames refuses files of the host that replace nothing, because their names
// are probably misspelled. Files with other extensions are ignored.
func (t *theme) checkNames() error {
	if t.o.Templates == nil {
		return nil
	}
	found, err := fs.ReadDir(t.o.Templates, ".")
	if err != nil {
		return fmt.Errorf("pages: read Templates: %w", err)
	}
	known := []string{extraStyle}
	for _, dir := range []string{"templates", "static"} {
		entries, err := fs.ReadDir(files, dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			known = append(known, e.Name())
		}
	}
	for _, f := range found {
		switch path.Ext(f.Name()) {
		case ".html", ".css", ".js", ".svg":
			if !f.IsDir() && !slices.Contains(known, f.Name()) {
				return invalid("Templates", "has a file %s, which replaces no file of the pages%s (put static files of your own in the folder %s)",
					f.Name(), nearest.Suggestion(f.Name(), known), ownStatic)
			}
		}
	}
	return nil
}

// checkTemplate checks the template that begins a page: the fields that it asks
// for in all branches, the texts that it names, and whether it can be executed.
func (t *theme) checkTemplate(set *template.Template, root string, data, page reflect.Type) error {
	all := Texts()
	c := templatecheck.Checker{
		Set: set, Funcs: t.funcs(), Types: map[string]reflect.Type{"Frame.Page": page},
		Call: func(name string, args []parse.Node) error {
			if len(args) == 0 {
				return nil
			}
			first, ok := args[0].(*parse.StringNode)
			switch {
			case ok && name == "text":
				return checkUse(all, first.Text, len(args)-1)
			case ok && name == "asset":
				_, err := t.asset(first.Text)
				return err
			}
			return nil
		},
	}
	if err := c.Check(root, data); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	for _, sample := range []struct {
		what string
		fill func(reflect.Type) reflect.Value
	}{
		{"with data in which nothing is empty", func(of reflect.Type) reflect.Value { return templatecheck.Filled(of, "text") }},
		{"with data in which everything is empty", reflect.Zero},
	} {
		value := reflect.New(data).Elem()
		value.Set(sample.fill(data))
		if page != nil {
			value.FieldByName("Page").Set(sample.fill(page))
		}
		var b bytes.Buffer
		if err := set.ExecuteTemplate(&b, root, value.Interface()); err != nil {
			return fmt.Errorf("pages: %s: %w", sample.what, err)
		}
		if wrong := misfit.Find(b.Bytes()); wrong != nil {
			return fmt.Errorf("pages: %s: a text gets a wrong value: %s", set.Name(), wrong)
		}
	}
	return nil
}

// misfit matches the output of package fmt for a value that does not fit its
// verb.
var misfit = regexp.MustCompile(`%!\w?\([^)]*\)`)

// checkUse checks that a template asks for a text that exists, with the right
// number of values.
func checkUse(all map[string]string, key string, args int) error {
	s, ok := all[key]
	switch want := len(valuesFor(s)); {
	case !ok:
		return fmt.Errorf("there is no text %q%s", key, nearest.Suggestion(key, keys(all)))
	case args != want:
		return fmt.Errorf("the text %q needs %d values, not %d", key, want, args)
	}
	return nil
}

// checkTexts refuses keys that no text has, and texts that cannot take the values
// of the text that they replace. A key with spaces is accepted, because the
// reasons of [linktrack.InvalidError] are keys, too.
func checkTexts(given map[string]string) error {
	all := Texts()
	for _, key := range slices.Sorted(maps.Keys(given)) {
		original, ok := all[key]
		if !ok && strings.Contains(key, " ") {
			continue
		}
		if !ok {
			return invalid("Texts", "has the key %q, which no text has%s", key, nearest.Suggestion(key, keys(all)))
		}
		if key == "dir" && given[key] != "ltr" && given[key] != "rtl" {
			return invalid("Texts", "has %q for dir, which must be ltr or rtl", given[key])
		}
		if err := checkVerbs(original, given[key]); err != nil {
			return invalid("Texts", "has a wrong text for %s: %w; the original is %q", key, err, original)
		}
	}
	return nil
}

var verb = regexp.MustCompile(`%(?:\[([0-9]+)\])?(?:\.[0-9]+)?([sdf%])`)

// valuesFor returns sample values of the types that a text takes.
func valuesFor(text string) (values []any) {
	at := 0
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		if m[2] == "%" {
			continue
		}
		if n, err := strconv.Atoi(m[1]); err == nil {
			at = n - 1
		}
		for len(values) <= at {
			values = append(values, "text")
		}
		switch m[2] {
		case "d":
			values[at] = 1
		case "f":
			values[at] = 1.0
		}
		at++
	}
	return values
}

// checkVerbs checks that a text can take the values of the original.
func checkVerbs(original, text string) error {
	values := valuesFor(original)
	if len(values) == 0 {
		if len(valuesFor(text)) > 0 {
			return errors.New("it must not have verbs such as %s, because it gets no values")
		}
		return nil
	}
	if s := fmt.Sprintf(text, values...); strings.Contains(s, "%!") {
		return fmt.Errorf("its verbs do not fit, and it would show %q: it must use all values, or number those that it uses, as in %%[2]s", s)
	}
	return nil
}

func invalid(option, reason string, args ...any) error {
	return &linktrack.InvalidError{Param: option, Reason: fmt.Errorf(reason, args...).Error()}
}

func keys(of map[string]string) []string { return slices.Sorted(maps.Keys(of)) }

func checkMenu(entries []MenuEntry) error {
	for i, m := range entries {
		param := fmt.Sprintf("Menu[%d]", i)
		if strings.TrimSpace(m.Text) == "" {
			return invalid(param+".Text", "is missing")
		}
		u, err := url.Parse(m.URL)
		local := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(m.URL, "/") && !strings.HasPrefix(m.URL, "//")
		whole := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
		if !local && !whole {
			return invalid(param+".URL", "must be a path that begins with a slash, or an address with http:// or https://, not %q", m.URL)
		}
	}
	return nil
}
