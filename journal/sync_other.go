//go:build !linux

package journal

import "os"

// syncData makes a file's content safe, and its size.
func syncData(f *os.File) error { return f.Sync() }
