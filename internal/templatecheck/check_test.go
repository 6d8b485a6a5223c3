package templatecheck_test

import (
	"errors"
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"testing"
	"text/template/parse"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/templatecheck"
)

type frame struct {
	Title string
	Page  any
	Other any
}

type page struct {
	Link   *link
	Links  []link
	ByName map[string]link
	On     bool
	Days   int
	hidden int
}

type link struct {
	URL  string
	Made time.Time
	page *page // as hidden is
}

func (l link) Label(prefix string) string { return fmt.Sprint(prefix, l.page) }
func (*link) State() string               { return "" }

var funcs = template.FuncMap{
	"text": func(key string, args ...any) string { return fmt.Sprint(key, args) },
	"when": func(time.Time) string { return "" },
	"name": func() string { return "" },
}

func check(t *testing.T, source string) error {
	t.Helper()
	set, err := template.New("page.html").Funcs(funcs).Parse(source)
	require.NoError(t, err, source)
	c := templatecheck.Checker{
		Set: set, Funcs: funcs, Types: map[string]reflect.Type{"frame.Page": reflect.TypeFor[page]()},
		Call: func(name string, args []parse.Node) error {
			if name != "text" {
				return nil
			}
			if key, ok := args[0].(*parse.StringNode); ok && key.Text == "none" {
				return errors.New("there is no such text")
			}
			return nil
		},
	}
	return c.Check("page.html", reflect.TypeFor[frame]())
}

func TestATemplateThatFitsItsDataIsAccepted(t *testing.T) {
	for _, source := range []string{
		`{{.Title}} {{$.Title}} {{with .Page}}{{.Days}}{{end}}`,
		`{{range .Page.Links}}{{.URL}} {{.Label "x"}} {{.State}} {{when .Made}}{{else}}{{.Title}}{{end}}`,
		`{{range $i, $l := .Page.Links}}{{$i}} {{$l.URL}}{{end}} {{range $l := .Page.Links}}{{$l.URL}}{{end}}`,
		`{{range $name, $l := .Page.ByName}}{{len $name}} {{$l.URL}}{{end}} {{(index .Page.Links 0).URL}} {{.Page.ByName.any.URL}}`,
		`{{range .Page.Days}}{{.}}{{end}}`,
		`{{if and .Page.On (eq .Page.Days 3)}}{{text "a" .Page.Days | printf "%s"}}{{else if .Page.Link}}{{.Page.Link.URL}}{{end}}`,
		`{{define "part"}}{{.URL}}{{end}}{{with .Page.Link}}{{template "part" .}}{{end}}{{range .Page.Links}}{{template "part" .}}{{end}}`,
		`{{define "loop"}}{{range .Links}}{{template "loop" $}}{{end}}{{end}}{{template "loop" .Page}}`,
		`{{.Other.Anything.At.All}} {{$x := .Page.Link}}{{$x.URL}} {{$x = .Other}}{{$x.Any}} {{print name}}`,
		`{{.Page.Link.Made | when}}`,
	} {
		require.NoError(t, check(t, source), source)
	}
}

func TestWhatDataDoesNotHaveIsFoundInEveryBranch(t *testing.T) {
	for source, want := range map[string]string{
		`{{.Titel}}`:                                            `frame has no field Titel, did you mean Title?`,
		`{{if false}}{{.Page.Lnk.URL}}{{end}}`:                  `page has no field Lnk, did you mean Link?`,
		`{{with .Page.Link}}{{.Url}}{{end}}`:                    `link has no field Url, did you mean URL?`,
		`{{with .Page.Link}}{{else}}{{.URL}}{{end}}`:            `frame has no field URL`,
		`{{range .Page.Links}}{{.Staet}}{{end}}`:                `link has no field Staet, did you mean State?`,
		`{{range .Page.Links}}{{else}}{{.URL}}{{end}}`:          `frame has no field URL`,
		`{{range $l := .Page.Links}}{{$l.page}}{{end}}`:         `link has no field page`,
		`{{.Page.hidden}}`:                                      `page has no field hidden`,
		`{{range .Page.On}}{{end}}`:                             `bool has no elements`,
		`{{.Page.Days.More}}`:                                   `int has no field More`,
		`{{template "none" .}}`:                                 `there is no template "none"`,
		`{{define "part"}}{{.URL}}{{end}}{{template "part" .}}`: `frame has no field URL`,
		`{{when .Title}}`:                                       `when needs a value of type time.Time, not string`,
		`{{when}}`:                                              `when needs 1 arguments, not 0`,
		`{{.Page.Link.Label}}`:                                  `Label needs 1 arguments, not 0`,
		`{{.Page.Days 3}}`:                                      `Days is a field, which takes no arguments`,
		`{{if .Page.On}}{{else}}{{text "none"}}{{end}}`:         `there is no such text`,
		`{{(index .Page.Links 0).Url}}`:                         `link has no field Url, did you mean URL?`,
		"line one\n{{.Page.Lnks}}":                              `page.html:2:`,
	} {
		require.ErrorContains(t, check(t, source), want, source)
	}
}

func TestAFilledValueHasNothingEmpty(t *testing.T) {
	type all struct {
		page
		Map  map[string]*link
		Data any
	}
	v := templatecheck.Filled(reflect.TypeFor[all](), "text").Interface().(all)
	require.Equal(t, "text", v.Map["text"].URL)
	require.True(t, v.Map["text"].Made.Unix() > 0)
	require.Nil(t, v.Data)
	p := templatecheck.Filled(reflect.TypeFor[page](), "text").Interface().(page)
	require.True(t, p.On)
	require.Equal(t, 1, p.Days)
	require.Equal(t, "text", p.Links[0].URL+strings.Repeat("x", p.hidden))
}
