package journal

import (
	"encoding/binary"
	"errors"
	"os"

	"github.com/linktrackhq/linktrack"
)

var bucketNames = []string{stateBucket, asideBucket, clickBucket} // sorted

// examine reads the whole file. The error wraps errDamaged if the file is not
// to be believed, or fs.ErrNotExist.
func examine(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New(path + " is not a file")
	}
	var c census
	if err := readBolt(f, info.Size(), bucketNames, c.visit); err != nil {
		return err
	}
	if !c.begun || c.flight != c.state.flight || c.waiting != c.state.waiting || c.aside != c.state.aside {
		return damaged("its records are not those it knows of")
	}
	return nil
}

// A census counts what is in the file, to compare it with what should be.
type census struct {
	state                  state
	begun                  bool
	flight, waiting, aside queue
	clicks                 []linktrack.Click // reused
}

func (c *census) visit(bucket string, key, value []byte) error {
	if bucket == stateBucket {
		if c.begun || string(key) != string(stateKey) {
			return damaged("it has more than one state")
		}
		var err error
		if c.state, err = decodeState(value); err != nil {
			return err
		}
		c.begun = true
		from := func(q queue) queue { return queue{head: q.head, tail: q.head} }
		c.flight, c.waiting, c.aside = from(c.state.flight), from(c.state.waiting), from(c.state.aside)
		return nil
	}
	if !c.begun || len(key) != keySize {
		return damaged("a record has no place")
	}
	p := place{c.state.source, bucket, binary.BigEndian.Uint64(key)}
	q := &c.waiting
	switch {
	case bucket == asideBucket:
		q = &c.aside
	case p.number < c.state.flight.tail:
		q = &c.flight
	}
	if p.number != q.tail {
		return damaged("a record is missing before number %d", p.number)
	}
	var err error
	if c.clicks, err = p.open(c.clicks[:0], value); errors.Is(err, errOtherVersion) {
		return err
	} else if err != nil {
		return damaged("%v", err)
	}
	q.push(int64(len(c.clicks)), value)
	return nil
}
