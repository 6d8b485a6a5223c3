package main

import (
	"errors"
	"os"
)

// A badRowsFile is the file of -bad-rows. It is emptied when there is something
// to write, and removed if there was nothing: an old one would say that the rows
// in it are bad still.
type badRowsFile struct {
	*os.File
	regular, begun bool
}

// openBadRows makes the file, or opens one that is there. It may hold hashes of
// passwords, so nobody else can read a new one.
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
