//go:build !linux

package sqlitestore_test

import (
	"os"
	"testing"
)

func mounted(t *testing.T, _ string) string {
	t.Skip("the test mounts a disk as Linux does")
	return ""
}

func remount(*testing.T, string, string) {}

func makeReadOnly(t *testing.T, path string) {
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
}
