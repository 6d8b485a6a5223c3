package transfer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/transfer"
)

// foreign is a link of another program.
func foreign(path, url string, more func(*linktrack.Link)) linktrack.Link {
	l := linktrack.Link{Host: "go.example.com", Path: path, LinkSettings: linktrack.LinkSettings{ExternalURL: url}}
	if more != nil {
		more(&l)
	}
	return l
}

func utc(year int, month time.Month, day, hour, min, sec, milli int) time.Time {
	return time.Date(year, month, day, hour, min, sec, milli*1_000_000, time.UTC)
}

func TestFilesOfOtherProgramsAreKnownByTheirHeader(t *testing.T) {
	for _, test := range []struct {
		file   string
		format transfer.Format
		host   string
		want   []linktrack.Link // with no CreatedAt: when they are imported
		notes  []string
	}{
		{file: "shlink-web-client.csv", format: transfer.Shlink, want: []linktrack.Link{
			foreign("spring", "https://example.com/?a=1,2", func(l *linktrack.Link) {
				l.Title, l.Notes, l.CreatedAt = "The spring page", "tags: shop, news", utc(2024, 1, 2, 2, 4, 5, 0)
			}),
			foreign("2xQ7", "https://example.com/two", func(l *linktrack.Link) { l.Group, l.CreatedAt = "shop", utc(2023, 5, 6, 7, 8, 9, 0) }),
		}, notes: []string{"visits is not imported; the file sets it once"}},
		{file: "shlink-importer.csv", format: transfer.Shlink, want: []linktrack.Link{
			foreign("one", "https://example.com/one", func(l *linktrack.Link) { l.Title, l.Notes = "First", "tags: a, b" }),
			foreign("two", "https://example.com/two", func(l *linktrack.Link) { l.Host = "alt.example" }),
		}},
		{file: "bitly-dashboard.csv", format: transfer.Bitly, want: []linktrack.Link{
			foreign("3xYz1", "https://example.com/spring", func(l *linktrack.Link) {
				l.Title, l.Notes, l.CreatedAt = "Spring", "tags: shop, news", chicago(t, "2024-01-02 03:04:05")
			}),
			foreign("spring", "https://example.com/spring", func(l *linktrack.Link) {
				l.Title, l.Notes, l.CreatedAt = "Spring", "tags: shop, news", chicago(t, "2024-01-02 03:04:05")
			}),
			foreign("4aBcD", "https://example.com/plain", func(l *linktrack.Link) { l.CreatedAt = chicago(t, "2024-02-03 00:00:00") }),
		}, notes: []string{"Total Engagements is not imported; the file sets it once"}},
		{file: "bitly-api.csv", format: transfer.Bitly, host: "go.example.com", want: []linktrack.Link{
			foreign("3xYz1", "https://example.com/spring", func(l *linktrack.Link) { l.Title, l.Group, l.CreatedAt = "Spring", "shop", utc(2024, 1, 2, 3, 4, 5, 0) }),
			foreign("spring", "https://example.com/spring", func(l *linktrack.Link) { l.Title, l.Group, l.CreatedAt = "Spring", "shop", utc(2024, 1, 2, 3, 4, 5, 0) }),
			foreign("4aBcD", "https://example.com/plain", func(l *linktrack.Link) { l.CreatedAt = utc(2024, 2, 3, 4, 5, 6, 0) }),
		}, notes: []string{"archived is not imported; the file sets it once"}},
		{file: "rebrandly.csv", format: transfer.Rebrandly, want: []linktrack.Link{
			foreign("first", "https://example.com/first", func(l *linktrack.Link) { l.Title, l.CreatedAt = "The first", utc(2016, 7, 13, 10, 54, 12, 0) }),
			foreign("Second", "https://example.com/second", func(l *linktrack.Link) { l.Host, l.CreatedAt = "alt.example", utc(2017, 7, 13, 10, 54, 12, 500) }),
		}, notes: []string{
			"clicks is not imported; the file sets it once", "forwardParameters is not imported; the file sets it once",
			"favourite is not imported; the file sets it once",
		}},
		{file: "shortio.csv", format: transfer.ShortIO, want: []linktrack.Link{
			foreign("app", "https://example.com/app", func(l *linktrack.Link) {
				l.Title, l.Group, l.CreatedAt, l.ExpiresAt = "The app", "mobile", utc(2024, 1, 2, 3, 4, 5, 678), utc(2035, 1, 2, 0, 0, 0, 0)
			}),
			foreign("unix", "https://example.com/unix", func(l *linktrack.Link) { l.CreatedAt = utc(2024, 1, 2, 3, 4, 5, 678) }),
		}, notes: []string{"expiredURL is not imported; the file sets it once", "iphoneURL is not imported; the file sets it once"}},
		{file: "kutt.csv", format: transfer.Kutt, want: []linktrack.Link{
			foreign("abc123", "https://example.com/kutt", func(l *linktrack.Link) {
				l.Description, l.CreatedAt, l.ExpiresAt = "What it is, in two\nlines", utc(2024, 1, 2, 3, 4, 5, 678), utc(2035, 1, 2, 0, 0, 0, 0)
			}),
			foreign("locked", "https://example.com/locked", func(l *linktrack.Link) {
				l.Disabled, l.CreatedAt = true, utc(2024, 1, 3, 3, 4, 5, 0)
				l.PasswordHash = []byte("$2a$12$NbfHqE3wmXWvSCKMHOVHZe4XtYyUk2mRMJtnlT2RcKXHkNEVCzHyW")
			}),
		}, notes: []string{"visit_count is not imported; the file sets it once"}},
		{file: "kutt.json", format: transfer.Kutt, want: []linktrack.Link{
			foreign("abc123", "https://example.com/kutt", func(l *linktrack.Link) {
				l.Description, l.CreatedAt, l.ExpiresAt = "What it is", utc(2024, 1, 2, 3, 4, 5, 678), utc(2035, 1, 2, 0, 0, 0, 0)
			}),
			foreign("off", "https://example.com/off", func(l *linktrack.Link) {
				l.Host, l.Disabled, l.CreatedAt = "alt.example", true, utc(2024, 1, 3, 3, 4, 5, 0)
			}),
			foreign("last", "https://example.com/last", func(l *linktrack.Link) { l.CreatedAt = utc(2024, 1, 4, 3, 4, 5, 0) }),
		}, notes: []string{"visit_count is not imported; the file sets it once"}},
		{file: "plain.csv", format: transfer.Plain, want: []linktrack.Link{
			foreign("one", "https://example.com/one", nil), foreign("two", "https://example.com/two", nil),
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			p := professional(t)
			r := p.imports(sample(t, test.file), transfer.ImportOptions{Host: test.host})
			require.Equal(t, test.format, r.Format)
			require.Equal(t, test.notes, r.Notes)
			links := p.links()
			for i := range links {
				if i < len(test.want) && test.want[i].CreatedAt.IsZero() {
					links[i].CreatedAt = time.Time{}
				}
			}
			require.Equal(t, test.want, links)
			p.imports(sample(t, test.file), transfer.ImportOptions{Host: test.host, Format: test.format})
			require.Len(t, p.links(), len(test.want), "the same file changes nothing, its format named or not")
		})
	}
}

func TestWhatOtherProgramsHideOrLackIsSaid(t *testing.T) {
	for file, want := range map[string]string{
		"address,target,password\na,https://example.com/,true\n":                         "line 2: password is set, but cannot be imported",
		`{"data":[{"address":"a","target":"https://example.com/","password":true}]}`:     "line 1: password is set, but the file contains neither the password nor its hash",
		"originalURL,path,password\nhttps://example.com/,a,secret\n":                     "line 2: password is set, but cannot be imported",
		"slashtag,destination\n,https://example.com/\n":                                  "line 2: slashtag is missing",
		"Long URL,Short code\n,a\n":                                                      "line 2: Long URL is missing",
		"Long URL,Short code\nhttps://example.com/,sub/dir\n":                            "line 2: Short code may have letters (a-z), digits, _ and - only",
		"Long URL,Short code,Created At\nhttps://example.com/,a,yesterday\n":             "line 2: Created At must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16",
		"link,long_url\nhttps://bit.ly/abc,https://example.com/\n":                       "line 2: host is not a host that is served here",
		"url,slug\nhttps://example.com/,api\n":                                           "line 2: slug is a reserved word",
		"url,slug,Expires At\nhttps://example.com/,a,9999-12-31T23:59:59-05:00\n":        "line 2: Expires At must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16",
		`{"shortUrls":{"data":[{"shortCode":"a","longUrl":"https://example.com/"}]}} {"`: "line 1: the file ends within the JSON",
	} {
		p := professional(t)
		_, err := p.importing(file, transfer.ImportOptions{})
		require.ErrorIs(t, err, transfer.ErrRefused, file)
		require.Equal(t, []string{want}, p.problems, file)
	}
	for file, want := range map[string]string{
		"a,b\n1,2\n":               "the header lacks a column of bitly: link or bitlink or customlink or custombitlink or custombitlinks, and longurl or destinationurl or destination",
		"link,long_url,Long URL\n": `the header has the column "long_url" twice`,
	} {
		_, err := professional(t).importing(file, transfer.ImportOptions{Format: transfer.Bitly})
		require.EqualError(t, err, want)
	}
}

func TestRulesOfShlinkAreListed(t *testing.T) {
	p := professional(t)
	r := p.imports(`[{"shortCode":"a","longUrl":"https://example.com/","hasRedirectRules":true,"dateCreated":"2024-01-01T00:00:00+0000"},
		{"shortCode":"b","longUrl":"https://example.com/","hasRedirectRules":true,"deviceLongUrls":{"android":"https://example.com/a","ios":null}},
		{"shortCode":"c","longUrl":"https://example.com/","deviceLongUrls":{"android":null}}]`, transfer.ImportOptions{})
	require.EqualValues(t, 3, r.Made)
	require.Equal(t, []string{
		"redirect rules is not imported; the file sets it 2 times", "deviceLongUrls is not imported; the file sets it once",
	}, r.Notes)
}

func TestARowOfTwoPathsIsLeftOutOnce(t *testing.T) {
	p := professional(t)
	p.make(linktrack.NewLink{VanityLink: "one"})
	p.make(linktrack.NewLink{VanityLink: "two"})
	for _, row := range []string{"https://go.example.com/one,https://go.example.com/two,https://example.com/other", "https://go.example.com/one,https://go.example.com/two,"} {
		var bad strings.Builder
		r := p.imports("Link,Custom Link,Destination URL\n"+row+"\n", transfer.ImportOptions{SkipClashes: true, SkipProblems: true, Rejected: &bad})
		require.Zero(t, r.Made)
		require.Equal(t, 2, strings.Count(bad.String(), "\r\n"), bad.String())
	}
}
