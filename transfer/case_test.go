package transfer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest/stores"
	"github.com/linktrackhq/linktrack/transfer"
)

// leadsTo returns the destination of a path, "" for 404.
func (p *place) leadsTo(path string) string {
	p.Helper()
	d, err := p.tracker.Follow(p.Context(), linktrack.Visit{Host: "go.example.com", Path: path, UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
	if errors.Is(err, linktrack.ErrNotFound) {
		return ""
	}
	require.NoError(p, err)
	return d.Location
}

func TestNoPathThatWasLeftOutLeadsToAnotherLink(t *testing.T) {
	stores.Each(t, func(t *testing.T, newStore func() linktrack.Store) {
		const file = "keyword,url,title,timestamp,ip,clicks\n" +
			"1a,https://example.com/small,,2024-01-02 03:04:05,,0\n" +
			"fine,https://example.com/fine,,,,0\n" +
			"1A,https://example.com/large,,,,0\n" +
			"Same,https://example.com/same,,,,0\n" +
			"same,https://example.com/same,,,,0\n" +
			"1a,https://example.com/small,,,,0\n" +
			"bad,https://example.com/bad,,never,,0\n" +
			"BAD,https://example.com/good,,,,0\n" +
			"twice,https://example.com/first,,,,0\n" +
			"twice,https://example.com/second,,,,0\n"
		p := newPlace(t, newStore(), linktrack.AccountTypeProfessional)
		_, err := p.importing(file, transfer.ImportOptions{SkipProblems: true})
		require.ErrorIs(t, err, transfer.ErrRefused)
		require.Empty(t, p.links())

		var bad strings.Builder
		cases := []string{}
		r, err := transfer.Import(t.Context(), p.tracker, p.account, strings.NewReader(file), transfer.ImportOptions{
			SkipClashes: true, SkipProblems: true, Rejected: &bad,
			Problem: func(problem transfer.Problem) {
				if problem.Case {
					cases = append(cases, problem.String())
				}
			},
		})
		require.NoError(t, err)
		require.EqualValues(t, 3, r.Made)
		require.Equal(t, []string{
			"line 2: keyword is the same path as 1A in line 4, which has another destination (case is ignored): neither link is imported",
			"line 4: keyword 1A is also the path in line 2 (case is ignored)",
			"line 7: keyword 1a is also the path in line 2 (case is ignored)",
			"line 9: keyword BAD is also the path in line 8 (case is ignored)",
		}, cases)
		for path, want := range map[string]string{
			"1a": "", "1A": "", "bad": "", "BAD": "", "fine": "https://example.com/fine",
			"Same": "https://example.com/same", "same": "https://example.com/same", "twice": "https://example.com/first",
		} {
			require.Equal(t, want, p.leadsTo(path), path)
		}
		rows := strings.Split(strings.TrimSpace(bad.String()), "\r\n")
		require.Equal(t, "problem,keyword,url,title,timestamp,ip,clicks", rows[0])
		require.Len(t, rows, 8, "seven links are left out")
		require.Contains(t, bad.String(), ",1a,https://example.com/small,,2024-01-02 03:04:05,,0\r\n")
		require.Contains(t, bad.String(), ",1A,https://example.com/large,")

		r = p.imports(file, transfer.ImportOptions{SkipClashes: true, SkipProblems: true})
		require.Zero(t, r.Made, "it is the same when it is imported again")
		require.Equal(t, "", p.leadsTo("1a"))
	})
}

func TestALinkThatIsThereStaysWhateverTheFileHas(t *testing.T) {
	p := professional(t)
	p.make(linktrack.NewLink{VanityLink: "1a", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/mine"}})
	r := p.imports("url,slug\nhttps://example.com/other,1A\nhttps://example.com/mine,1a\n", transfer.ImportOptions{SkipClashes: true})
	require.Zero(t, r.Made)
	require.Len(t, p.problems, 2)
	require.Equal(t, "https://example.com/mine", p.leadsTo("1a"))
}
