package pages

import (
	"slices"
	"strconv"
	"strings"

	"github.com/linktrackhq/linktrack/pages/view"
)

// samples returns programs that make the same call, one for each language. They
// use POST, so that the pass is not part of an address, or GET if there are no
// parameters.
func samples(address string, credentials, params [][2]string) []view.Sample {
	given := slices.Concat(credentials, params)
	return []view.Sample{
		{Language: "curl", Code: curlSample(address, given)},
		{Language: "PHP", Code: phpSample(address, given)},
		{Language: "Go", Code: goSample(address, given)},
	}
}

func curlSample(address string, params [][2]string) string {
	var b strings.Builder
	b.WriteString("curl " + shellQuote(address))
	for _, p := range params {
		b.WriteString(" \\\n  --data-urlencode " + shellQuote(p[0]+"="+p[1]))
	}
	return b.String() + "\n"
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func phpSample(address string, params [][2]string) string {
	var b strings.Builder
	b.WriteString("<?php\n$call = curl_init(" + phpQuote(address) + ");\n")
	if len(params) > 0 {
		b.WriteString("curl_setopt($call, CURLOPT_POSTFIELDS, http_build_query([\n")
		for _, p := range params {
			b.WriteString("  " + phpQuote(p[0]) + " => " + phpQuote(p[1]) + ",\n")
		}
		b.WriteString("]));\n")
	}
	b.WriteString("curl_setopt($call, CURLOPT_RETURNTRANSFER, true);\n" +
		"$answer = curl_exec($call);\n" +
		"echo curl_getinfo($call, CURLINFO_RESPONSE_CODE), ' ', $answer, \"\\n\";\n")
	return b.String()
}

func phpQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

func goSample(address string, params [][2]string) string {
	get, form, more := "http.Get("+strconv.Quote(address)+")", "", ""
	if len(params) > 0 {
		var b strings.Builder
		b.WriteString("\tform := url.Values{}\n")
		for _, p := range params {
			b.WriteString("\tform.Set(" + strconv.Quote(p[0]) + ", " + strconv.Quote(p[1]) + ")\n")
		}
		get, form, more = "http.PostForm("+strconv.Quote(address)+", form)", b.String(), "\t\"net/url\"\n"
	}
	return "package main\n\nimport (\n\t\"fmt\"\n\t\"io\"\n\t\"log\"\n\t\"net/http\"\n" + more + ")\n\n" +
		"func main() {\n" + form + "\tanswer, err := " + get + "\n" +
		"\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n" +
		"\tdefer answer.Body.Close()\n" +
		"\tbody, err := io.ReadAll(answer.Body)\n" +
		"\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n" +
		"\tfmt.Println(answer.StatusCode, string(body))\n}\n"
}
