// Package gzipped compresses what a handler answers for those who can read it.
//
// Compressed are texts of 1,024 bytes or more, and texts that are flushed, each
// part as it is flushed. An answer that has a Content-Encoding or a
// Content-Range already, or must not be transformed, stays as it is. Where a
// client could have got another form Vary says so, and an ETag is made weak.
//
// # Secrets beside what others choose
//
// Who sees how long answers are can guess a secret in them by letting a browser
// ask with texts of the guesser's choice, which the answer repeats (BREACH). A
// private answer is not compressed for a request that another site has begun,
// which browsers say in Sec-Fetch-Site wherever they speak TLS. Nobody else can
// choose what a browser asks for.
package gzipped

import (
	"compress/gzip"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Kind says whether an answer may have what others must not read.
type Kind bool

const (
	Public  Kind = false
	Private Kind = true
)

// least is how many bytes are worth it: fewer fit into one packet as they are.
const least = 1024

// Serve calls serve with a writer that compresses. If serve panics the answer
// stays without its end, as it would have uncompressed.
func Serve(w http.ResponseWriter, r *http.Request, kind Kind, serve func(http.ResponseWriter)) {
	if kind == Private && begunElsewhere(r) {
		serve(w)
		return
	}
	g := &writer{ResponseWriter: w, accepts: accepts(r.Header.Values("Accept-Encoding")), head: r.Method == http.MethodHead}
	whole := false
	defer func() {
		if !whole && g.gz != nil { // what was written goes out, as it would have
			_ = g.FlushError()
		}
	}()
	serve(g)
	whole = true
	g.end()
}

func begunElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// accepts reports whether Accept-Encoding has gzip, or all that is not named.
func accepts(headers []string) bool {
	others := false
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		coding, parameter, _ := strings.Cut(part, ";")
		name, value, _ := strings.Cut(parameter, "=")
		taken := true
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			taken = err == nil && q > 0
		}
		switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
		case "gzip", "x-gzip":
			return taken
		case "*":
			others = taken
		}
	}
	return others
}

// A writer holds what is written until it is clear whether it is compressed.
type writer struct {
	http.ResponseWriter
	accepts bool
	head    bool
	status  int // 0: none was written
	held    []byte
	decided bool
	gz      *gzip.Writer // nil: not compressed
	dropped bool         // what is written: HEAD says of a compressed answer that it is one, not how long
}

// Unwrap is for [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status < 200 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.decide(false)
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if !w.decided {
		if w.held = append(w.held, b...); len(w.held) < least && w.mayCompress() {
			return len(b), nil
		}
		if err := w.decide(len(w.held) >= least); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	switch {
	case w.dropped:
		return len(b), nil
	case w.gz != nil:
		return w.gz.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// FlushError is for [http.ResponseController]. What comes behind it comes in
// parts, of which nobody knows how many there will be.
func (w *writer) FlushError() error {
	w.WriteHeader(http.StatusOK)
	var errs []error
	if !w.decided {
		errs = append(errs, w.decide(true))
	}
	if w.gz != nil {
		errs = append(errs, w.gz.Flush())
	}
	return errors.Join(append(errs, http.NewResponseController(w.ResponseWriter).Flush())...)
}

// Flush implements [http.Flusher].
func (w *writer) Flush() { _ = w.FlushError() }

// end writes what is still held, and the end of what is compressed.
func (w *writer) end() {
	if w.status != 0 && !w.decided {
		length, _ := strconv.Atoi(w.Header().Get("Content-Length"))
		_ = w.decide(w.head && max(length, len(w.held)) >= least)
	}
	if w.gz != nil {
		_ = w.gz.Close() // a client who has gone
		w.gz.Reset(nil)
		writers.Put(w.gz)
		w.gz = nil
	}
}

// decide sends the header, and what was held; large says that it is worth
// compressing.
func (w *writer) decide(large bool) error {
	w.decided = true
	h := w.Header()
	if large && w.mayCompress() {
		if !slices.ContainsFunc(h.Values("Vary"), func(v string) bool { return strings.Contains(strings.ToLower(v), "accept-encoding") }) {
			h.Add("Vary", "Accept-Encoding")
		}
		if w.accepts {
			if h.Get("Content-Type") == "" {
				h.Set("Content-Type", http.DetectContentType(w.held))
			}
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			h.Del("Accept-Ranges")
			if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
				h.Set("ETag", "W/"+tag)
			}
			if w.dropped = w.head; !w.head {
				w.gz = writers.Get().(*gzip.Writer)
				w.gz.Reset(w.ResponseWriter)
			}
		}
	}
	w.ResponseWriter.WriteHeader(w.status)
	held := w.held
	w.held = nil
	var err error
	switch {
	case len(held) == 0 || w.dropped:
	case w.gz != nil:
		_, err = w.gz.Write(held)
	default:
		_, err = w.ResponseWriter.Write(held)
	}
	return err
}

// mayCompress reports whether the header allows it.
func (w *writer) mayCompress() bool {
	h := w.Header()
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified || h.Get("Content-Encoding") != "" ||
		h.Get("Content-Range") != "" || strings.Contains(h.Get("Cache-Control"), "no-transform") {
		return false
	}
	contentType := h.Get("Content-Type")
	if contentType == "" {
		contentType = http.DetectContentType(w.held)
	}
	media, _, _ := mime.ParseMediaType(contentType)
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") ||
		media == "application/json" || media == "application/xml" || media == "application/javascript"
}

var writers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
