package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/nearest"
)

// A staticFile is a file with its headers.
type staticFile struct {
	content     []byte
	contentType string
	etag        string // "" if the file's address has a hash of its content
}

const (
	extraStyle = "extra.css" // the style sheet that a host adds
	ownStatic  = "static"    // the folder of static files that a host adds
)

// readStatic reads the static files of the pages, with the host's replacements,
// and those that the host adds.
func (t *theme) readStatic(accent color) error {
	t.addStatic("brand.css", []byte(brandStyle(accent)))
	names, err := fs.ReadDir(files, "static")
	if err != nil {
		return err
	}
	for _, f := range names {
		content, err := t.file("static", f.Name())
		if err != nil {
			return err
		}
		t.addStatic(f.Name(), content)
	}
	if t.o.Templates == nil {
		return nil
	}
	switch content, err := fs.ReadFile(t.o.Templates, extraStyle); {
	case err == nil && bytes.Contains(content, []byte("</")):
		return fmt.Errorf("pages: %s must not contain </, which would end a style element", extraStyle)
	case err == nil:
		t.addStatic(extraStyle, content)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("pages: read %s: %w", extraStyle, err)
	}
	if _, err := fs.Stat(t.o.Templates, ownStatic); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fs.WalkDir(t.o.Templates, ownStatic, t.addOwn)
}

// addOwn adds a static file of the host. The file is also served under its plain
// name, because a style sheet that refers to it does not know the hash.
func (t *theme) addOwn(file string, entry fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("pages: read %s: %w", file, err)
	}
	if entry.IsDir() {
		return nil
	}
	name := strings.TrimPrefix(file, ownStatic+"/")
	if t.hashed[name] != "" {
		return fmt.Errorf("pages: %s has the name of a file of the pages: to replace that, put it beside the folder %s", file, ownStatic)
	}
	content, err := fs.ReadFile(t.o.Templates, file)
	if err != nil {
		return fmt.Errorf("pages: read %s: %w", file, err)
	}
	t.own = true
	t.addStatic(name, content)
	plain := t.static[t.hashed[name]]
	plain.etag = hashOf(content)
	t.static[name] = plain
	return nil
}

// addStatic adds a file under a name with a hash of its content, so that browsers
// may keep it forever.
func (t *theme) addStatic(name string, content []byte) {
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hashOf(content) + ext
	t.hashed[name] = hashed
	t.static[hashed] = staticFile{content: content, contentType: contentType(ext, content)}
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// contentType returns the type of a file: by its extension if that is known,
// otherwise by its content.
func contentType(ext string, content []byte) string {
	known := map[string]string{ // the same on every machine
		".css":   "text/css; charset=utf-8",
		".js":    "text/javascript; charset=utf-8",
		".svg":   "image/svg+xml",
		".ico":   "image/x-icon",
		".woff":  "font/woff",
		".woff2": "font/woff2",
	}[strings.ToLower(ext)]
	if known == "" {
		known = mime.TypeByExtension(ext)
	}
	if known == "" {
		known = http.DetectContentType(content)
	}
	return known
}

// asset returns the address of a static file.
func (t *theme) asset(name string) (string, error) {
	hashed, ok := t.hashed[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q%s", name, nearest.Suggestion(name, keys(t.hashed)))
	}
	return t.o.Prefix + "static/" + (&url.URL{Path: hashed}).EscapedPath(), nil
}

// extraStyle returns the address of the host's style sheet, "" if there is none.
func (t *theme) extraStyle() string {
	address, _ := t.asset(extraStyle) // "" with the error
	return address
}

func (t *theme) serveStatic(w http.ResponseWriter, r *http.Request) {
	f, ok := t.static[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	if f.etag == "" {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "public, no-cache")
		w.Header().Set("ETag", `"`+f.etag+`"`)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}
