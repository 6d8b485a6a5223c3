package storetest

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// requireCounted requires that the numbers of links of an account are those of its lists.
func requireCounted(t *testing.T, s linktrack.Store, account linktrack.AccountID) {
	t.Helper()
	for _, archived := range []linktrack.Archived{linktrack.WithoutArchived, linktrack.WithArchived, linktrack.OnlyArchived} {
		for _, deleted := range []bool{false, true} {
			q := linktrack.LinkFilter{Account: account, Archived: archived, Deleted: deleted}
			require.EqualValues(t, len(list(t, s, q)), count(t, s, q), "account %d, archived %d, deleted %t", account, archived, deleted)
		}
	}
}

var linkCounts = []rule{
	{"the number of links is that of the list, whatever its page", func(t *testing.T, s linktrack.Store) {
		require.Zero(t, count(t, s, linktrack.LinkFilter{}), "an account without links has none")
		someLinks(t, s)
		after := linktrack.LinkCursor{ID: 1 << 40}
		q := linktrack.LinkFilter{Sort: linktrack.SortTitle, Limit: 1, Offset: 2, After: &after, Ascending: true}
		require.EqualValues(t, 4, count(t, s, q), "Sort, Limit, Offset and After have no effect")
		q.Groups = []string{"sport"}
		require.EqualValues(t, 2, count(t, s, q), "a condition has one")
		require.EqualValues(t, 2, count(t, s, linktrack.LinkFilter{Account: owner + 1}))
		require.EqualValues(t, 1, count(t, s, linktrack.LinkFilter{Search: "gamma"}))
	}},
	{"the number of links stays right after any changes at the same time", func(t *testing.T, s linktrack.Store) {
		accounts := []linktrack.AccountID{owner, buyer, owner + 2}
		made := createAll(t, s, similar("first-", 10))
		const workers, rounds = 6, 25
		err := together(workers, func(i int) error {
			random := rand.New(rand.NewPCG(12, uint64(i)))
			for n := range rounds {
				l := made[random.IntN(len(made))]
				var err error
				switch random.IntN(5) {
				case 0:
					links := similar(string(rune('a'+i))+pathOf(n)[1:]+"-", 1+random.IntN(3))
					for j := range links {
						links[j].Account = accounts[n%3]
						links[j].IsArchived = random.IntN(2) == 0
					}
					_, err = s.CreateLinks(t.Context(), links)
				case 1:
					_, err = s.CreateLinks(t.Context(), []linktrack.Link{plain(string(rune('A'+i)) + pathOf(n)[1:]), plain(l.Path)})
				case 2:
					_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error {
						l.Account, l.IsArchived = accounts[random.IntN(3)], !l.IsArchived
						if l.DeletedAt = noon; random.IntN(2) == 0 {
							l.DeletedAt = time.Time{}
						}
						return nil
					})
				case 3:
					_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.IsArchived = true; return errChange })
				default:
					_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.IsArchived = !l.IsArchived; return nil })
				}
				if err != nil && !errors.Is(err, linktrack.ErrTaken) && !errors.Is(err, linktrack.ErrNotFound) && !errors.Is(err, errChange) {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "changes at the same time do not fail")
		for _, account := range accounts {
			requireCounted(t, s, account)
		}
		all := int64(0)
		for _, account := range accounts {
			all += count(t, s, linktrack.LinkFilter{Account: account, Archived: linktrack.WithArchived})
			all += count(t, s, linktrack.LinkFilter{Account: account, Deleted: true})
		}
		require.Greater(t, all, int64(len(made)), "links were made")
	}},
}
