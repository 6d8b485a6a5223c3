package sqlitestore

import "syscall"

// fileSystem returns the number of the type of the file system that a file or folder is on;
// 0 if it cannot be read.
func fileSystem(path string) uint32 {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0
	}
	return uint32(fs.Type)
}
