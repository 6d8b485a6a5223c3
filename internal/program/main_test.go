package program

import (
	"fmt"
	"maps"
	"os"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

// TestMain fails if a test made a database in the folder of the sources, as a program does
// that is not told of another one.
func TestMain(m *testing.M) {
	status := m.Run()
	if _, err := os.Stat(defaultFile); err == nil {
		fmt.Println("a test made " + defaultFile + " in the folder of the sources")
		status = 1
	}
	os.Exit(status)
}

// inMemory returns the environment of a program that keeps links in memory, unless env or
// a flag names a database.
func inMemory(env map[string]string) map[string]string {
	all := maps.Clone(env)
	if env["LINKTRACK_MYSQL"] == "" && env["LINKTRACK_DB"] == "" {
		all = map[string]string{"LINKTRACK_DB": "memory"}
		maps.Copy(all, env)
	}
	return all
}

// start starts the program. It keeps links in memory, unless env or a flag names a
// database.
func start(t testing.TB, bin string, env []string, args ...string) *testprogram.Program {
	t.Helper()
	var all []string
	for name, value := range inMemory(environmentOf(env)) {
		all = append(all, name+"="+value)
	}
	return testprogram.Start(t, bin, all, args...)
}
