package pages_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// upload posts the form of a page with a file, as a browser does.
func (s *site) upload(form url.Values, file string, headers ...string) *answer {
	s.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name := range form {
		require.NoError(s, w.WriteField(name, form.Get(name)))
	}
	part, err := w.CreateFormFile("file", "links.csv")
	require.NoError(s, err)
	io.WriteString(part, file)
	require.NoError(s, w.Close())
	r := httptest.NewRequest("POST", at("import"), &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

// confirm returns the form that imports the checked file.
func (a *answer) confirm() url.Values {
	for _, f := range a.all(func(n *html.Node) bool { return n.Data == "form" }) {
		if values := formValues(f); values.Get("checked") != "" {
			values.Del("file")
			return values
		}
	}
	return nil
}

const goodFile = "external_url,redirect_hash,title\nhttps://example.com/1,one,=1+1\nhttps://example.com/2,.f2jt,<b>\n"

func TestAFileIsCheckedAndThenImported(t *testing.T) {
	s := signedIn(t, "ada")
	page := s.get("import")
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.texts("nav")[0], "Import")
	require.Nil(t, page.confirm(), "nothing was checked")

	checked := s.upload(nil, goodFile)
	require.Equal(t, 200, checked.StatusCode)
	require.Equal(t, []string{"The file can be imported."}, checked.texts("good"))
	require.Empty(t, s.links(s.ada), "to check a file changes nothing")

	done := s.upload(checked.confirm(), goodFile)
	require.Equal(t, 200, done.StatusCode)
	require.Equal(t, []string{"The links were imported. Show the links"}, done.texts("good"))
	require.Equal(t, []string{"2", "2", "0", "0", "0"}, done.texts("dd"))
	links := s.links(s.ada)
	require.Len(t, links, 2)
	require.Equal(t, ".f2jt", s.link("f2jt").Path)

	again := s.upload(nil, goodFile)
	require.Equal(t, []string{"The file contains nothing to import."}, again.texts("good"))
	require.Nil(t, again.confirm())

	r := s.get("export")
	require.Equal(t, 200, r.StatusCode)
	require.Regexp(t, `^attachment; filename="links-\d{4}-\d\d-\d\d.csv"$`, r.Header.Get("Content-Disposition"))
	require.Equal(t, "text/csv; charset=utf-8; header=present", r.Header.Get("Content-Type"))
	require.Contains(t, r.body, "https://go.example.com/one,one,go.example.com,https://example.com/1,'=1+1,")
	other := signedIn(t, "ada")
	other.upload(other.upload(nil, r.body).confirm(), r.body)
	require.Equal(t, r.body, other.get("export").body)
}

func TestAnotherFileThanTheCheckedOneIsNotImported(t *testing.T) {
	s := signedIn(t, "ada")
	confirm := s.upload(nil, goodFile).confirm()
	other := s.upload(confirm, goodFile+"https://example.com/3,three,\n")
	require.Contains(t, other.texts("error")[0], "This file differs")
	require.NotNil(t, other.confirm(), "it is checked now")
	confirm.Set("checked", "")
	s.upload(confirm, goodFile)
	require.Empty(t, s.links(s.ada))
}

func TestProblemsOfAFileAreShownByLine(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "taken"})
	const file = "external_url,redirect_hash,<i>\nhttps://example.com/1,one,\nhttps://example.com/2,Taken,\njavascript:1,three,\nhttps://example.com,<script>,\n"
	r := s.upload(nil, file)
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, []string{"The file cannot be imported as it is. Nothing was changed."}, r.texts("error"))
	require.Equal(t, []string{
		"3", "redirect_hash", "Taken is already taken on go.example.com",
		"4", "external_url", "must not use the scheme javascript",
		"5", "redirect_hash", "may have letters (a-z), digits, _ and - only",
	}, r.texts("td"))
	require.Contains(t, r.body, "&#34;&lt;i&gt;&#34; is unknown")
	require.Nil(t, r.confirm())

	skip := url.Values{"skip": {"1"}}
	two := "external_url,redirect_hash\nhttps://example.com/1,one\nhttps://example.com/2,Taken\n"
	r = s.upload(skip, two)
	require.Equal(t, "1", r.confirm().Get("skip"), "the choice stays")
	s.upload(r.confirm(), two)
	require.Len(t, s.links(s.ada), 2)

	many := "external_url,redirect_hash\n" + strings.Repeat("x,y\n", 300)
	r = s.upload(nil, many)
	require.Len(t, r.texts("td"), 600)
	require.Contains(t, r.body, "100 more problems are not shown.")
}

func TestRowsThatCannotBeImportedCanBeLeftOutAndDownloaded(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "taken"})
	const file = "url,slug\nhttps://example.com/1,one\nhttps://example.com/2,Taken\nexample.com,three\nhttps://example.com/a,1a\nhttps://example.com/b,1A\n"
	require.Nil(t, s.upload(nil, file).confirm())
	checked := s.upload(url.Values{"skipbad": {"1"}}, file)
	require.Equal(t, []string{"The file can be imported."}, checked.texts("good"))
	require.Equal(t, "1", checked.confirm().Get("skipbad"), "the choice stays")
	require.Contains(t, checked.texts("error")[0], "2 links are skipped: their paths differ only in upper and lower case")

	form := url.Values{}
	for _, f := range checked.all(func(n *html.Node) bool { return n.Data == "form" }) {
		if values := formValues(f); values.Get("bad") != "" {
			form = values
			form.Del("file")
		}
	}
	r := s.upload(form, file)
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, `attachment; filename="bad-rows.csv"`, r.Header.Get("Content-Disposition"))
	rows := strings.Split(strings.TrimSpace(r.body), "\r\n")
	require.Len(t, rows, 5)
	require.Equal(t, "problem,url,slug", rows[0])
	require.Equal(t, "line 4: url must begin with http:// or https://,example.com,three", rows[2])
	require.Len(t, s.links(s.ada), 1, "to download them changes nothing")

	done := s.upload(checked.confirm(), file)
	require.Equal(t, []string{"The links were imported. Show the links"}, done.texts("good"))
	require.Contains(t, done.texts("error")[0], "2 links are skipped")
	require.Equal(t, []string{"5", "1", "0", "3", "1"}, done.texts("dd"))
	require.Len(t, s.links(s.ada), 2)
	require.Equal(t, []string{"The file contains nothing to import."}, s.upload(url.Values{"skipbad": {"1"}}, file).texts("good"))

	form.Set("bad", "1")
	require.Equal(t, []string{"All rows of the file can be imported."}, s.upload(form, "url,slug\nhttps://example.com/9,nine\n").texts("good"))
	require.Equal(t, 400, s.upload(form, "hello\n").StatusCode)
}

func TestAnExportBeginsWithAByteOrderMarkUnlessItIsNotWanted(t *testing.T) {
	s := signedIn(t, "ada")
	require.True(t, strings.HasPrefix(s.get("export").body, "\ufefflink,"))
	require.True(t, strings.HasPrefix(s.get("export?bom=0").body, "link,"))
	require.Contains(t, s.get("import").body, `export?bom=0" download>`)
}

func TestTheHostOfAnImportCanBeChosen(t *testing.T) {
	s := signedIn(t, "ada")
	const file = "external_url,host,redirect_hash\nhttps://example.com/,old.example,one\n"
	require.Contains(t, s.upload(nil, file).texts("td"), "is not a host that is served here")
	r := s.upload(url.Values{"host": {"alt.example"}}, file)
	s.upload(r.confirm(), file)
	require.Equal(t, "alt.example", s.link("one").Host)
}

func TestAnUploadThatCannotBeReadIsRefused(t *testing.T) {
	s := signedIn(t, "ada")
	r := s.upload(nil, "")
	require.Equal(t, 400, r.StatusCode)
	require.Equal(t, []string{"Please choose a file."}, r.texts("error"))
	r = s.upload(nil, "hello\n")
	require.Equal(t, 400, r.StatusCode)
	require.Contains(t, r.texts("error")[0], "The file cannot be read: the file has an unknown format")
	require.Equal(t, 400, s.post("import", url.Values{"checked": {"1"}}).StatusCode)

	large := "external_url\n" + strings.Repeat("https://example.com/\n", 3_200_000)
	r = s.upload(nil, large)
	require.Equal(t, 413, r.StatusCode)
	require.Equal(t, []string{"The file is larger than 64 MB. The operator of this service can import larger files."}, r.texts("error"))
	require.Equal(t, 413, s.post("links/new", url.Values{"notes": {large[:1<<20]}}).StatusCode, "other forms have their own limit")
	require.Empty(t, s.links(s.ada))
}

func TestOnlyTheOwnerImportsAndExports(t *testing.T) {
	s := signedIn(t, "bob")
	s.make(s.ada, linktrack.NewLink{VanityLink: "hers", Password: "letmein"})
	require.NotContains(t, s.get("export").body, "hers")
	require.Contains(t, s.upload(nil, goodFile).texts("td"), "not allowed: an account of type free may not use title")
	require.Equal(t, 403, s.upload(nil, goodFile, "Sec-Fetch-Site", "cross-site").StatusCode)
	s.post("logout", nil)
	for _, r := range []*answer{s.get("import"), s.get("export"), s.upload(nil, goodFile)} {
		require.Equal(t, 303, r.StatusCode)
	}
	s.signIn("ada", pass)
	require.Contains(t, s.get("export").body, "hers")
	require.NotContains(t, s.get("export").body, "$2", "no hash of a password goes through a page")
}

// slowLinks is a store that makes links slowly.
type slowLinks struct{ linktrack.Store }

func (s slowLinks) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	time.Sleep(600 * time.Millisecond)
	return s.Store.CreateLinks(ctx, links)
}

func TestALongImportShowsHowFarItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a slow machine must not take an import for a long one
		s := signedIn(t, "ada")
		var file strings.Builder
		file.WriteString("external_url,redirect_hash\n")
		for i := range 1200 {
			fmt.Fprintf(&file, "https://example.com/%d,path%d\n", i, i)
		}
		checked := s.upload(nil, file.String())
		require.NotContains(t, checked.body, `class="progress"`, "it was soon done")
		slow, err := linktrack.New(slowLinks{s.store}, linktrack.Options{BaseURL: "https://go.example.com", Hosts: []string{"alt.example"}})
		require.NoError(t, err)
		t.Cleanup(func() { slow.Close(t.Context()) })
		s.handler, err = pages.New(slow, pages.Options{})
		require.NoError(t, err)
		s.signIn("ada", pass)

		r := s.upload(checked.confirm(), file.String())
		require.Equal(t, 200, r.StatusCode)
		lines := regexp.MustCompile(`<p class="progress" role="status">Links checked: [^<]+\. Imported or skipped: ([^<]+)\.</p>`).FindAllStringSubmatch(r.body, -1)
		require.Len(t, lines, 3, r.body)
		require.Equal(t, "500", lines[0][1])
		require.Equal(t, 1, strings.Count(r.body, "<!DOCTYPE html>"))
		require.Equal(t, 1, strings.Count(r.body, "</html>"))
		require.NotContains(t, r.body, "<!-- progress -->")
		require.Less(t, strings.LastIndex(r.body, `class="progress"`), strings.Index(r.body, "The links were imported."))
		require.Equal(t, "https://example.com/1199", s.link("path1199").ExternalURL)
	})
}

func TestAFileWithThousandsOfBadLinksIsRefusedWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a slow machine must not take an import for a long one
		s := signedIn(t, "ada")
		page := s.upload(nil, "external_url\n"+strings.Repeat("x\n", 6_000))
		require.Equal(t, 400, page.StatusCode)
		require.Contains(t, page.body, "has more than 5000 links that cannot be imported")
		require.Nil(t, page.confirm())
	})
}

func TestLongMediaTypesAreRefusedBeforeTheyAreParsed(t *testing.T) {
	s := signedIn(t, "ada")
	parameters := strings.Repeat("; a0*=utf-8''b", 1000)
	body := "--b\r\nContent-Disposition: form-data; name=\"file\"" + parameters + "\r\n\r\n" + goodFile + "\r\n--b--\r\n"
	for contentType, path := range map[string]string{
		"multipart/form-data; boundary=b":                "import",
		"multipart/form-data; boundary=b" + parameters:   "import",
		"application/x-www-form-urlencoded" + parameters: "login",
	} {
		r := httptest.NewRequest("POST", at(path), strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		require.Equal(t, 400, s.do(r).StatusCode, path)
	}
}

func TestAFileWithTooManyLinksIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a slow machine must not take an import for a long one
		s := signedIn(t, "ada")
		file := "url,slug\n" + strings.Repeat("https://e.org,\n", 500_001)
		r := s.upload(nil, file)
		require.Contains(t, r.body, "The file cannot be read: the file has more than 500000 links: import it in parts.")
		require.Empty(t, s.links(s.ada))
	})
}
