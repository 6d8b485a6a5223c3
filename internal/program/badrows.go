package program

import (
	"errors"
	"os"
)

// A badRowsFile is the file of -bad-rows. The first write empties it. If nothing
// is written, it is removed, because the rows of an earlier import are no longer
// bad.
type badRowsFile struct {
	*os.File
	regular, begun bool
}

// openBadRows opens or makes the file. It may contain password hashes, so only
// the owner can read a new file.
func openBadRows(name string, imported *os.File) (*badRowsFile, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if from, err := imported.Stat(); err == nil && os.SameFile(from, info) {
		f.Close()
		return nil, refused(errors.New("-bad-rows must not be the imported file"))
	}
	return &badRowsFile{File: f, regular: info.Mode().IsRegular()}, nil
}

func (f *badRowsFile) Write(b []byte) (int, error) {
	if !f.begun && f.regular {
		if err := f.Truncate(0); err != nil {
			return 0, err
		}
	}
	f.begun = true
	return f.File.Write(b)
}

func (f *badRowsFile) close() {
	f.Close()
	if f.regular && !f.begun {
		os.Remove(f.Name())
	}
}
