package incident_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/incident"
)

// logged returns an incident and what it has logged since the last call.
func logged() (*incident.Incident, func() []string) {
	var out bytes.Buffer
	handler := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return &incident.Incident{Log: slog.New(handler)}, func() []string {
		defer out.Reset()
		return strings.Split(strings.TrimSpace(out.String()), "\n")
	}
}

var errDisk = errors.New("disk")

func TestAFailureIsLoggedWhenItBeginsOnceAMinuteAndWhenItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, log := logged()
		i.Began, i.Lasts, i.Ended = "began", "lasts", "ended"
		for range 100 {
			i.Report(errDisk)
		}
		require.Equal(t, []string{"level=ERROR msg=began error=disk"}, log())
		time.Sleep(59 * time.Second)
		i.Report(errDisk)
		require.Equal(t, []string{""}, log())
		time.Sleep(time.Second)
		i.Report(errDisk, "clicks", 3)
		i.Report(errDisk)
		require.Equal(t, []string{"level=ERROR msg=lasts for=1m0s clicks=3 error=disk"}, log())
		require.True(t, i.Lasting())
		i.Report(nil)
		i.Report(nil)
		require.Equal(t, []string{"level=INFO msg=ended after=1m0s"}, log())
		require.False(t, i.Lasting())
		i.Report(errDisk)
		require.Equal(t, []string{"level=ERROR msg=began error=disk"}, log(), "the next one begins anew")
	})
}

func TestAFailureWithoutAnEndIsOverWhenItHasBeenQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, log := logged()
		i.Began, i.Quiet = "began", time.Minute
		for range 10 {
			i.Failed()
			time.Sleep(time.Minute)
		}
		require.Equal(t, []string{"level=ERROR msg=began"}, log(), "it goes on as long as failures come within a minute")
		time.Sleep(time.Second)
		i.Failed()
		require.Equal(t, []string{"level=ERROR msg=began"}, log())
	})
}

func TestASuccessBeforeAnyFailureLogsNothing(t *testing.T) {
	i, log := logged()
	i.Ended = "ended"
	i.Recovered()
	require.Equal(t, []string{""}, log())
}

func TestIncidentsThatBeginSoonAfterOneAnotherAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, log := logged()
		i.Began, i.Ended, i.Again = "began", "ended", 10*time.Minute
		for range 3 {
			i.Report(errDisk)
			i.Report(nil)
		}
		require.Equal(t, []string{"level=ERROR msg=began error=disk", "level=INFO msg=ended after=0s"}, log())
		time.Sleep(10 * time.Minute)
		i.Report(errDisk)
		require.Equal(t, []string{"level=ERROR msg=began error=disk"}, log())
	})
}

func TestProgressIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, log := logged()
		i.Progress("better")
		i.Began = "began"
		i.Report(errDisk)
		log()
		i.Progress("better")
		time.Sleep(time.Minute)
		i.Progress("better", "left", 3)
		i.Progress("better")
		require.Equal(t, []string{"level=INFO msg=better left=3"}, log())
	})
}
