package transfer_test

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/internal/trackertest/stores"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/transfer"
)

// A place is a tracker with an account that links are exported from or imported to.
type place struct {
	*testing.T
	tracker  *linktrack.Tracker
	store    linktrack.Store
	account  linktrack.Account
	problems []string // of the last import
}

func newPlace(t *testing.T, store linktrack.Store, accountType string) *place {
	t.Helper()
	tracker, err := linktrack.New(store, linktrack.Options{
		BaseURL: "https://go.example.com", Hosts: []string{"alt.example"}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(context.Background()) })
	a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: accountType})
	require.NoError(t, err)
	return &place{T: t, tracker: tracker, store: store, account: a}
}

func professional(t *testing.T) *place {
	return newPlace(t, memstore.New(), linktrack.AccountTypeProfessional)
}

func (p *place) export(o transfer.ExportOptions) string {
	p.Helper()
	var b strings.Builder
	n, err := transfer.Export(p.Context(), p.tracker, p.account, &b, o)
	require.NoError(p, err)
	require.EqualValues(p, len(p.links()), n)
	return b.String()
}

func (p *place) importing(file string, o transfer.ImportOptions) (transfer.Result, error) {
	p.Helper()
	p.problems = nil
	o.Problem = func(problem transfer.Problem) { p.problems = append(p.problems, problem.String()) }
	return transfer.Import(p.Context(), p.tracker, p.account, strings.NewReader(file), o)
}

func (p *place) imports(file string, o transfer.ImportOptions) transfer.Result {
	p.Helper()
	r, err := p.importing(file, o)
	require.NoError(p, err, "%s", p.problems)
	return r
}

// links returns the account's links in their order, without the fields that a store
// sets.
func (p *place) links() []linktrack.Link {
	p.Helper()
	links := []linktrack.Link{}
	for l, err := range p.tracker.AllLinks(p.Context(), p.account) {
		require.NoError(p, err)
		l.ID, l.Account = 0, 0
		links = append(links, l)
	}
	return links
}

func (p *place) make(in linktrack.NewLink) linktrack.Link {
	p.Helper()
	if in.ExternalURL == "" {
		in.ExternalURL = "https://example.com/page"
	}
	l, err := p.tracker.MakeLink(p.Context(), p.account, in)
	require.NoError(p, err)
	return l
}

const hostile = "=1+1;'=2,\"\t@SUM(A1)\u2019 'quoted' ''-x \u202e\u2066\ufeff ＝1 \U0001f600 \\N NULL"

func TestTheColumnsStandInTheirOrder(t *testing.T) {
	require.Equal(t, "link,redirect_hash,host,external_url,title,description,notes,group,"+
		"is_active,is_public,has_plus_tracking,has_public_tracking,has_conversion_tracking,has_alert_email,forward_query,"+
		"has_password,alert_at,deactivate_at,count_used,expires_at,created_at,has_public_revenue,password_hash\r\n",
		professional(t).export(transfer.ExportOptions{PasswordHashes: true}))
}

func TestARoundTripKeepsEverything(t *testing.T) {
	stores.Each(t, func(t *testing.T, newStore func() linktrack.Store) {
		from := newPlace(t, newStore(), linktrack.AccountTypeProfessional)
		from.make(linktrack.NewLink{})
		full := from.make(linktrack.NewLink{
			LinkSettings: linktrack.LinkSettings{
				ExternalURL: "https://exämple.com/;=1'a\"?q=,%20&x='=2", Title: strings.ReplaceAll(hostile, "\t", " "), Description: "a\nb\r\nc\rd\r\n\r\n" + hostile,
				Notes: "\r\n'\n=" + hostile, Group: "=Gr;'üppe", AlertAt: 7, DeactivateAt: 1 << 40,
				ExpiresAt: time.Now().AddDate(1, 0, 0), IsPublic: true, HasPlusTracking: true, HasPublicTracking: true,
				HasConversionTracking: true, HasAlertEmail: true, ForwardQuery: true, HasPublicRevenue: true, Disabled: true,
			}, Host: "alt.example", VanityLink: "-Sale_2", Password: "letmein",
		})
		unset := maps.Collect((linktrack.LinkSettings{}).Properties())
		for name, value := range full.Properties() {
			require.NotEqual(t, unset[name], value, "this test must set %s", name)
		}
		from.make(linktrack.NewLink{VanityLink: "sale", LinkSettings: linktrack.LinkSettings{Title: "'", Notes: " spaces ", Group: "=gr;'ÜPPE"}})
		_, err := from.tracker.ImportLinks(t.Context(), from.account, []linktrack.ImportedLink{
			{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/old", ExpiresAt: time.Date(2020, 1, 1, 0, 0, 0, 123456000, time.UTC)}}, Path: ".f2jt", CreatedAt: time.Date(2011, 10, 30, 7, 30, 0, 1000, time.UTC)},
		})
		require.NoError(t, err)
		file := from.export(transfer.ExportOptions{PasswordHashes: true})

		to := newPlace(t, newStore(), linktrack.AccountTypeProfessional)
		r := to.imports(file, transfer.ImportOptions{})
		require.Equal(t, transfer.Result{Format: transfer.CSV, Links: 4, Made: 4, Line: r.Line}, r)
		require.Equal(t, from.links(), to.links())
		require.Equal(t, file, to.export(transfer.ExportOptions{PasswordHashes: true}))

		r = to.imports(file, transfer.ImportOptions{})
		require.EqualValues(t, 4, r.Present, "the same file again changes nothing")
		require.Zero(t, r.Made)
		require.Len(t, to.links(), 4)
	})
}

func FuzzARoundTripKeepsTexts(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "\r\n=", "\"", "a;=b", "\ufeff", "\n", " ", "\\", hostile} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		from, to := professional(t), professional(t)
		in := linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", Notes: s, Title: s}, VanityLink: "v"}
		if _, err := from.tracker.MakeLink(t.Context(), from.account, in); err != nil {
			in.Title = ""
			if _, err := from.tracker.MakeLink(t.Context(), from.account, in); err != nil {
				return // it is against the rules
			}
		}
		to.imports(from.export(transfer.ExportOptions{}), transfer.ImportOptions{})
		require.Equal(t, from.links(), to.links())
	})
}

func TestAFreeAccountKeepsItsPaths(t *testing.T) {
	from := newPlace(t, memstore.New(), linktrack.AccountTypeFree)
	l := from.make(linktrack.NewLink{})
	to := newPlace(t, memstore.New(), linktrack.AccountTypeFree)
	to.imports(from.export(transfer.ExportOptions{}), transfer.ImportOptions{})
	require.Equal(t, l.Path, to.links()[0].Path)

	_, err := to.importing("external_url,vanity_link,title,host\nhttps://example.com/,spring,,\nhttps://example.com/,,T,\nhttps://example.com/,,,alt.example\n", transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{
		"line 2: not allowed: an account of type free may not use vanity_link",
		"line 3: not allowed: an account of type free may not use title",
		"line 4: not allowed: an account of type free may not use host",
	}, to.problems)
}

func TestPasswordsAreNotLost(t *testing.T) {
	from := professional(t)
	from.make(linktrack.NewLink{VanityLink: "secret", Password: "letmein"})
	file := from.export(transfer.ExportOptions{})
	require.NotContains(t, file, "$2a$")
	to := professional(t)
	_, err := to.importing(file, transfer.ImportOptions{SkipClashes: true})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{"line 2: has_password says that there is a password, and its password_hash is not in the file"}, to.problems)
	for _, row := range []string{"password\nhttps://example.com/,letmein", "password_hash\nhttps://example.com/,$2a$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "password_hash\nhttps://example.com/,letmein"} {
		_, err = to.importing("external_url,"+row, transfer.ImportOptions{})
		require.ErrorIs(t, err, transfer.ErrRefused, row)
	}
	require.Empty(t, to.links())
	to.imports(from.export(transfer.ExportOptions{PasswordHashes: true}), transfer.ImportOptions{})
	require.True(t, to.links()[0].HasPassword())
}

func TestALimitGoesOnWhereItWas(t *testing.T) {
	from, to := professional(t), professional(t)
	from.make(linktrack.NewLink{VanityLink: "some", LinkSettings: linktrack.LinkSettings{DeactivateAt: 5}})
	from.make(linktrack.NewLink{VanityLink: "none", LinkSettings: linktrack.LinkSettings{DeactivateAt: 2}})
	for _, key := range []string{"some", "none"} {
		l, err := from.store.LinkByPath(t.Context(), "go.example.com", key)
		require.NoError(t, err)
		_, err = trackertest.Reserve(t.Context(), from.store, l.ID, 2)
		require.NoError(t, err)
	}
	to.imports(from.export(transfer.ExportOptions{}), transfer.ImportOptions{})
	links := to.links()
	require.EqualValues(t, 3, links[0].DeactivateAt)
	require.False(t, links[0].Disabled)
	require.True(t, links[1].Disabled, "no one more is let through a link that was used up")
}

const bad = "external_url,redirect_hash,is_active,alert_at,expires_at,created_at,colour\r\n" +
	"https://example.com/,good,1,,,,red\r\n" +
	"https://example.com/,\"multi\nline\",1,,,,\r\n" +
	"ftp://example.com/,b,1,,,,\r\n" +
	"https://go.example.com/x,c,1,,,,\r\n" +
	"https://example.com/,api,1,,,,\r\n" +
	"https://example.com/,.not_generated,1,,,,\r\n" +
	"https://example.com/,d,perhaps,,,,\r\n" +
	"https://example.com/,e,1,-1,,,\r\n" +
	"https://example.com/,f,1,,tomorrow,yesterday,\r\n" +
	"https://example.com/,g,1,,,2999-01-01,\r\n" +
	"https://example.com/,GOOD,1,,,,\r\n" +
	"https://example.com/,h\r\n" +
	"https://example.com/,theirs,1,,,,\r\n" +
	"https://example.com/,mine,1,,,,\r\n"

func TestEachProblemHasItsLine(t *testing.T) {
	stores.Each(t, func(t *testing.T, newStore func() linktrack.Store) {
		p := newPlace(t, newStore(), linktrack.AccountTypeProfessional)
		mine := p.make(linktrack.NewLink{VanityLink: "mine", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/other"}})
		_, err := p.tracker.MakeLink(t.Context(), linktrack.Account{ID: p.account.ID + 1, Type: linktrack.AccountTypeProfessional}, linktrack.NewLink{VanityLink: "Theirs", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
		require.NoError(t, err)
		for _, o := range []transfer.ImportOptions{{DryRun: true}, {}, {SkipClashes: true}} {
			r, err := p.importing(bad, o)
			require.ErrorIs(t, err, transfer.ErrRefused)
			require.Equal(t, transfer.Result{
				Format: transfer.CSV, Links: 14, Clashes: 3, Problems: 11, Notes: []string{`the column "colour" is unknown and ignored`},
			}, r)
			require.Equal(t, []string{
				"line 3: redirect_hash may have letters (a-z), digits, _ and - only",
				"line 5: external_url must begin with http:// or https://",
				"line 6: external_url must not lead to go.example.com, which serves tracking links itself (a loop)",
				"line 7: redirect_hash is a reserved word",
				"line 8: redirect_hash may have 1 to 32 letters (a-z) and digits behind its dot",
				"line 9: is_active must be 1 or 0",
				"line 10: alert_at must be a whole number, 0 or more",
				"line 11: expires_at must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16",
				"line 11: created_at must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16",
				"line 12: created_at must be from 1970 on and not in the future",
				"line 13: redirect_hash GOOD is also the path in line 2 (case is ignored)",
				"line 14: it has 2 fields, but the header has 7",
				"line 15: redirect_hash theirs is already taken on go.example.com",
				"line 16: redirect_hash mine is already taken on go.example.com",
			}, p.problems)
			links := p.links()
			require.Len(t, links, 1, "nothing is imported")
			mine.ID, mine.Account = 0, 0
			require.Equal(t, mine, links[0])
		}
	})
}

func TestClashesAreLeftOutByChoice(t *testing.T) {
	p := professional(t)
	p.make(linktrack.NewLink{VanityLink: "taken"})
	p.make(linktrack.NewLink{VanityLink: "same", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/same", Title: "mine"}})
	const file = "vanity_link;external_url;title\nfree;https://example.com/1;\nTAKEN;https://example.com/2;\nsame;https://example.com/same;theirs\nfree;https://example.com/3;\n;https://example.com/4;\n"
	r, err := p.importing(file, transfer.ImportOptions{DryRun: true, SkipClashes: true})
	require.NoError(t, err)
	require.Equal(t, transfer.Result{Format: transfer.CSV, Links: 5, Clashes: 2, Present: 1}, r)
	require.Len(t, p.links(), 2)
	_, err = p.importing(file, transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Len(t, p.links(), 2)

	r = p.imports(file, transfer.ImportOptions{SkipClashes: true})
	require.Equal(t, transfer.Result{Format: transfer.CSV, Links: 5, Made: 2, Clashes: 2, Present: 1, Line: 6}, r)
	require.Equal(t, []string{
		"line 3: vanity_link TAKEN is already taken on go.example.com",
		"line 5: vanity_link free is also the path in line 2 (case is ignored)",
	}, p.problems)
	links := p.links()
	require.Equal(t, "https://example.com/1", links[2].ExternalURL)
	require.Regexp(t, `^\.[0-9a-z]{7}$`, links[3].Path, "a link without a path gets one")
	require.Equal(t, "mine", links[1].Title, "a link that is there stays as it is")
}

func TestAllLinksCanBePutOnOneHost(t *testing.T) {
	p := professional(t)
	p.imports("external_url,host\nhttps://example.com/,old.example\n", transfer.ImportOptions{Host: "alt.example"})
	require.Equal(t, "alt.example", p.links()[0].Host)
	_, err := p.importing("external_url,host\nhttps://example.com/,old.example\n", transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{"line 2: host is not a host that is served here"}, p.problems)
}

func TestFilesOfAllKindsOfLinesAreRead(t *testing.T) {
	for name, file := range map[string]string{
		"a byte order mark":     "\ufeffexternal_url,notes\nhttps://example.com/,a\n",
		"CRLF":                  "external_url,notes\r\nhttps://example.com/,a\r\n",
		"no end of the last":    "external_url,notes\nhttps://example.com/,a",
		"empty lines":           "\n\nexternal_url,notes\n\r\n\nhttps://example.com/,a\n\n",
		"semicolons":            "external_url;notes\nhttps://example.com/;a\n",
		"tabs":                  "notes\texternal_url\na\thttps://example.com/\n",
		"quoted":                "\"External_URL\" , \"notes\"\n\"https://example.com/\",\"a\"\r\n",
		"a header in any case ": " External_URL ,NOTES\nhttps://example.com/,a\n",
	} {
		if name == "quoted" {
			file = strings.Replace(file, " , ", ",", 1)
		}
		p := professional(t)
		r := p.imports(file, transfer.ImportOptions{})
		require.EqualValues(t, 1, r.Made, name)
		require.Equal(t, "https://example.com/", p.links()[0].ExternalURL, name)
		require.Equal(t, "a", p.links()[0].Notes, name)
	}
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	for file, want := range map[string]string{
		"":                              "the file has an unknown format",
		"\xff\xfee\x00":                 "the file has an unknown format",
		"\xff\xfe\x00\x00e\x00\x00\x00": "the file must be UTF-8, UTF-16, or Windows-1252",
		"a,b\n1,2\n":                    "the file has an unknown format",
		"external_url,title,title\n":    `the header has the column "title" twice`,
		"external_url\n\"https://e\n":   "line 2: a quotation mark is not closed",
		"external_url\n\"a\"b\n":        "line 2: there is text after a closing quotation mark",
		"external_url\n\"" + long:       "line 2: a quotation mark is not closed",
		"external_url\n" + long:         "line 2: a text has more than a million bytes",
		"{\"shortUrls\":\n{\"data\":[":  "line 2: the file ends within the JSON",
		"{\"a\":\n1}":                   "line 2: there is no list of short URLs in the file",
		"{\n\"shortUrls\": x":           "line 2: this is not JSON: invalid character 'x' looking for beginning of value",
		"INSERT INTO `yourls_url`\nVALUES ('a','https://": "line 2: the file ends within a statement",
		"INSERT INTO `other` VALUES (1);\n":               "line 2: there is no INSERT INTO a table whose name ends with _url in the file",
		"-- dump\nINSERT INTO yourls_url VALUES (1);\n":   "line 2: it has 1 fields, but 6 are expected",
	} {
		p := professional(t)
		_, err := p.importing(file, transfer.ImportOptions{})
		require.Error(t, err, "%.50q", file)
		require.Contains(t, strings.Join(append(p.problems, err.Error()), "\n"), want, "%.50q", file)
	}
	_, err := professional(t).importing("external_url\n", transfer.ImportOptions{Format: "tinyurl"})
	require.ErrorContains(t, err, "format must be one of csv, yourls, shlink, bitly, rebrandly, shortio, kutt, plain")
	require.Zero(t, professional(t).imports("external_url\n", transfer.ImportOptions{}).Links, "no links are no error")
}

func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(b)
}

func chicago(t *testing.T, s string) time.Time {
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone)
	require.NoError(t, err)
	return at.UTC()
}

func TestLinksOfYOURLSAreRead(t *testing.T) {
	p := professional(t)
	r := p.imports(sample(t, "yourls.sql"), transfer.ImportOptions{})
	require.Equal(t, transfer.Result{Format: transfer.YOURLS, Links: 4, Made: 4, Line: 20}, r)
	link := func(path, url, title, at string) linktrack.Link {
		return linktrack.Link{Host: "go.example.com", Path: path, LinkSettings: linktrack.LinkSettings{ExternalURL: url, Title: title}, CreatedAt: chicago(t, at)}
	}
	require.Equal(t, []linktrack.Link{
		link("ozh", "https://example.com/ozh", `Ozh's "blog"; (really), 100%\`, "2023-05-01 10:00:00"),
		link("Ab", "https://example.com/upper?a=1&b='2'", "", "2023-05-02 10:00:00"),
		link("two-lines", "https://example.com/2", "One Two Three", "2023-05-03 10:00:00"),
		link("late", "https://example.com/späte", "Late", "2024-01-01 00:00:00"),
	}, p.links())

	p = professional(t)
	r = p.imports(sample(t, "yourls.csv"), transfer.ImportOptions{})
	require.Equal(t, transfer.Result{Format: transfer.YOURLS, Links: 2, Made: 2, Line: 3}, r)
	require.Equal(t, link("ozh", "https://example.com/ozh", `Ozh's "blog"; =1+1`, "2023-05-01 10:00:00"), p.links()[0])

	_, headless, _ := strings.Cut(sample(t, "yourls.csv"), "\n")
	p = professional(t)
	require.EqualValues(t, 2, p.imports(headless, transfer.ImportOptions{Format: transfer.YOURLS}).Made, "a named format needs no header")

	_, err := p.importing("keyword,url,title,timestamp,ip,clicks\nab,https://example.com/1,,2023-05-01 10:00:00,,0\nAB,https://example.com/2,,never,,0\naB,https://example.com/2,,,,0\na.b,https://example.com,,,,\n", transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{
		"line 2: keyword ab is already taken on go.example.com",
		"line 3: timestamp " + "must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16",
		"line 4: keyword aB is also the path in line 2 (case is ignored)",
		"line 5: keyword may have letters (a-z), digits, _ and - only",
	}, p.problems)
}

func TestLinksOfShlinkAreRead(t *testing.T) {
	p := professional(t)
	r := p.imports(sample(t, "shlink.json"), transfer.ImportOptions{})
	require.Equal(t, transfer.Result{Format: transfer.Shlink, Links: 3, Made: 3, Line: 28}, r)
	require.Equal(t, []linktrack.Link{
		{
			Host: "go.example.com", Path: "12C18", LinkSettings: linktrack.LinkSettings{
				ExternalURL: "https://example.com/shlink", Title: "The welcome page", Notes: "tags: games, tech",
				ForwardQuery: true, DeactivateAt: 93,
			}, CreatedAt: time.Date(2016, 8, 21, 18, 34, 16, 0, time.UTC),
		},
		{
			Host: "alt.example", Path: "custom-slug", LinkSettings: linktrack.LinkSettings{
				ExternalURL: "https://example.com/alt", Group: "shop", Disabled: true, DeactivateAt: 3,
				ExpiresAt: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC),
			}, CreatedAt: time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC),
		},
		{Host: "go.example.com", Path: "last", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/last"}, CreatedAt: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)},
	}, p.links())

	first, _, _ := strings.Cut(sample(t, "shlink.json"), "\n{\"shortUrls\"")
	r = professional(t).imports(first, transfer.ImportOptions{})
	require.Equal(t, []string{"the file has 1 of 2 pages of short URLs"}, r.Notes)

	p = professional(t)
	_, err := p.importing(`{"shortUrls": {"data": [
  {"shortCode": "sub/dir", "longUrl": "https://example.com/"},
  {"shortCode": "a", "longUrl": "https://example.com/",
   "meta": {"validSince": "2999-01-01T00:00:00Z"}},
  {"shortCode": 1}, {"shortCode": "b", "dateCreated": "soon"},
  {"shortCode": "c", "longUrl": "https://example.com/", "domain": "s.example"}
]}}`, transfer.ImportOptions{})
	require.ErrorIs(t, err, transfer.ErrRefused)
	require.Equal(t, []string{
		"line 2: shortCode may have letters (a-z), digits, _ and - only",
		"line 3: meta.validSince is in the future, but a link here is active at once",
		"line 5: shortCode has an unexpected type",
		"line 5: it has an invalid time",
		"line 6: domain is not a host that is served here",
	}, p.problems)
}

// failing is a store that fails at its n-th batch of links.
type failing struct {
	linktrack.Store
	batches int
	before  func()
}

func (f *failing) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	if f.before != nil {
		f.before()
	}
	if f.batches--; f.batches == 0 {
		return nil, os.ErrDeadlineExceeded
	}
	return f.Store.CreateLinks(ctx, links)
}

// numbered is a file of n links.
func numbered(n int) string {
	var b strings.Builder
	b.WriteString("external_url,redirect_hash\n")
	for i := range n {
		b.WriteString("https://example.com/" + itoa(i) + ",n" + itoa(i) + "\n")
	}
	return b.String()
}

func itoa(i int) string { return string(slices.Collect(digits(i))) }

func digits(i int) func(func(byte) bool) {
	return func(yield func(byte) bool) {
		for d := 1_000_000; d > 0; d /= 10 {
			if !yield(byte('0' + i/d%10)) {
				return
			}
		}
	}
}

func TestAnImportThatBrokeOffGoesOn(t *testing.T) {
	store := &failing{Store: memstore.New(), batches: 3}
	p := newPlace(t, store, linktrack.AccountTypeProfessional)
	r, err := p.importing(numbered(1234), transfer.ImportOptions{})
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
	require.ErrorContains(t, err, "lines 1002 to 1235: ")
	require.EqualValues(t, 1000, r.Made)
	require.Equal(t, 1001, r.Line)
	require.Len(t, p.links(), 1000, "what it says is made is made")
	r = p.imports(numbered(1234), transfer.ImportOptions{})
	require.EqualValues(t, 1000, r.Present)
	require.EqualValues(t, 234, r.Made)
	require.Len(t, p.links(), 1234)
}

func TestAPathThatIsTakenMeanwhile(t *testing.T) {
	for _, skip := range []bool{false, true} {
		store := &failing{Store: memstore.New()}
		p := newPlace(t, store, linktrack.AccountTypeProfessional)
		store.before = func() {
			store.before = nil
			p.make(linktrack.NewLink{VanityLink: "n0000007"})
			p.make(linktrack.NewLink{VanityLink: "n0000008", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/0000008"}})
		}
		r, err := p.importing(numbered(20), transfer.ImportOptions{SkipClashes: skip})
		if !skip {
			require.ErrorIs(t, err, linktrack.ErrTaken)
			require.Zero(t, r.Made)
			require.Len(t, p.links(), 2)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, transfer.Result{Format: transfer.CSV, Links: 20, Made: 18, Present: 1, Clashes: 1, Line: 21}, r)
		require.Equal(t, []string{"line 9: redirect_hash n0000007 is already taken on go.example.com"}, p.problems)
	}
}
