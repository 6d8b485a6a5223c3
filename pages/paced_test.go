package pages

import (
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A drip is a slow upload: speed bytes a second, and size bytes in total.
type drip struct{ speed, size int }

func (d *drip) Read(b []byte) (int, error) {
	time.Sleep(time.Second)
	n := min(d.speed, d.size, len(b))
	if d.size -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (*drip) Close() error { return nil }

func TestAnUploadThatDripsIsBrokenOff(t *testing.T) {
	for name, c := range map[string]struct {
		drip
		took time.Duration
		err  error
	}{
		"a byte a second":          {drip{1, 1 << 20}, 30 * time.Second, os.ErrDeadlineExceeded},
		"a small file, slowly":     {drip{1 << 10, 20 << 10}, 21 * time.Second, nil},
		"just too slow":            {drip{10 << 10, 10 << 20}, 81 * time.Second, os.ErrDeadlineExceeded},
		"fast enough":              {drip{32 << 10, 4 << 20}, 129 * time.Second, nil},
		"fast enough for too long": {drip{20 << 10, 64 << 20}, uploadTimeout, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				var last time.Time
				body := newPaced(&c.drip, func(at time.Time) error { last = at; return nil })
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, body, make([]byte, 64<<10))
				require.ErrorIs(t, err, c.err)
				require.InDelta(t, c.took.Seconds(), time.Since(begun).Seconds(), 3)
				require.LessOrEqual(t, last.Sub(begun), uploadTimeout)
			})
		})
	}
}
