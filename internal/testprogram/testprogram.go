// Package testprogram builds a program and runs it as a process of its own,
// for tests of what only a whole program shows: its output, its signals, its
// exit status.
package testprogram

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take for anything that a test waits for.
const patience = time.Minute

// Build compiles the program in folder dir, without cgo, as it is shipped, and returns the
// path of its binary.
func Build(t testing.TB, dir string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", bin, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build in %s: %v\n%s", dir, err, out)
	}
	return bin
}

// A Program is a running process. It ends with its test at the latest.
type Program struct {
	cmd    *exec.Cmd
	lines  chan string
	ended  chan struct{}
	err    error // of Wait, once ended is closed
	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// Start runs the binary with nothing in its environment but what it is given
// here, as "NAME=value", and its arguments.
func Start(t testing.TB, bin string, env []string, args ...string) *Program {
	t.Helper()
	return StartIn(t, "", bin, env, args...)
}

// StartIn is Start in a working folder, or in that of the test if dir is "".
func StartIn(t testing.TB, dir, bin string, env []string, args ...string) *Program {
	t.Helper()
	p := &Program{cmd: exec.Command(bin, args...), lines: make(chan string, 100), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{}, env...)
	p.cmd.Stderr = &lockedWriter{&p.mu, &p.stderr}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			p.mu.Lock()
			p.stdout.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.lines <- lines.Text():
			default: // the test reads no more lines
			}
		}
		io.Copy(io.Discard, stdout)
		close(p.lines)
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill() // fails if it has ended, as it should
		<-p.ended
		if t.Failed() {
			t.Logf("%s wrote:\n%s%s", bin, p.Stdout(), p.Stderr())
		}
	})
	return p
}

// Line waits for a line of the program's output that begins with prefix, and
// returns what follows it, without white space around it.
func (p *Program) Line(t testing.TB, prefix string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the program ended without a line that begins with %q", prefix)
			}
			if rest, found := strings.CutPrefix(line, prefix); found {
				return strings.TrimSpace(rest)
			}
		case <-deadline:
			t.Fatalf("the program wrote no line that begins with %q in %v", prefix, patience)
		}
	}
}

// WaitForStderr waits until what the program wrote to stderr contains text.
// Stdout and stderr are read by goroutines of their own, so that a line of
// stdout says nothing about what was written to stderr before it.
func (p *Program) WaitForStderr(t testing.TB, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.Stderr(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the program wrote nothing to stderr that contains %q in %v", text, patience)
		}
	}
}

// Stop sends SIGTERM and returns the exit status.
func (p *Program) Stop(t testing.TB) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
	return p.Wait(t)
}

// Wait waits until the program ends by itself and returns its exit status.
func (p *Program) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the program did not end in %v", patience)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Stdout and Stderr are what the program has written so far.
func (p *Program) Stdout() string { return p.text(&p.stdout) }

func (p *Program) Stderr() string { return p.text(&p.stderr) }

func (p *Program) text(b *bytes.Buffer) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return b.String()
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// Kill ends the program as kill -9 does and returns when it is gone.
func (p *Program) Kill() {
	p.cmd.Process.Kill()
	<-p.ended
}
