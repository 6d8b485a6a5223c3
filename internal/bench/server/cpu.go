package server

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit in which Linux tells processor times, on all platforms for which
// Go is made.
const tick = 10 * time.Millisecond

// CPU returns the processor time that a process has taken, of all its threads, in user
// and system mode.
func CPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may have spaces. Behind it, utime is the 12th field
	// and stime the 13th; see proc_pid_stat(5).
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// CPU returns the processor time that the server has taken since its start.
func (s *Server) CPU() (time.Duration, error) { return CPU(s.cmd.Process.Pid) }
