package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
)

// An sqlReader reads the tokens of an SQL dump that MySQL has written.
type sqlReader struct {
	in       *bufio.Reader
	line     int  // of the next byte
	skipping bool // texts are not kept
}

// A token is a word, a quoted name, a text, or a sign.
type token struct {
	kind byte // 'w' a word, 'n' a quoted name, 't' a text, 's' a sign
	text string
	line int
}

func (t token) is(sign string) bool { return t.kind == 's' && t.text == sign }

func (t token) word(w string) bool { return t.kind == 'w' && strings.EqualFold(t.text, w) }

// looksLikeSQL reports whether a file begins like a dump.
func looksLikeSQL(head []byte) bool {
	return sqlStart.Match(bytes.TrimLeft(head, " \t\r\n"))
}

var sqlStart = regexp.MustCompile(`^(?i:-- |--\r?\n|/\*|# |(?:INSERT|REPLACE|CREATE|DROP|SET|USE|LOCK|START)\s)`)

// early replaces io.EOF within a statement by an error that says so.
func (r *sqlReader) early(err error) error {
	if errors.Is(err, io.EOF) {
		return &broken{r.line, "the file ends within a statement"}
	}
	return err
}

// skip reads the rest of a statement. tok is the last token that was read.
func (r *sqlReader) skip(tok token) error {
	r.skipping = true
	defer func() { r.skipping = false }()
	for !tok.is(";") {
		var err error
		if tok, err = r.token(); err != nil {
			return r.early(err)
		}
	}
	return nil
}

// names reads a list of names and the closing parenthesis.
func (r *sqlReader) names() ([]string, error) {
	var names []string
	for {
		tok, err := r.token()
		switch {
		case err != nil:
			return nil, r.early(err)
		case tok.is(")"):
			for i, n := range names {
				names[i] = strings.ToLower(strings.TrimSpace(n))
			}
			return names, nil
		case tok.kind == 's' && !tok.is(","):
			return nil, &broken{tok.line, "names of columns are expected"}
		case tok.kind != 's':
			if len(names) >= maxColumns {
				return nil, &broken{tok.line, tooManyFields}
			}
			names = append(names, tok.text)
		}
	}
}

// tuple reads the values of a row. more reports whether another row follows.
func (r *sqlReader) tuple() (values []string, line int, more bool, err error) {
	tok, err := r.token()
	if err != nil {
		return nil, 0, false, r.early(err)
	}
	if !tok.is("(") {
		return nil, 0, false, &broken{tok.line, "a row of values is expected"}
	}
	line, value, size := tok.line, "", 0
	for {
		tok, err := r.token()
		switch {
		case err != nil:
			return nil, 0, false, r.early(err)
		case tok.is(","), tok.is(")"):
			if len(values) >= maxColumns {
				return nil, 0, false, &broken{tok.line, tooManyFields}
			}
			values, value = append(values, value), ""
			if size += len(values[len(values)-1]) + 1; size > maxText {
				return nil, 0, false, &broken{tok.line, "a row has more than a million bytes"}
			}
			if tok.is(")") {
				more, err := r.more()
				return values, line, more, err
			}
		case tok.kind == 't':
			value = tok.text
		case tok.kind == 's':
			return nil, 0, false, &broken{tok.line, "a value is expected"}
		case strings.HasPrefix(tok.text, "_"), tok.word("NULL"): // an introducer such as _binary before a text
		default:
			value = tok.text
		}
	}
}

// more reads the token after a row, and reports whether another row follows.
func (r *sqlReader) more() (bool, error) {
	tok, err := r.token()
	switch {
	case err != nil:
		return false, r.early(err)
	case tok.is(","):
		return true, nil
	case tok.is(";"):
		return false, nil
	}
	return false, r.skip(tok) // ON DUPLICATE KEY and the like
}

const signs = "(),;=."

// token returns the next token that is not a comment. The error is io.EOF at the
// end.
func (r *sqlReader) token() (token, error) {
	for {
		b, err := r.next()
		if err != nil {
			return token{}, err
		}
		switch {
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
		case b == '#' || b == '-' && r.sees("-"):
			if err := r.lineComment(); err != nil {
				return token{}, err
			}
		case b == '/' && r.sees("*"):
			r.next()
			if err := r.comment("*/"); err != nil {
				return token{}, r.early(err)
			}
		case b == '\'' || b == '"':
			return r.quoted(b, 't')
		case b == '`':
			return r.quoted(b, 'n')
		default:
			if i := strings.IndexByte(signs, b); i >= 0 {
				return token{'s', signs[i : i+1], r.line}, nil
			}
			return r.word(b)
		}
	}
}

func (r *sqlReader) next() (byte, error) {
	b, err := r.in.ReadByte()
	switch {
	case err != nil:
	case b == '\n':
		r.line++
	case b == '\r' && !r.sees("\n"):
		r.line++
	}
	return b, err
}

func (r *sqlReader) sees(s string) bool {
	ahead, _ := r.in.Peek(len(s))
	return string(ahead) == s
}

// lineComment reads the rest of a line.
func (r *sqlReader) lineComment() error {
	for {
		if b, err := r.next(); err != nil || isLineEnd(b) {
			return err
		}
	}
}

// comment reads a comment and its end.
func (r *sqlReader) comment(end string) error {
	for !r.sees(end) {
		if _, err := r.next(); err != nil {
			return err
		}
	}
	for range len(end) {
		r.next()
	}
	return nil
}

// word reads the rest of a word that begins with first.
func (r *sqlReader) word(first byte) (token, error) {
	tok, text := token{kind: 'w', line: r.line}, []byte{first}
	for {
		ahead, err := r.in.Peek(1)
		if err != nil || strings.IndexByte(" \t\r\n(),;=`'\"", ahead[0]) >= 0 {
			tok.text = string(text)
			return tok, nil
		}
		if len(text) >= maxText {
			return tok, &broken{tok.line, "a word has more than a million bytes"}
		}
		r.next()
		text = append(text, ahead[0])
	}
}

// quoted reads a quoted text or name up to its closing quotation mark.
func (r *sqlReader) quoted(quote, kind byte) (token, error) {
	tok := token{kind: kind, line: r.line}
	var text []byte
	for {
		b, err := r.next()
		if err != nil {
			return tok, r.early(err)
		}
		switch {
		case b == quote:
			if !r.sees(string(quote)) {
				tok.text = string(text)
				return tok, nil
			}
			r.next()
		case b == '\\' && kind == 't':
			if b, err = r.next(); err != nil {
				return tok, r.early(err)
			}
			if c := strings.IndexByte("0nrtbZ", b); c >= 0 {
				b = "\x00\n\r\t\b\x1a"[c]
			}
		}
		if r.skipping {
			continue
		}
		if len(text) >= maxText {
			return tok, &broken{tok.line, "a text has more than a million bytes; is a quotation mark missing?"}
		}
		text = append(text, b)
	}
}
