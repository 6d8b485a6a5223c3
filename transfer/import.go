package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/linktrackhq/linktrack"
)

// ImportOptions are the choices for [Import]. The zero value works.
type ImportOptions struct {
	Format Format // "": found out from the file

	// DryRun reads and checks the whole file, and makes nothing.
	DryRun bool

	// SkipClashes makes all links whose path is free, and leaves out the
	// others. Default: one clash and nothing is made.
	SkipClashes bool

	// Host is where all links are put, whatever the file says. Default: the
	// file's hosts, and the account's first one where it names none.
	Host string

	// Problem is told each problem, in the order of lines. Default: they are
	// counted only.
	Problem func(Problem)

	// Progress is told after every few hundred links.
	Progress func(Progress)
}

// Progress is how far an import has come.
type Progress struct {
	Checked int64 // links of the file that were read and checked; all are, before the first is made
	Done    int64 // of them, that were made, or left out because they exist or clash
}

// A Result is what became of a file.
type Result struct {
	Format   Format
	Links    int64 // in the file
	Made     int64 // nothing, in a dry run
	Present  int64 // that the account has already: left as they are
	Clashes  int64 // whose path is in use, or stands further up in the file
	Problems int64 // what else is wrong, in this many places
	Notes    []string

	// Line is the line of the last link that is certainly made or was left
	// out, 0 for none. It matters where an import breaks off.
	Line int
}

// importBatch is how many links are checked and made at once.
const importBatch = 500

// Import reads links from a file and makes them in the account's name.
//
// It reads the file twice. First it checks every link against all rules, and
// against the paths in use; if anything is wrong it makes nothing and returns
// [ErrRefused], in a dry run, too. Then it makes the links, 500 at once, and
// those all or none.
//
// A link that the account has already, on that host at that path and with that
// destination, is no clash: it is left as it is, even if it differs in
// something else. So an import that broke off is finished by importing the same
// file again. Only links without a path in the file would be made again, with
// other paths; Result.Line says behind which line they begin that were not made.
//
// It needs about a hundred bytes of memory for each link in the file, and never
// the whole of it. The errors beside ErrRefused are an
// [*linktrack.InvalidError] for a file or an option that cannot be used, those
// of the file, and where links were being made, those of
// [linktrack.Tracker.ImportLinks]: somebody may have taken a path meanwhile, or
// the store may have failed. What Result says is made then stays.
func Import(ctx context.Context, t *linktrack.Tracker, a linktrack.Account, file io.ReadSeeker, o ImportOptions) (Result, error) {
	im := &importer{t: t, a: a, file: file, o: o, seen: map[pathHash]int{}}
	im.r.Format = o.Format
	err := im.each(ctx, im.check)
	im.seen = nil
	switch {
	case err != nil:
		return im.r, err
	case im.r.Problems > 0, im.r.Clashes > 0 && !o.SkipClashes:
		return im.r, ErrRefused
	case o.DryRun:
		return im.r, nil
	}
	im.making = true
	err = im.each(ctx, im.make)
	return im.r, err
}

// A pathHash is of a host and a key. It takes less room than they do.
type pathHash [16]byte

type importer struct {
	t    *linktrack.Tracker
	a    linktrack.Account
	file io.ReadSeeker
	o    ImportOptions
	r    Result

	src    source           // of the reading under way
	seen   map[pathHash]int // in which line a path stood first
	out    marks            // links, by number, that are left out
	making bool             // the second reading
	done   int64            // links that were made or left out
}

// each reads the file and calls do with up to importBatch links at a time.
// first is the number of the first of them.
func (im *importer) each(ctx context.Context, do func(ctx context.Context, first int64, batch []entry) error) (err error) {
	if _, err := im.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("the file can't be read twice: %w", err)
	}
	if im.src, im.r.Format, err = open(im.file, im.r.Format, im.t); err != nil {
		return im.unreadable(err)
	}
	first, ended := int64(0), false
	for !ended {
		var batch []entry
		if batch, ended, err = im.read(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if err := do(ctx, first, batch); err != nil {
			return err
		}
		first += int64(len(batch))
		if im.o.Progress != nil {
			im.o.Progress(Progress{Checked: im.r.Links, Done: im.done})
		}
	}
	im.r.Notes = im.src.notes()
	return nil
}

func (im *importer) read() (batch []entry, ended bool, err error) {
	for len(batch) < importBatch {
		e, err := im.src.next()
		switch {
		case errors.Is(err, io.EOF):
			return batch, true, nil
		case err != nil:
			return batch, true, im.unreadable(err)
		}
		if im.o.Host != "" {
			e.link.Host = im.o.Host
		}
		batch = append(batch, e)
	}
	return batch, false, nil
}

// unreadable makes a problem of an error if it is one of the file's text, and
// returns all others.
func (im *importer) unreadable(err error) error {
	var b *broken
	if !errors.As(err, &b) || im.making { // it was read before
		return err
	}
	im.problem(Problem{Line: b.line, Reason: b.reason})
	return nil
}

func (im *importer) problem(p Problem) {
	if p.Clash {
		im.r.Clashes++
	} else {
		im.r.Problems++
	}
	if im.o.Problem != nil {
		im.o.Problem(p)
	}
}

// check holds links to the rules, and notes which are to be left out.
func (im *importer) check(ctx context.Context, first int64, batch []entry) error {
	links := make([]linktrack.ImportedLink, len(batch))
	for i, e := range batch {
		links[i] = e.link
	}
	checks, err := im.t.CheckImport(ctx, im.a, links)
	if err != nil {
		return err
	}
	for i, e := range batch {
		im.r.Links++
		if !im.fits(&e, checks[i]) {
			im.out.set(first + int64(i))
		}
	}
	return nil
}

// fits reports whether a link is to be made, and says why not.
func (im *importer) fits(e *entry, c linktrack.ImportCheck) bool {
	if len(e.problems) == 0 && c.Err != nil && !errors.Is(c.Err, linktrack.ErrTaken) {
		e.refused(c.Err, im.src.column)
	}
	if len(e.problems) > 0 {
		for _, p := range e.problems {
			im.problem(p)
		}
		return false
	}
	if c.Link.Path != "" {
		sum := sha256.Sum256([]byte(c.Link.Host + "/" + c.Link.Key()))
		hash := pathHash(sum[:])
		if line := im.seen[hash]; line > 0 {
			im.problem(Problem{e.line, im.src.column("vanity_link"), fmt.Sprintf("%s is the path of line %d, too (letters count without case)", c.Link.Path, line), true})
			return false
		}
		im.seen[hash] = e.line
	}
	switch {
	case errors.Is(c.Err, linktrack.ErrPresent):
		im.r.Present++
		return false
	case c.Err != nil:
		im.problem(Problem{e.line, im.src.column("vanity_link"), fmt.Sprintf("%s is already taken on %s", c.Link.Path, c.Link.Host), true})
		return false
	}
	return true
}

// make makes those links that are not to be left out.
func (im *importer) make(ctx context.Context, first int64, batch []entry) error {
	kept := batch[:0:0]
	for i, e := range batch {
		if !im.out.has(first + int64(i)) {
			kept = append(kept, e)
		}
	}
	if err := im.makeAll(ctx, kept); err != nil {
		return fmt.Errorf("lines %d to %d: %w", kept[0].line, kept[len(kept)-1].line, err)
	}
	im.done += int64(len(batch))
	im.r.Line = batch[len(batch)-1].line
	return nil
}

func (im *importer) makeAll(ctx context.Context, batch []entry) error {
	for try := 0; len(batch) > 0; try++ {
		links := make([]linktrack.ImportedLink, len(batch))
		for i, e := range batch {
			links[i] = e.link
		}
		made, err := im.t.ImportLinks(ctx, im.a, links)
		im.r.Made += int64(len(made))
		if !errors.Is(err, linktrack.ErrTaken) || !im.o.SkipClashes || try == 3 {
			return err
		}
		// Somebody took one since it was checked.
		checks, err := im.t.CheckImport(ctx, im.a, links)
		if err != nil {
			return err
		}
		free := batch[:0:0]
		for i, c := range checks {
			switch {
			case errors.Is(c.Err, linktrack.ErrPresent):
				im.r.Present++
			case errors.Is(c.Err, linktrack.ErrTaken):
				im.problem(Problem{batch[i].line, im.src.column("vanity_link"), fmt.Sprintf("%s is already taken on %s", c.Link.Path, c.Link.Host), true})
			default:
				free = append(free, batch[i])
			}
		}
		batch = free
	}
	return nil
}

// marks are a set of numbers from 0 on.
type marks []uint64

func (m *marks) set(n int64) {
	for int64(len(*m)) <= n/64 {
		*m = append(*m, 0)
	}
	(*m)[n/64] |= 1 << (n % 64)
}

func (m marks) has(n int64) bool { return n/64 < int64(len(m)) && m[n/64]>>(n%64)&1 == 1 }
