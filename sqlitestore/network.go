package sqlitestore

import (
	"fmt"
	"path/filepath"
)

// networks are the file systems of Linux that are on another machine. Processes on two
// machines do not share the memory that SQLite's WAL needs, and locks may not hold. Those
// that may be local as well, such as 9p and FUSE, are not among them.
var networks = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xfe534d42: "SMB",
	0xff534d42: "SMB",
	0x5346414f: "AFS",
	0x6b414653: "AFS",
	0x73757245: "Coda",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
}

var typeOf = fileSystem // tests replace it

// refuseNetwork returns an error if the folder of a file is on a network file system.
func refuseNetwork(path string) error {
	if name, ok := networks[typeOf(filepath.Dir(path))]; ok {
		return fmt.Errorf("the file is on a network file system (%s), where SQLite can lose data: name a file on a local disk", name)
	}
	return nil
}
