package pages

import (
	"io"
	"os"
	"time"
)

// A paced body is an upload with a minimum speed. A slower upload fails, because
// only a few uploads may run at a time.
type paced struct {
	io.ReadCloser
	deadline func(time.Time) error // of the connection's next read
	begun    time.Time
	read     int64 // in bytes
}

const (
	paceGrace = 30 * time.Second // before the minimum speed applies
	paceSpeed = 16 << 10         // minimum, in bytes per second
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
