//go:build aix || solaris

package journal

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lock claims a file until it is closed, against other processes.
func lock(f *os.File) error {
	err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		return errInUse
	}
	return os.NewSyscallError("fcntl", err)
}

// lockFolder leaves it to the lock on the position's file.
func lockFolder(*os.File) error { return nil }

// syncDir makes the names in a folder safe.
func syncDir(dir *os.File) error { return dir.Sync() }
