//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"os"
	"syscall"
)

// lock claims the folder until it is closed. bbolt locks its file too, but only
// after it has opened it, and not while a damaged file is replaced.
func lock(dir *os.File) error {
	err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errInUse
	}
	// Some network file systems lock no folders; bbolt's lock is left.
	return nil
}

// syncDir makes the names in a folder safe.
func syncDir(dir *os.File) error { return dir.Sync() }
