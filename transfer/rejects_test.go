package transfer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/transfer"
)

func TestRowsThatAreLeftOutCanBeMendedAndImported(t *testing.T) {
	for name, test := range map[string]struct{ file, bad, mended string }{
		"own": {
			"\ufeffExternal URL;redirect_hash;title;notes\r\nhttps://example.com/1;good;;\r\nexample.com;one;'=1+1;\"a\r\nb\"\r\nhttps://example.com/3;sub/dir;;x\r\n",
			"problem,External URL,redirect_hash,title,notes\r\nline 3: external_url must begin with http:// or https://,example.com,one,'=1+1,\"a\r\nb\"\r\n" +
				"\"line 5: redirect_hash may have letters (a-z), digits, _ and - only\",https://example.com/3,sub/dir,,x\r\n",
			"=1+1",
		},
		"YOURLS": {
			"INSERT INTO `yourls_url` (`url`,`keyword`,`title`) VALUES ('https://example.com/1','good',NULL),('example.com','one','=1+1'),('https://example.com/3','sub/dir','');",
			"problem,keyword,url,title,timestamp,ip,clicks\r\nline 1: url must begin with http:// or https://,one,example.com,'=1+1,,,\r\n" +
				"\"line 1: keyword may have letters (a-z), digits, _ and - only\",sub/dir,https://example.com/3,,,,\r\n",
			"=1+1",
		},
		"Shlink": {
			`[{"shortCode":"good","longUrl":"https://example.com/1"},{"shortCode":"one","longUrl":"example.com","title":"=1+1"},` + "\n" + `{"shortCode":"sub/dir","longUrl":"https://example.com/3"}]`,
			"problem,redirect_hash,host,external_url,title,description,notes,group,is_active,forward_query,deactivate_at,expires_at,created_at,password_hash\r\n" +
				"line 1: longUrl must begin with http:// or https://,one,,example.com,'=1+1,,,,1,0,0,,,\r\n" +
				"\"line 2: shortCode may have letters (a-z), digits, _ and - only\",sub/dir,,https://example.com/3,,,,,1,0,0,,,\r\n",
			"=1+1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := professional(t)
			var bad strings.Builder
			_, err := p.importing(test.file, transfer.ImportOptions{Rejected: &bad})
			require.ErrorIs(t, err, transfer.ErrRefused)
			require.Equal(t, test.bad, bad.String(), "they are written if nothing is imported, too")

			bad.Reset()
			r := p.imports(test.file, transfer.ImportOptions{SkipProblems: true, Rejected: &bad})
			require.Equal(t, test.bad, bad.String())
			require.EqualValues(t, 1, r.Made)
			require.EqualValues(t, 2, r.Problems)

			mended := strings.NewReplacer("sub/dir", "sub-dir", "example.com,", "https://example.com/2,", ",example.com", ",https://example.com/2").Replace(bad.String())
			r = p.imports(mended, transfer.ImportOptions{})
			require.EqualValues(t, 2, r.Made)
			require.Nil(t, r.Notes)
			require.Equal(t, test.mended, p.links()[1].Title)
			require.Equal(t, "sub-dir", p.links()[2].Path)

			bad.Reset()
			p.imports(test.file[:0]+"external_url\n", transfer.ImportOptions{Rejected: &bad})
			require.Empty(t, bad.String())
		})
	}
}

type full struct{}

var errFull = errors.New("the disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestNothingIsImportedIfTheBadRowsCannotBeWritten(t *testing.T) {
	p := professional(t)
	_, err := p.importing("url,slug\nhttps://example.com/,a\n"+strings.Repeat("x,y\n", 2000), transfer.ImportOptions{SkipProblems: true, Rejected: full{}})
	require.ErrorIs(t, err, errFull)
	require.Empty(t, p.links())
}

func TestAFileThatBreaksOffIsRefusedWhateverIsLeftOut(t *testing.T) {
	for _, file := range []string{
		"url,slug\nhttps://example.com/,a\n\"https://example.com/,b\nhttps://example.com/,c\n",
		`[{"shortCode":"a","longUrl":"https://example.com/"},`,
		"INSERT INTO yourls_url (url,keyword) VALUES ('https://example.com/','a'),('",
	} {
		p := professional(t)
		_, err := p.importing(file, transfer.ImportOptions{SkipProblems: true, SkipClashes: true})
		require.ErrorIs(t, err, transfer.ErrRefused, file)
		require.Empty(t, p.links())
	}
}

func TestAnExportMayBeginWithAByteOrderMark(t *testing.T) {
	for _, links := range []int{0, 1} {
		p := professional(t)
		for range links {
			p.make(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "Grüße"}})
		}
		plain := p.export(transfer.ExportOptions{})
		require.True(t, strings.HasPrefix(plain, "link,"))
		require.Equal(t, "\ufeff"+plain, p.export(transfer.ExportOptions{BOM: true}))
		to := professional(t)
		require.EqualValues(t, links, to.imports("\ufeff"+plain, transfer.ImportOptions{}).Made)
		require.Equal(t, plain, to.export(transfer.ExportOptions{}))
	}
}
