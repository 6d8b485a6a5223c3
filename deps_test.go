package linktrack_test

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/linktrackhq/linktrack"

// goList returns the import paths that go list prints. They are those of
// production: go list leaves out what only tests import.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return strings.Fields(string(out))
}

// without fails if one of the packages is one of unwanted, or lies below it.
func without(t *testing.T, name string, packages []string, unwanted ...string) {
	t.Helper()
	require.Contains(t, packages, "net/http", "%s: go list has listed too little", name)
	for _, p := range packages {
		for _, u := range unwanted {
			require.False(t, p == u || strings.HasPrefix(p, u+"/"), "%s links %s", name, p)
		}
	}
}

func TestTheRootAndMemstoreLinkNoDatabase(t *testing.T) {
	for _, name := range []string{module, module + "/memstore"} {
		without(t, name, goList(t, "-deps", name),
			"database/sql", "github.com/jmoiron/sqlx", "github.com/go-sql-driver/mysql", "modernc.org")
	}
	deps := goList(t, "-deps", module+"/mysqlstore")
	require.Subset(t, deps, []string{"database/sql", "github.com/jmoiron/sqlx", "github.com/go-sql-driver/mysql"},
		"where they are linked, they are seen")
	require.Subset(t, goList(t, "-deps", module+"/sqlitestore"), []string{"modernc.org/sqlite"}, "where it is linked, it is seen")
}

func TestNoStoreLinksTheDriverOfAnother(t *testing.T) {
	without(t, "mysqlstore", goList(t, "-deps", module+"/mysqlstore"), "modernc.org")
	without(t, "sqlitestore", goList(t, "-deps", module+"/sqlitestore"), "github.com/go-sql-driver/mysql")
}

func TestTheRootImportsNoStorePagesOrJournal(t *testing.T) {
	without(t, module, goList(t, "-deps", module),
		module+"/memstore", module+"/mysqlstore", module+"/sqlitestore", module+"/storetest", module+"/pages", module+"/journal", module+"/notify", module+"/examples",
		module+"/geo", "github.com/oschwald")
}

func TestNoProductionPackageLinksWhatIsForTests(t *testing.T) {
	deps := map[string][]string{} // by package
	for _, line := range goList(t, "-f", `{{.ImportPath}}{{range .Deps}},{{.}}{{end}}`, module+"/...") {
		p, list, _ := strings.Cut(line, ",")
		deps[p] = strings.Split(list, ",")
	}
	forTests := func(deps []string) bool {
		return slices.ContainsFunc(deps, func(d string) bool {
			return slices.ContainsFunc([]string{"testing", "github.com/stretchr/testify", "github.com/emersion"}, func(unwanted string) bool {
				return d == unwanted || strings.HasPrefix(d, unwanted+"/")
			})
		})
	}
	require.True(t, forTests(deps[module+"/storetest"]), "where it is linked, it is seen")
	maps.DeleteFunc(deps, func(p string, _ []string) bool {
		return p == module+"/storetest" || strings.HasPrefix(p, module+"/internal/test") || strings.HasPrefix(p, module+"/internal/trackertest") ||
			strings.HasPrefix(p, module+"/internal/bench/") || p == module+"/examples" // a folder of tests; its programs are listed by themselves
	})
	for _, p := range []string{module, module + "/memstore", module + "/mysqlstore", module + "/cmd/linktrack", module + "/examples/standalone"} {
		require.Contains(t, deps, p)
	}
	for p, list := range deps {
		require.False(t, forTests(list), "%s links what is for tests: %v", p, list)
	}
}
