package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// ImportOptions are the choices for [Import]. The zero value works.
type ImportOptions struct {
	Format Format // "": detected from the file

	// DryRun checks the whole file and makes nothing.
	DryRun bool

	// SkipClashes makes all links whose path is free, and leaves out the
	// others. Default: a single clash prevents the import.
	SkipClashes bool

	// SkipProblems leaves out the links with a problem other than a clash.
	// Default: a single problem prevents the import. A file that cannot be read
	// to its end is refused in any case.
	SkipProblems bool

	// MaxLinks is how many links the file may have, including those with a
	// problem. A file with more is refused with an [*linktrack.InvalidError], and
	// nothing is made. 0: no limit.
	MaxLinks int64

	// Rejected receives the links with a problem or a clash, as CSV: a column
	// with the problem, followed by the file's columns. Import reads such a file,
	// so you can correct it and import it. If there are no such links, nothing is
	// written. If Rejected is nil, only Problem reports them. An error of
	// Rejected ends the import.
	Rejected io.Writer

	// Host is the host for all links, whatever the file says. Default: the
	// file's hosts, and the account's first host for a link without one.
	Host string

	// Problem is called for each problem, in the order of lines, except that both
	// links of a [Problem].Case are reported when the second is found. Default:
	// problems are only counted.
	Problem func(Problem)

	// Progress is called after every few hundred links.
	Progress func(Progress)
}

// Progress is the progress of an import.
type Progress struct {
	Checked int64 // links that were read and checked; all links are checked before the first is made
	Done    int64 // links that were made, or left out because they exist or clash
}

// A Result is the outcome of an import.
type Result struct {
	Format   Format
	Links    int64 // links in the file
	Made     int64 // links that were made; 0 in a dry run
	Present  int64 // links that the account already has; they are not changed
	Clashes  int64 // links whose path is in use, or is in the file more than once
	Problems int64 // other problems
	Notes    []string

	// Line is the line of the last link that has certainly been made or left
	// out, 0 for none. It is needed if an import is interrupted.
	Line int
}

const (
	importBatch = 500  // links that are checked and made at once
	maxBad      = 5000 // links with a problem other than a clash, approximately; nobody would read more
)

// Import reads links from a file and makes them in the account's name.
//
// It reads the file at least twice. First it checks every link against all rules
// and against the paths in use. If there is a problem, it makes nothing and
// returns [ErrRefused], also in a dry run, unless the options leave out such
// links. Then it makes the links in batches of 500, each completely or not at
// all.
//
// Paths here are compared without case; other services may distinguish case. If
// a file has the links 1a and 1A with different destinations, either link would
// lead visitors of the other to the wrong place. So neither is made, and with
// [ImportOptions].SkipClashes both paths stay unknown (404): see [Problem].Case.
// If their destinations are the same, the first link is made. A link of the file
// is also left out if its path is in use, in any case: the existing link stays.
//
// A link that the account already has, with the same host, path, and destination,
// is not a clash: it is left as it is, even if it differs in other fields. So an
// interrupted import can be completed by importing the same file again. Only
// links without a path in the file would be made again, with other paths; those
// after Result.Line have not been made.
//
// A file with more than 5,000 links that have a problem other than a clash is
// refused with an [*linktrack.InvalidError], whatever the options leave out. The
// rest of the file is not read.
//
// Import never holds the whole file in memory, but needs up to two hundred bytes
// for each of its links. [ImportOptions].MaxLinks limits their number.
//
// Besides ErrRefused, the errors are an [*linktrack.InvalidError] for an unusable
// file or option, those of the file, and, while links are made, those of
// [linktrack.Tracker.ImportLinks]: a path may have been taken in the meantime, or
// the store may have failed. The links that Result counts as made then stay.
func Import(ctx context.Context, t *linktrack.Tracker, a linktrack.Account, file io.ReadSeeker, o ImportOptions) (Result, error) {
	im := &importer{t: t, a: a, file: file, o: o, seen: map[pathHash]firstLink{}}
	if o.Rejected != nil {
		im.rejected = &rejects{w: bufio.NewWriter(o.Rejected)}
	}
	if hosts := t.HostsOf(a); len(hosts) > 0 {
		im.host = hosts[0]
	}
	im.r.Format = o.Format
	err := im.run(ctx)
	if flushed := im.rejected.flush(); err == nil {
		err = flushed
	}
	return im.r, err
}

func (im *importer) run(ctx context.Context) error {
	if _, err := im.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("the file can't be read twice: %w", err)
	}
	var err error
	if im.encoded, err = encodingOf(cancelable{ctx, im.file}); err != nil {
		return err
	}
	err = im.each(ctx, im.check)
	im.seen = nil
	if err == nil && im.late != nil && im.rejected != nil {
		im.again = true
		err = im.each(ctx, im.rejectLate)
	}
	switch {
	case err != nil:
		return err
	case im.broken, im.r.Problems > 0 && !im.o.SkipProblems, im.r.Clashes > 0 && !im.o.SkipClashes:
		return ErrRefused
	case im.o.DryRun:
		return nil
	}
	im.again = true
	return im.each(ctx, im.make)
}

// A pathHash is the hash of a host and a key. It takes less memory than they do.
type pathHash [16]byte

// A firstLink is the first link of the file that has a certain path.
type firstLink struct {
	n       int64  // its number in the file, from 0
	path    uint64 // a hash of its path, in its own case
	to      uint64 // a hash of its destination
	line    uint32
	wrong   bool // it has a problem other than its path
	out     bool // it is left out
	clashed bool // it clashes with a later link, see Problem.Case
}

type importer struct {
	t        *linktrack.Tracker
	a        linktrack.Account
	host     string // for links without a host
	file     io.ReadSeeker
	o        ImportOptions
	r        Result
	encoded  encoded
	rejected *rejects

	src    source // of the current pass through the file
	seen   map[pathHash]firstLink
	out    numberSet // links that are left out, by their numbers
	late   numberSet // those of out that clash by case with a later link
	again  bool      // the file was already checked
	broken bool      // the file cannot be read to its end
	done   int64     // links that were made or left out
	bad    int       // links with a problem other than a clash
}

// each reads the file from its beginning and calls do with up to importBatch
// links at a time. first is the number of the first of them.
func (im *importer) each(ctx context.Context, do func(ctx context.Context, first int64, batch []entry) error) (err error) {
	if _, err := im.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("the file can't be read twice: %w", err)
	}
	in := im.encoded.reader(cancelable{ctx, im.file})
	if im.src, im.r.Format, err = open(in, im.r.Format, im.t); err != nil {
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
	if !im.again {
		im.r.Notes = im.src.notes()
		if note := im.encoded.note; note != "" {
			im.r.Notes = append(im.r.Notes, note)
		}
	}
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

// unreadable turns a *broken error into a problem. It returns all other errors.
func (im *importer) unreadable(err error) error {
	var b *broken
	if !errors.As(err, &b) || im.again { // then the problem is already reported
		return err
	}
	im.broken = true
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

// check checks links against the rules, and notes which links are left out.
func (im *importer) check(ctx context.Context, first int64, batch []entry) error {
	if limit := im.o.MaxLinks; limit > 0 && first+int64(len(batch)) > limit {
		return &linktrack.InvalidError{Param: "the file", Reason: fmt.Sprintf("has more than %d links: import it in parts", limit)}
	}
	links := make([]linktrack.ImportedLink, len(batch))
	for i, e := range batch {
		links[i] = e.link
	}
	checks, err := im.t.CheckImport(ctx, im.a, links)
	if err != nil {
		return err
	}
	for i := range batch {
		e, n := &batch[i], first+int64(i)
		im.r.Links++
		if im.fits(e, checks[i], n) {
			continue
		}
		im.out.set(n)
		if err := im.rejected.add(im.src, *e); err != nil {
			return err
		}
	}
	if im.bad > maxBad {
		return &linktrack.InvalidError{Param: "the file", Reason: fmt.Sprintf("has more than %d links that cannot be imported", maxBad)}
	}
	return nil
}

// fits reports whether a link is to be made. Otherwise it counts the link as
// present, or reports its problems.
func (im *importer) fits(e *entry, c linktrack.ImportCheck, n int64) bool {
	taken := errors.Is(c.Err, linktrack.ErrTaken)
	if len(e.problems) == 0 && c.Err != nil && !taken {
		e.refused(c.Err, im.src.column)
	}
	wrong := len(e.problems) > 0
	if wrong {
		im.bad++
	}
	twice := im.twice(e, c, n, wrong)
	switch {
	case wrong:
	case twice != nil:
		e.problems = append(e.problems, *twice)
	case errors.Is(c.Err, linktrack.ErrPresent):
		im.r.Present++
		return false
	case taken:
		e.problems = append(e.problems, im.taken(e, c))
	}
	for _, p := range e.problems {
		im.problem(p)
	}
	return len(e.problems) == 0
}

func (im *importer) taken(e *entry, c linktrack.ImportCheck) Problem {
	return Problem{Line: e.line, Column: im.src.column("vanity_link"), Reason: fmt.Sprintf("%s is already taken on %s", c.Link.Path, c.Link.Host), Clash: true}
}

// twice returns the problem of a link whose path is also further up in the file,
// nil if there is none. A link that has another problem does not occupy its path,
// unless the two paths differ in case.
func (im *importer) twice(e *entry, c linktrack.ImportCheck, n int64, wrong bool) *Problem {
	host, path, to := c.Link.Host, c.Link.Path, c.Link.ExternalURL
	if host == "" { // it breaks a rule
		host, path, to = strings.ToLower(e.link.Host), e.link.Path+e.link.VanityLink, e.link.ExternalURL
		if host == "" {
			host = im.host
		}
	}
	if path == "" {
		return nil
	}
	hash := hashOf(host + "/" + strings.ToLower(path))
	this := firstLink{n: n, line: uint32(min(e.line, math.MaxUint32)), path: hash64(path), to: hash64(to), wrong: wrong, out: wrong || c.Err != nil}
	before, found := im.seen[hash]
	if !found {
		im.seen[hash] = this
		return nil
	}
	column := im.src.column("vanity_link")
	clash := before.clashed || before.path != this.path && before.to != this.to
	if !clash && before.wrong {
		im.seen[hash] = this
		return nil
	}
	if clash && !before.out {
		im.out.set(before.n)
		im.late.set(before.n)
		im.problem(Problem{Line: int(before.line), Column: column, Reason: fmt.Sprintf("is the same path as %s in line %d, which has another destination (case is ignored): neither link is imported", path, e.line), Clash: true, Case: true})
		before.out = true
	}
	before.clashed = clash
	im.seen[hash] = before
	return &Problem{Line: e.line, Column: column, Reason: fmt.Sprintf("%s is also the path in line %d (case is ignored)", path, before.line), Clash: true, Case: clash}
}

func hashOf(s string) pathHash {
	sum := sha256.Sum256([]byte(s))
	return pathHash(sum[:])
}

func hash64(s string) uint64 {
	hash := hashOf(s)
	return binary.LittleEndian.Uint64(hash[:])
}

// rejectLate writes the links of im.late to Rejected.
func (im *importer) rejectLate(_ context.Context, first int64, batch []entry) error {
	for i, e := range batch {
		if !im.late.has(first + int64(i)) {
			continue
		}
		e.problems = []Problem{{Line: e.line, Column: im.src.column("vanity_link"), Reason: "differs only in case from the path of another link (case is ignored)"}}
		if err := im.rejected.add(im.src, e); err != nil {
			return err
		}
	}
	return nil
}

// make makes the links that are not left out.
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
		// A path was taken after it was checked.
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
				e := batch[i]
				e.problems = []Problem{im.taken(&e, c)}
				im.problem(e.problems[0])
				if err := im.rejected.add(im.src, e); err != nil {
					return err
				}
			default:
				free = append(free, batch[i])
			}
		}
		batch = free
	}
	return nil
}

// A numberSet is a set of numbers from 0 on.
type numberSet []uint64

func (m *numberSet) set(n int64) {
	for int64(len(*m)) <= n/64 {
		*m = append(*m, 0)
	}
	(*m)[n/64] |= 1 << (n % 64)
}

func (m numberSet) has(n int64) bool { return n/64 < int64(len(m)) && m[n/64]>>(n%64)&1 == 1 }
