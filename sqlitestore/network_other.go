//go:build !linux

package sqlitestore

func fileSystem(string) uint32 { return 0 }
