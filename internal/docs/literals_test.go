package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A field of an embedded struct cannot be set in a literal of the struct around it.
func TestCodeInDocumentsAndCommentsSetsFieldsThatTheStructItselfHas(t *testing.T) {
	fields := structFields(t)
	literal := regexp.MustCompile(`linktrack\.(\w+)\{\s*([A-Z]\w*):`)
	texts := documents(t)
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	}))
	found := 0
	for name, text := range texts {
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			if of, known := fields[m[1]]; known {
				found++
				assert.Contains(t, of, m[2], "%s has %s", name, m[0])
			}
		}
	}
	assert.NotZero(t, found)
}

// structFields returns the fields that each struct of the root package itself has.
func structFields(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	require.NoError(t, err)
	all := make(map[string][]string)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			of, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range of.Fields.List {
				for _, name := range f.Names {
					all[spec.Name.Name] = append(all[spec.Name.Name], name.Name)
				}
				if id, embedded := f.Type.(*ast.Ident); embedded && len(f.Names) == 0 {
					all[spec.Name.Name] = append(all[spec.Name.Name], id.Name)
				}
			}
			return true
		})
	}
	return all
}
