//go:build !(aix || darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris || windows)

package journal

import "os"

// lock does nothing: this system has no locks on files.
func lock(*os.File) error { return nil }

// lockFolder does nothing, as lock.
func lockFolder(*os.File) error { return nil }

// syncDir leaves it to the system, for not each can sync a folder.
func syncDir(*os.File) error { return nil }
