// Linktrack is the service as a program: the API, the redirects, and the pages for
// people (at /account/) on one address, with links in a file or in MySQL.
//
//	go install github.com/linktrackhq/linktrack/cmd/linktrack@latest
//	linktrack
//	linktrack -addr :80 -base-url https://go.example.com \
//		-db 'linktrack:secret@tcp(127.0.0.1:3306)/linktrack'
//
// "linktrack help" lists its commands, and -h after a command shows its flags, which
// docs/flags.md explains. Each flag can also be set in the environment, as
// LINKTRACK_ADDR, LINKTRACK_BASE_URL, and so on; a flag overrides the environment. On
// SIGTERM or SIGINT, the service accepts no more requests, writes the pending clicks,
// and ends.
package main

import "github.com/linktrackhq/linktrack/internal/program"

func main() { program.Main() }
