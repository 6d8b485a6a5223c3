// Package server runs the servers that are measured, each as a process of its
// own on the loopback.
package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const patience = 30 * time.Second // for a start and for an orderly end

// Build compiles the program of a package, by its path from the module's root,
// into dir and returns the binary.
func Build(ctx context.Context, dir, pkg string) (string, error) {
	bin := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", bin, "github.com/linktrackhq/linktrack/"+pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return bin, nil
}

// A Server is a process that answers HTTP.
type Server struct {
	Addr string // 127.0.0.1:port

	cmd    *exec.Cmd
	ended  chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
}

var listens = regexp.MustCompile(`listens on (http://\S+)`)

// Start runs a binary that prints, on a line of its standard output, where it
// "listens on". The process ends with the context at the latest, on Linux also
// with this process, however that ends.
func Start(ctx context.Context, bin string, args ...string) (*Server, error) {
	s := &Server{cmd: exec.CommandContext(ctx, bin, args...), ended: make(chan struct{})}
	s.cmd.SysProcAttr = tied
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = patience
	s.cmd.Stderr = s
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	addr := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if m := listens.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case addr <- m[1]:
				default:
				}
			}
		}
		io.Copy(io.Discard, stdout)
		s.cmd.Wait()
		close(s.ended)
	}()
	select {
	case at := <-addr:
		u, err := url.Parse(at)
		if err != nil {
			return nil, errors.Join(err, s.Stop())
		}
		s.Addr = net.JoinHostPort("127.0.0.1", u.Port())
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("%s did not start: %s", filepath.Base(bin), s.lastWords())
	case <-time.After(patience):
		return nil, errors.Join(fmt.Errorf("%s does not say where it listens", filepath.Base(bin)), s.Stop())
	}
}

// Stop ends the process orderly, or by force if that takes too long, and
// returns when it is gone.
func (s *Server) Stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.cmd.Process.Kill()
		<-s.ended
	}
	if status := s.cmd.ProcessState.ExitCode(); status != 0 {
		return fmt.Errorf("%s ended with status %d: %s", filepath.Base(s.cmd.Path), status, s.lastWords())
	}
	return nil
}

// RSS is how many bytes of the machine's memory the process occupies.
func (s *Server) RSS() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kB, err := strconv.ParseInt(fields[1], 10, 64)
			return kB << 10, err
		}
	}
	return 0, errors.New("the system does not say how much memory a process has")
}

// Write takes the process's standard error.
func (s *Server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stderr.Len() > 1<<20 {
		s.stderr.Reset()
	}
	return s.stderr.Write(b)
}

// lastWords is the last line of the standard error.
func (s *Server) lastWords() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.TrimSpace(s.stderr.String())
	return text[strings.LastIndexByte(text, '\n')+1:]
}
