// Standalone is the program linktrack (package cmd/linktrack), so that it can be tried
// next to the other examples:
//
//	go run ./examples/standalone
package main

import "github.com/linktrackhq/linktrack/internal/program"

func main() { program.Main() }
