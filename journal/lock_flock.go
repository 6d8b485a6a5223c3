//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"os"
	"syscall"
)

// lock claims a file until it is closed.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errInUse
	}
	return os.NewSyscallError("flock", err)
}

// lockFolder claims the folder until it is closed. The position's file is claimed, too,
// but it may be missing, and earlier versions do not use it.
func lockFolder(dir *os.File) error {
	if err := lock(dir); errors.Is(err, errInUse) {
		return err
	}
	return nil // some network file systems lock no folders
}

// syncDir makes the names in a folder safe.
func syncDir(dir *os.File) error { return dir.Sync() }
