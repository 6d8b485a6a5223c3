package server

import "syscall"

var tied = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
