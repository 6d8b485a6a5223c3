package transfer_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/transfer"
)

// A file of another service: the format is detected, and the paths are kept.
func ExampleImport() {
	ctx := context.Background()
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
	if err != nil {
		panic(err)
	}
	defer t.Close(ctx)
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	file := strings.NewReader("url,slug\nhttps://example.com/spring,spring\nhttps://example.com/summer,summer\n")

	result, err := transfer.Import(ctx, t, account, file, transfer.ImportOptions{
		Problem: func(p transfer.Problem) { fmt.Println(p) },
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Format, result.Links, result.Made)

	// The same file again changes nothing, so an import can be repeated.
	file.Reset("url,slug\nhttps://example.com/spring,spring\nhttps://example.com/summer,summer\n")
	result, err = transfer.Import(ctx, t, account, file, transfer.ImportOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Made, "made,", result.Present, "were there")
	// Output:
	// plain 2 2
	// 0 made, 2 were there
}

func ExampleExport() {
	ctx := context.Background()
	t, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "https://go.example.com"})
	if err != nil {
		panic(err)
	}
	defer t.Close(ctx)
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	if _, err := t.MakeLink(ctx, account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "spring"}); err != nil {
		panic(err)
	}
	var file strings.Builder
	links, err := transfer.Export(ctx, t, account, &file, transfer.ExportOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(links, "link")
	for _, line := range strings.Split(file.String(), "\n") {
		fields := strings.Split(line, ",")
		fmt.Fprintln(os.Stdout, strings.Join(fields[:min(4, len(fields))], ","))
	}
	// Output:
	// 1 link
	// link,redirect_hash,host,external_url
	// https://go.example.com/spring,spring,go.example.com,https://example.com/
}
