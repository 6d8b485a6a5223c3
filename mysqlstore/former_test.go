package mysqlstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestAReservedPathIsForItsAccountOnly(t *testing.T) {
	for name, take := range map[string]func(t *testing.T, s linktrack.Store, account linktrack.AccountID, path string) error{
		"by a new link": func(t *testing.T, s linktrack.Store, account linktrack.AccountID, path string) error {
			_, err := s.CreateLinks(t.Context(), []linktrack.Link{
				{Account: account, Host: "go.example.com", Path: "New" + path},
				{Account: account, Host: "go.example.com", Path: path},
			})
			return err
		},
		"by a rename": func(t *testing.T, s linktrack.Store, account linktrack.AccountID, path string) error {
			l := makeLink(t, s, linktrack.Link{Account: account, Host: "go.example.com", Path: fmt.Sprint("of", account)})
			_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path = path; return nil })
			return err
		},
		"by a rename that moves": func(t *testing.T, s linktrack.Store, account linktrack.AccountID, path string) error {
			l := makeLink(t, s, linktrack.Link{Account: 3 - account, Host: "go.example.com", Path: fmt.Sprint("for", account)})
			_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path, l.Account = path, account; return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dsn := opened(t)
			db := admin(t, dsn)
			db.MustExec(`INSERT INTO lt_former (host, path_key, link_id, account_id) VALUES ('go.example.com', 'mine', 0, 1), ('go.example.com', 'theirs', 0, 2)`)
			_, err := s.LinkByPath(t.Context(), "go.example.com", "mine")
			require.ErrorIs(t, err, linktrack.ErrNotFound, "it leads nowhere")
			found, err := s.LinksByPath(t.Context(), []linktrack.LinkName{{Host: "go.example.com", Key: "mine"}})
			require.NoError(t, err)
			require.Empty(t, found)
			former, err := s.FormerPaths(t.Context(), 0)
			require.NoError(t, err)
			require.Empty(t, former)
			require.NoError(t, s.ReleasePaths(t.Context(), 0, []linktrack.LinkName{{Host: "go.example.com", Key: "theirs"}}))

			require.ErrorIs(t, take(t, s, 1, "Theirs"), linktrack.ErrTaken)
			require.NoError(t, take(t, s, 2, "Theirs"))
			var rows int
			require.NoError(t, db.Get(&rows, `SELECT COUNT(*) FROM lt_former WHERE link_id = 0`))
			require.Equal(t, 1, rows, "the one that is used is no longer reserved")
			l, err := s.LinkByPath(t.Context(), "go.example.com", "theirs")
			require.NoError(t, err)
			require.EqualValues(t, 2, l.Account)
		})
	}
}
