//go:build !linux

package server

import "syscall"

var tied *syscall.SysProcAttr
