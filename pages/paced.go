package pages

import (
	"io"
	"os"
	"time"
)

// A paced body is an upload that must come at some speed: one that drips would
// hold its place from others.
type paced struct {
	io.ReadCloser
	deadline func(time.Time) error // of the connection's next read
	begun    time.Time
	read     int64 // bytes
}

const (
	paceGrace = 30 * time.Second // before the speed counts
	paceSpeed = 16 << 10         // bytes a second
)

func newPaced(body io.ReadCloser, deadline func(time.Time) error) *paced {
	return &paced{ReadCloser: body, deadline: deadline, begun: time.Now()}
}

// Read fails if the upload is slower than paceSpeed, or takes longer than
// uploadTimeout.
func (p *paced) Read(b []byte) (int, error) {
	end := p.begun.Add(min(paceGrace+time.Duration(p.read)*time.Second/paceSpeed, uploadTimeout))
	if !time.Now().Before(end) {
		return 0, os.ErrDeadlineExceeded
	}
	_ = p.deadline(end)
	n, err := p.ReadCloser.Read(b)
	p.read += int64(n)
	return n, err
}
