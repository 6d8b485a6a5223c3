package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// browsers are what browsers send, apart from the path and the host. None of
// them is a bot, and none has been here before.
var browsers = headers(
	[]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	},
	[]string{
		"",
		"https://news.example.org/2024/11/spring-collection",
		"https://www.example.com/search?q=spring+sale",
		"https://social.example.net/",
	})

func headers(agents, referrers []string) (all [][]byte) {
	for _, a := range agents {
		for _, r := range referrers {
			h := "User-Agent: " + a + "\r\n" +
				"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
				"Accept-Language: en-US,en;q=0.5\r\n" +
				"Accept-Encoding: gzip, deflate, br\r\n"
			if r != "" {
				h += "Referer: " + r + "\r\n"
			}
			all = append(all, []byte(h+"Upgrade-Insecure-Requests: 1\r\n\r\n"))
		}
	}
	return all
}

var (
	errLong   = errors.New("the head of an answer is longer than the buffer")
	errNoHTTP = errors.New("an answer that is not HTTP/1.1")
	errMore   = errors.New("an answer is longer than it says")
)

// ask sends a request and reads its answer to the end. After an error nothing
// is known of the answer, and the connection cannot be used again.
func (w *worker) ask(path string, visitor int) (status int, err error) {
	b := append(w.request[:0], "GET "...)
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, w.running.addr...)
	b = append(b, "\r\n"...)
	b = append(b, w.running.heads[visitor]...)
	w.request = b

	// A deadline is dear, so one serves many requests.
	timeout := w.running.load.Timeout
	if now := time.Now(); w.until.Sub(now) < timeout {
		w.until = now.Add(2 * timeout)
		if err := w.conn.SetDeadline(w.until); err != nil {
			return 0, err
		}
	}
	if _, err := w.conn.Write(b); err != nil {
		return 0, err
	}
	n, end := 0, -1
	for end < 0 {
		if n == len(w.answer) {
			return 0, errLong
		}
		m, err := w.conn.Read(w.answer[n:])
		if err != nil {
			return 0, err
		}
		n += m
		end = bytes.Index(w.answer[:n], []byte("\r\n\r\n"))
	}
	h, err := parseHead(w.answer[:end+2])
	if err != nil {
		return 0, err
	}
	body := n - (end + 4) // of it read so far
	switch {
	case h.length < 0: // chunked, or to the end of the connection: nothing that redirects has that
		if h.status == 302 {
			return 0, fmt.Errorf("a redirect whose body has no length")
		}
		h.close = true
	case body > h.length:
		return 0, errMore
	default:
		for body < h.length {
			m, err := w.conn.Read(w.answer[:min(len(w.answer), h.length-body)])
			if err != nil {
				return 0, err
			}
			body += m
		}
	}
	if h.close {
		w.conn.Close()
		w.conn = nil
	}
	return h.status, nil
}

// A head is what must be known of the head of an answer.
type head struct {
	status int
	length int  // of the body; -1: not said
	close  bool // the server ends the connection
}

// parseHead reads the lines of a head, each with its end.
func parseHead(b []byte) (h head, err error) {
	const begin = "HTTP/1.1 "
	if len(b) < len(begin)+3 || string(b[:len(begin)]) != begin {
		return h, errNoHTTP
	}
	if h.status, err = strconv.Atoi(string(b[len(begin) : len(begin)+3])); err != nil {
		return h, errNoHTTP
	}
	h.length = -1
	for {
		b = b[bytes.IndexByte(b, '\n')+1:]
		end := bytes.IndexByte(b, '\r')
		if end < 0 {
			return h, nil
		}
		if b[0]|0x20 != 'c' {
			continue
		}
		name, value, _ := bytes.Cut(b[:end], []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if h.length, err = strconv.Atoi(string(value)); err != nil || h.length < 0 {
				return h, errNoHTTP
			}
		case bytes.EqualFold(name, []byte("connection")):
			h.close = bytes.EqualFold(value, []byte("close"))
		}
	}
}
