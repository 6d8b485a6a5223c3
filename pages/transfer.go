package pages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/longwrite"
	clients "github.com/linktrackhq/linktrack/internal/share"
	"github.com/linktrackhq/linktrack/pages/view"
	"github.com/linktrackhq/linktrack/transfer"
)

const (
	maxUpload     = 64 << 20         // bytes of a file
	maxLinks      = 500_000          // in a file, because each takes memory
	maxImports    = 8                // at a time, because each may hold a file of that size on the disk
	uploadTimeout = 10 * time.Minute // time limit for the file to arrive
	importTimeout = 10 * time.Minute // time limit for making the links
	shownProblems = 200
)

// maxBody returns the maximum size of a request's body, in bytes.
func (p *Pages) maxBody(r *http.Request) int64 {
	if r.URL.Path == p.o.Prefix+"login" {
		return 2 * maxForm // the form may contain one that was kept
	}
	if r.URL.Path == p.o.Prefix+"import" {
		return maxUpload + maxForm
	}
	return maxForm
}

func (p *Pages) showImport(w http.ResponseWriter, r *request) error {
	return p.renderImport(w, r, http.StatusOK, view.Import{})
}

// importLinks checks a file. If the file was checked before, it imports it: then
// the form has the hash of the checked file, and the file must have the same
// hash. Nothing is kept between the two requests.
func (p *Pages) importLinks(w http.ResponseWriter, r *request) error {
	places := append(clients.Of(p.t.ClientOf(r.Request), 2, 3),
		clients.Limit{Key: "account\x00" + strconv.FormatInt(int64(r.account.ID), 10), Max: 1},
		clients.Limit{Key: "all", Max: maxImports})
	if !p.imports.Take(places...) {
		return &linktrack.ThrottledError{RetryAfter: 10 * time.Second}
	}
	defer p.imports.Release(places...)
	control := http.NewResponseController(w) // if the host has wrapped w and it cannot set deadlines, the host's own apply
	r.Body = newPaced(r.Body, control.SetReadDeadline)
	_ = control.SetWriteDeadline(time.Now().Add(uploadTimeout + importTimeout))

	up, err := receive(r.Request)
	if up != nil {
		defer up.file.Close()
	}
	switch {
	case errors.Is(err, errTooLarge):
		return p.renderImport(w, r, http.StatusRequestEntityTooLarge, view.Import{Error: p.theme.text("import.toolarge", count(maxUpload>>20))})
	case err != nil:
		return err
	}
	page := view.Import{Format: up.values["format"], Host: up.values["host"], Skip: up.values["skip"], SkipBad: up.values["skipbad"]}
	if up.size == 0 {
		page.Error = p.theme.text("import.nofile")
		return p.renderImport(w, r, http.StatusBadRequest, page)
	}
	sum := hex.EncodeToString(up.hash.Sum(nil))
	checked := up.values["checked"]
	importing := checked == sum

	// The import goes on if the visitor leaves, because stopping would leave a
	// part of the links behind.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), importTimeout)
	defer cancel()
	if up.values["bad"] == "1" {
		return p.sendBadRows(ctx, w, r, up.file, page)
	}
	g := &progress{p: p, w: w, r: r, last: time.Now()}
	var bad, differ int64 // lines with a problem other than a clash; links whose paths differ only in case
	badLine := 0
	result, err := transfer.Import(ctx, p.t, r.account, up.file, transfer.ImportOptions{
		Format: transfer.Format(page.Format), Host: page.Host, DryRun: !importing, MaxLinks: maxLinks,
		SkipClashes: page.Skip == "1" || page.SkipBad == "1", SkipProblems: page.SkipBad == "1",
		Progress: g.show,
		Problem: func(problem transfer.Problem) {
			if !problem.Clash && problem.Line != badLine {
				badLine = problem.Line
				bad++
			}
			if problem.Case {
				differ++
			}
			if len(page.Problems) < shownProblems {
				page.Problems = append(page.Problems, problem)
			} else {
				page.More++
			}
		},
	})
	page.Result, page.Made = &result, importing && (err == nil || result.Made > 0)
	status := http.StatusOK
	var inv *linktrack.InvalidError
	switch {
	case err != nil && page.Made:
		status = http.StatusServiceUnavailable
		page.Error = p.theme.text("import.stopped")
		p.note(r, err)
	case errors.As(err, &inv):
		page.Result, status = nil, http.StatusBadRequest
		page.Error = p.theme.text("import.unreadable", p.theme.reason(p.theme.text(inv.Param), inv))
	case errors.Is(err, transfer.ErrRefused):
		page.Error = p.theme.text("import.refused")
	case err != nil:
		return g.fail(page, err)
	case importing:
		page.Good = p.theme.text("import.done")
	case result.Links-result.Present-result.Clashes-bad <= 0:
		page.Good = p.theme.text("import.nothing")
	default:
		page.Good, page.Checked = p.theme.text("import.good"), sum
	}
	switch {
	case err != nil:
	case checked != "" && !importing:
		page.Error = p.theme.text("import.other")
	case differ > 0:
		page.Error = p.theme.text("import.case", count(differ))
	}
	return g.end(status, page)
}

// sendBadRows sends a file with the rows that cannot be imported, and changes
// nothing.
func (p *Pages) sendBadRows(ctx context.Context, w http.ResponseWriter, r *request, file *os.File, page view.Import) error {
	d := longwrite.New(w, r.Request, typeCSV, "bad-rows.csv")
	_, err := transfer.Import(ctx, p.t, r.account, file, transfer.ImportOptions{
		Format: transfer.Format(page.Format), Host: page.Host, DryRun: true, MaxLinks: maxLinks, Rejected: d,
	})
	var inv *linktrack.InvalidError
	switch {
	case errors.Is(err, transfer.ErrRefused):
		err = nil
	case err != nil && d.Begun():
		p.note(r, err)
		panic(http.ErrAbortHandler)
	case errors.As(err, &inv):
		page.Error = p.theme.text("import.unreadable", p.theme.reason(p.theme.text(inv.Param), inv))
		return p.renderImport(w, r, http.StatusBadRequest, page)
	}
	if err == nil && !d.Begun() {
		page.Good = p.theme.text("import.nobad")
		return p.renderImport(w, r, http.StatusOK, page)
	}
	return err
}

func (p *Pages) renderImport(w http.ResponseWriter, r *request, status int, page view.Import) error {
	b, err := p.drawImport(r, page)
	if err != nil {
		return err
	}
	p.sendHead(w, status)
	w.Write(b)
	return nil
}

func (p *Pages) drawImport(r *request, page view.Import) ([]byte, error) {
	page.MaxMegabytes = maxUpload >> 20
	page.Formats = []view.Option{choice("", p.theme.text("import.format.any"), page.Format == "")}
	for _, f := range transfer.Formats {
		page.Formats = append(page.Formats, choice(string(f), p.theme.text("import.format."+string(f)), string(f) == page.Format))
	}
	page.Hosts = []view.Option{choice("", p.theme.text("import.host.any"), page.Host == "")}
	for _, h := range p.t.HostsOf(r.account) {
		page.Hosts = append(page.Hosts, choice(h, h, h == page.Host))
	}
	for i, problem := range page.Problems {
		page.Problems[i].Reason = p.theme.text(problem.Reason)
	}
	return p.draw(r, "import", p.theme.text("import.title"), page)
}

// An upload is a form with a file. The file is kept on the disk without a name.
type upload struct {
	values map[string]string
	file   *os.File
	hash   hash.Hash // SHA-256 of the file
	size   int64
}

// receive reads a form with a file. The errors are errBadForm, errTooLarge, and
// those of the disk.
func receive(r *http.Request) (*upload, error) {
	if len(r.Header.Get("Content-Type")) > maxMediaType {
		return nil, errBadForm
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errBadForm
	}
	file, err := os.CreateTemp("", "linktrack-upload-")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name())
	u := &upload{values: map[string]string{}, file: file, hash: sha256.New()}
	for range 20 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err == nil {
			err = u.add(part)
		}
		if err != nil {
			return u, uploadError(err)
		}
	}
	return u, errBadForm
}

func (u *upload) add(part *multipart.Part) error {
	if len(part.Header.Get("Content-Disposition")) > maxMediaType {
		return errBadForm
	}
	if part.FormName() == "file" {
		n, err := io.Copy(io.MultiWriter(u.file, u.hash), part)
		if u.size += n; err == nil && u.size > maxUpload {
			err = errTooLarge
		}
		return err
	}
	value, err := io.ReadAll(io.LimitReader(part, 1<<10))
	if slices.Contains([]string{"format", "host", "skip", "skipbad", "bad", "checked"}, part.FormName()) {
		u.values[part.FormName()] = string(value)
	}
	return err
}

func uploadError(err error) error {
	var large *http.MaxBytesError
	var disk *os.PathError
	switch {
	case errors.As(err, &large), errors.Is(err, errTooLarge):
		return errTooLarge
	case errors.As(err, &disk):
		return err
	}
	return errBadForm
}

// exportLinks sends all links of the account as a file. If that fails midway, the
// connection is closed, so that nobody takes a part for the whole file.
func (p *Pages) exportLinks(w http.ResponseWriter, r *request) error {
	d := longwrite.New(w, r.Request, typeCSV, "links-"+time.Now().In(p.t.TimeZone()).Format(time.DateOnly)+".csv")
	// This has no time limit. It ends when the browser disconnects.
	_, err := transfer.Export(context.WithoutCancel(r.Context()), p.t, r.account, d, transfer.ExportOptions{
		BOM: r.URL.Query().Get("bom") != "0",
	})
	if err != nil && d.Begun() {
		p.note(r, err)
		panic(http.ErrAbortHandler)
	}
	return err
}
