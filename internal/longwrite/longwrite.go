// Package longwrite answers files that may take longer to send than a server
// allows for a whole answer.
package longwrite

import (
	"net/http"
	"strings"
	"time"
)

// A File is the body of an answer that is sent while it is read. Each write
// gets as much time as the server allows for a whole answer, so that a slow
// reader is waited for and one who has gone is not.
type File struct {
	w           http.ResponseWriter
	contentType string
	name        string
	timeout     time.Duration // of one write; 0: none
	begun       bool
	broken      bool
}

// New returns a file of that name, in ASCII, and Content-Type that answers r. Nothing is
// sent before the first write.
func New(w http.ResponseWriter, r *http.Request, contentType, name string) *File {
	f := &File{w: w, contentType: contentType, name: name}
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok {
		f.timeout = server.WriteTimeout
	}
	return f
}

// Begin sets the headers of the file. Write calls it.
func (f *File) Begin() {
	f.begun = true
	header := f.w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Disposition", `attachment; filename="`+quoted.Replace(f.name)+`"`)
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Write sends a part of the file.
func (f *File) Write(b []byte) (int, error) {
	if !f.begun {
		f.Begin()
	}
	if f.timeout > 0 {
		// The server sets the deadline anew for the next request. Where a host
		// has wrapped the ResponseWriter so that it has no deadline, the
		// server's own limit stays.
		_ = http.NewResponseController(f.w).SetWriteDeadline(time.Now().Add(f.timeout))
	}
	n, err := f.w.Write(b)
	f.broken = f.broken || err != nil
	return n, err
}

// Begun reports whether the headers were set: an error can no longer be
// answered, and the connection has to be broken off (http.ErrAbortHandler), so
// that nobody takes a part for the whole.
func (f *File) Begun() bool { return f.begun }

// Broken reports whether a write failed: the reader has gone.
func (f *File) Broken() bool { return f.broken }
