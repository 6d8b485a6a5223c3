package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock claims a file until it is closed: a byte far behind its end, because a
// locked byte cannot be read by others.
func lock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errInUse
	}
	return os.NewSyscallError("LockFileEx", err)
}

// lockFolder leaves it to the lock on the position's file.
func lockFolder(*os.File) error { return nil }

// syncDir leaves it to the system, which has no such call.
func syncDir(*os.File) error { return nil }
