package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

const (
	clicksName     = "clicks"
	quarantineName = "quarantine"

	// The next segment is begun when one has MaxBytes / segmentPart bytes, and at least
	// minSegment.
	segmentPart = 256
	minSegment  = 64 << 10
)

// Open opens the journal in a folder. It creates the folder if there is none.
func Open(dir string, o Options) (*Journal, error) {
	return openOn(dir, o, realDisk)
}

func openOn(dir string, o Options, d disk) (*Journal, error) {
	if o.MaxBytes < 0 {
		return nil, fmt.Errorf("journal: MaxBytes is %d", o.MaxBytes)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	j := &Journal{log: o.Logger, max: o.MaxBytes, osBuffered: o.OSBuffered}
	j.group.Commit = j.commit
	if err := j.open(dir, d); err != nil {
		if j.file != nil {
			j.file.file.Close()
		}
		if j.dir != nil {
			j.dir.Close()
		}
		return nil, fmt.Errorf("journal: %s: %w", dir, err)
	}
	return j, nil
}

func (j *Journal) open(dir string, d disk) error {
	if err := makeFolder(dir); err != nil {
		return err
	}
	var err error
	if j.dir, err = os.Open(dir); err != nil {
		return err
	}
	if err := lockFolder(j.dir); err != nil {
		return err
	}
	p, err := j.openPosition(d)
	if err != nil {
		return err
	}
	if err := j.load(p, d); err != nil {
		return err
	}
	return j.importOld(d)
}

// makeFolder creates a folder in such a way that it survives a loss of power.
func makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return nil // the process may lack the permission to read the parent
	}
	return errors.Join(syncDir(parent), parent.Close())
}

// openPosition returns the position. If it is damaged, it is not known which clicks the
// store has: all files are moved to another folder, and the journal is empty.
func (j *Journal) openPosition(d disk) (p position, err error) {
	path := filepath.Join(j.dir.Name(), positionName)
	j.file, p, err = openPosition(path, d, j.osBuffered)
	missing := errors.Is(err, fs.ErrNotExist)
	if !missing && !errors.Is(err, errDamaged) {
		return p, err
	}
	if err := j.keepAll(err, missing); err != nil {
		return p, err
	}
	p = position{}
	rand.Read(p.source[:])
	if err := createPosition(j.dir, path, p); err != nil {
		return p, err
	}
	j.file, p, err = openPosition(path, d, j.osBuffered)
	return p, err
}

// keepAll moves all files of the journal to a folder. If isNew is true and there are no
// files, it does nothing, because the journal is new.
func (j *Journal) keepAll(reason error, isNew bool) error {
	var names []string
	for _, pattern := range []string{positionName, clicksName + "-*" + segmentSuffix, quarantineName + "-*" + segmentSuffix} {
		found, err := filepath.Glob(filepath.Join(j.dir.Name(), pattern))
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	if isNew && len(names) == 0 {
		return nil
	}
	kept, err := keptName(filepath.Join(j.dir.Name(), "files"))
	if err == nil {
		err = os.Mkdir(kept, 0o700)
	}
	for _, name := range names {
		if err == nil {
			err = os.Rename(name, filepath.Join(kept, filepath.Base(name)))
		}
	}
	if err != nil {
		return err
	}
	j.log.Error("journal: the position is damaged; the files are kept under another name, and a new journal is started", "kept", kept, "reason", reason)
	return nil
}

// keepDamaged gives a file another name, and returns it.
func keepDamaged(path string) (string, error) {
	kept, err := keptName(path)
	if err == nil {
		err = os.Rename(path, kept)
	}
	return kept, err
}

// keptName returns a name that no file has.
func keptName(path string) (string, error) {
	name := filepath.Join(filepath.Dir(path), "journal.damaged-"+time.Now().UTC().Format("20060102T150405Z")+"-"+filepath.Base(path))
	kept := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
			return kept, nil
		} else if err != nil {
			return "", err
		}
		kept = fmt.Sprintf("%s-%d", name, n)
	}
}

// load reads the logs and completes what a crash interrupted.
func (j *Journal) load(p position, d disk) error {
	newLog := func(name string) *log {
		return &log{
			dir: j.dir, name: name, source: p.source, osBuffered: j.osBuffered, log: j.log, disk: d,
			rotate: max(j.max/segmentPart, minSegment),
		}
	}
	j.clicks, j.quarantine = newLog(clicksName), newLog(quarantineName)
	j.head = place{}
	if p.importing {
		// A crash interrupted the import, so it begins again.
		if err := errors.Join(j.clicks.remove(), j.quarantine.remove()); err != nil {
			return err
		}
		p = position{source: p.source, importing: true}
	}
	if err := j.quarantine.load(p.quarantineHead, p.quarantineEnd, true, func(*record, place) {}); err != nil {
		return err
	}
	requeued := make(map[uint64]bool)
	first := true
	err := j.clicks.load(p.head, max(p.end, p.flightEnd), false, func(r *record, at place) {
		if first {
			j.head, first = at, false
		}
		if r.origin > p.quarantineHead {
			requeued[r.origin] = true
		}
	})
	if err != nil {
		return err
	}
	j.leap = p.osBuffered
	p.osBuffered = p.osBuffered || j.osBuffered
	j.position = p
	for len(requeued) > 0 && j.position.quarantineHead < j.position.quarantineEnd {
		for origin := range requeued {
			if origin <= j.position.quarantineHead {
				delete(requeued, origin)
			}
		}
		if len(requeued) > 0 {
			if _, err := j.requeue(requeued); err != nil {
				return err
			}
		}
	}
	return j.save(j.position)
}

// remove deletes the log's files.
func (l *log) remove() error {
	names, err := filepath.Glob(filepath.Join(l.dir.Name(), l.name+"-*"+segmentSuffix))
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}
