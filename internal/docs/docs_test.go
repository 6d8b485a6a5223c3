// Package docs_test checks the documents of the project against its code.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
	"github.com/linktrackhq/linktrack/promstats"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

const root = "../.."

// documents returns the text of each Markdown file by its path, with slashes, below
// the repository's root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			name, err := filepath.Rel(root, file)
			require.NoError(t, err)
			all[filepath.ToSlash(name)] = string(text)
		}
	}
	require.NotEmpty(t, all)
	return all
}

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	code    = regexp.MustCompile("`([^`\n]+)`")
)

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	all := documents(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue // another site
			}
			file := name
			if target != "" {
				file = filepath.ToSlash(filepath.Join(filepath.Dir(name), target))
			}
			_, err := os.Stat(filepath.Join(root, file))
			if assert.NoError(t, err, "%s links to %s", name, m[1]) && anchor != "" {
				assert.Contains(t, anchors(all[file]), anchor, "%s links to %s", name, m[1])
			}
		}
	}
}

// anchors returns the anchors that GitHub gives to the headings of a text.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return all
}

// maintainers are the documents that name files and identifiers of the code.
var maintainers = []string{"CONTRIBUTING.md", "docs/architecture.md", "docs/operating.md", "docs/embedding.md", "docs/writing-a-store.md"}

func TestEveryFileThatTheDocumentsNameExists(t *testing.T) {
	path := regexp.MustCompile(`^[\w./-]+\.(go|sql|json|md|yml|js)$|^(internal|docs|scripts|pages|mysqlstore|storetest|examples)/[\w./-]+$`)
	for name, text := range documentsOf(t, maintainers) {
		for _, m := range code.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if path.MatchString(m[1]) {
				_, err := os.Stat(filepath.Join(root, m[1]))
				assert.NoError(t, err, "%s names %s", name, m[1])
			}
		}
	}
}

func TestEveryFieldAndMethodThatTheDocumentsNameExists(t *testing.T) {
	types := map[string]reflect.Type{
		"Tracker":           reflect.TypeFor[*linktrack.Tracker](),
		"Options":           reflect.TypeFor[linktrack.Options](),
		"Stats":             reflect.TypeFor[linktrack.Stats](),
		"Store":             reflect.TypeFor[linktrack.Store](),
		"Batch":             reflect.TypeFor[linktrack.Batch](),
		"Link":              reflect.TypeFor[linktrack.Link](),
		"Click":             reflect.TypeFor[linktrack.Click](),
		"pages.Options":     reflect.TypeFor[pages.Options](),
		"journal.Options":   reflect.TypeFor[journal.Options](),
		"memstore.Options":  reflect.TypeFor[memstore.Options](),
		"sqlitestore.Store": reflect.TypeFor[*sqlitestore.Store](),
	}
	member := regexp.MustCompile(`^((?:\w+\.)?[A-Z]\w+)\.([A-Z]\w+)(?:\.([A-Z]\w+))?$`)
	for name, text := range documentsOf(t, append(maintainers, "README.md")) {
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			parts := member.FindStringSubmatch(m[1])
			if parts == nil || types[parts[1]] == nil {
				continue
			}
			of, ok := memberOf(types[parts[1]], parts[2])
			if ok && parts[3] != "" {
				_, ok = memberOf(of, parts[3])
			}
			assert.True(t, ok, "%s names %s, which does not exist", name, m[1])
		}
	}
}

func memberOf(of reflect.Type, name string) (reflect.Type, bool) {
	if m, ok := of.MethodByName(name); ok {
		return m.Type, true
	}
	if of.Kind() == reflect.Struct {
		if f, ok := of.FieldByName(name); ok {
			return f.Type, true
		}
	}
	return nil, false
}

func TestEveryTestThatTheDocumentsNameExists(t *testing.T) {
	var tests []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			tests = append(tests, m[1])
		}
		return err
	})
	require.NoError(t, err)
	for name, text := range documentsOf(t, maintainers) {
		for _, test := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(text, -1) {
			begins := func(other string) bool { return strings.HasPrefix(other, test) } // as with go test -run
			assert.True(t, slices.ContainsFunc(tests, begins), "%s names %s, which does not exist", name, test)
		}
	}
}

// documentsOf returns those of the named documents that there are.
func documentsOf(t *testing.T, names []string) map[string]string {
	t.Helper()
	all, some := documents(t), make(map[string]string)
	for _, name := range names {
		if text, ok := all[name]; ok {
			some[name] = text
		}
	}
	require.NotEmpty(t, some)
	return some
}

func TestOperatorsAreToldWhatEveryMetricMeans(t *testing.T) {
	text := documents(t)["docs/operating.md"]
	observer := promstats.NewObserver()
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{Observe: observer.Observe})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	registry := prometheus.NewRegistry()
	registry.MustRegister(promstats.New(tracker), observer)
	for _, operation := range []linktrack.Operation{linktrack.OperationRedirect, linktrack.OperationAPI, linktrack.OperationStore} {
		observer.Observe(t.Context(), linktrack.Observation{Operation: operation}) // a histogram without values is not shown
	}
	families, err := registry.Gather()
	require.NoError(t, err)
	require.NotEmpty(t, families)
	have := make(map[string]bool)
	for _, f := range families {
		have[f.GetName()] = true
		assert.Contains(t, text, "`"+f.GetName()+"`", "a metric that docs/operating.md does not explain")
	}
	for _, m := range regexp.MustCompile("`(linktrack_[a-z_]+)`").FindAllStringSubmatch(text, -1) {
		assert.Contains(t, have, m[1], "docs/operating.md explains a metric that does not exist")
	}
}

func TestOperatorsAreToldWhatEveryMessageOfTheLogMeans(t *testing.T) {
	text := documents(t)["docs/operating.md"]
	var logged []string
	eachGoFile(t, func(file string, syntax *ast.File) {
		for _, message := range messages(syntax) {
			short := strings.TrimPrefix(message, "linktrack: ")
			logged = append(logged, short)
			assert.True(t, explained(text, short), "%s logs %q, which docs/operating.md does not explain", file, message)
		}
	})
	_, section, ok := strings.Cut(text, "\n## The log\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\|(( `[^`]+`,?)+) \\|").FindAllStringSubmatch(section, -1)
	require.Greater(t, len(rows), 20)
	for _, row := range rows {
		for _, m := range code.FindAllStringSubmatch(row[1], -1) {
			begins := func(message string) bool { return strings.HasPrefix(message, strings.TrimRight(m[1], "… ")) }
			assert.True(t, slices.ContainsFunc(logged, begins), "docs/operating.md explains %q, which nothing logs", m[1])
		}
	}
}

// explained reports whether a message stands in the text, whole or, if it is
// long, with its beginning up to a semicolon, a colon or the end of a sentence.
func explained(text, message string) bool {
	if strings.Contains(text, message) {
		return true
	}
	i := strings.IndexAny(message, ";:.")
	return i > 0 && strings.Contains(text, "`"+message[:i])
}

// messages returns the texts that a file logs: the first argument of a method of
// a logger, the messages of incidents, and what else begins as such texts do and
// is no error.
func messages(file *ast.File) []string {
	var all []string
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(strings.TrimPrefix(s, "linktrack: "), " ") {
				all = append(all, s)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch nameOf(n.Fun) {
			case "Errorf", "New", "Sprintf", "Fprintf":
				return false
			case "Error", "Warn", "Info", "Progress":
				if len(n.Args) > 0 {
					add(firstOf(n.Args[0]))
				}
			case "newOutage":
				add(n.Args[1])
			}
		case *ast.KeyValueExpr:
			switch nameOf(n.Key) {
			case "Began", "Lasts", "Ended":
				add(n.Value)
			}
		case *ast.BasicLit:
			if strings.HasPrefix(n.Value, `"linktrack: `) {
				add(n)
			}
		}
		return true
	})
	return all
}

// nameOf returns the name at the end of an expression: New of errors.New.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// firstOf returns the first text of a sum of texts.
func firstOf(e ast.Expr) ast.Expr {
	for {
		sum, ok := e.(*ast.BinaryExpr)
		if !ok {
			return e
		}
		e = sum.X
	}
}

// eachGoFile calls do for each file of what is not a test and that hosts run.
func eachGoFile(t *testing.T, do func(name string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "internal/bench" || name == "storetest" || name == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "examples/"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		do(name, file)
		return nil
	})
	require.NoError(t, err)
}
