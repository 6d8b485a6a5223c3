// Package testtool finds the programs that tests run. scripts/tools has the list
// of them all.
package testtool

import (
	"os"
	"os/exec"
	"testing"
)

// Path returns the path of a program, which is the first of names that is there.
// Where there is none, the test is skipped, but fails where CI=true: there a
// skipped test would look like one that passed.
func Path(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, names[0])
	return ""
}

// Chromium is the Path of the browser.
func Chromium(t testing.TB) string {
	t.Helper()
	return Path(t, "chromium", "chromium-browser", "google-chrome")
}

// PHP is the Path of php, which must have its curl extension.
func PHP(t testing.TB) string {
	t.Helper()
	path := Path(t, "php")
	if err := exec.Command(path, "-r", `exit(extension_loaded("curl") ? 0 : 1);`).Run(); err != nil {
		Missing(t, "php with its curl extension")
	}
	return path
}

// Missing ends a test that cannot run without a program.
func Missing(t testing.TB, program string) {
	t.Helper()
	sentence := "this test needs " + program + ": scripts/tools says how to install it"
	if os.Getenv("CI") == "true" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
}
