package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var errChange = errors.New("the change refuses")

var edits = []rule{
	{"an update keeps every field that change sets", func(t *testing.T, s linktrack.Store) {
		want := full("sale")
		want.ID = create(t, s, plain("sale")).ID
		got := edit(t, s, want.ID, func(l *linktrack.Link) { *l = full("sale") })
		require.Equal(t, want, got, "UpdateLink returns the link as it was kept")
		require.Equal(t, want, look(t, s, want), "UpdateLink keeps what change left")

		want = plain("sale")
		want.ID = got.ID
		edit(t, s, got.ID, func(l *linktrack.Link) { *l = want })
		require.Equal(t, want, look(t, s, want), "UpdateLink takes away what change took away")
	}},
	{"an update does not change ID, creation or counts", func(t *testing.T, s linktrack.Store) {
		before := create(t, s, plain("Sale"))
		other := create(t, s, plain("Other"))
		send(t, s, visitor(before.ID, noon), bot(before.ID, noon))
		before = look(t, s, before)
		got := edit(t, s, before.ID, func(l *linktrack.Link) {
			l.ID, l.CreatedAt = other.ID, noon.AddDate(-1, 0, 0)
			l.Counts = linktrack.Counts{Day: 91, People: 92, Unique: 93, Bots: 94, Conversions: 95, Used: 96, LastClick: noon.AddDate(1, 0, 0)}
			l.Title = "new"
		})
		want := before
		want.Title = "new"
		require.Equal(t, want, got, "UpdateLink returns the link as it was kept")
		require.Equal(t, want, look(t, s, want), "only the title is new")
		require.Equal(t, other, look(t, s, other), "no other link is touched")
	}},
	{"change gets the link as it stands", func(t *testing.T, s linktrack.Store) {
		l := plain("sale")
		l.DeactivateAt = 10
		l = create(t, s, l)
		send(t, s, visitor(l.ID, noon), person(l.ID, noon.Add(time.Second)), bot(l.ID, noon.Add(time.Minute)))
		_, err := reserveFor(t.Context(), s, l.ID, 3)
		require.NoError(t, err, "a link that exists can be reserved")
		edit(t, s, l.ID, func(got *linktrack.Link) {
			require.Equal(t, linktrack.Counts{People: 2, Unique: 1, Bots: 1, Used: 5, LastClick: noon.Add(time.Minute)}, got.Counts,
				"change sees the counts: it may have to decide by them")
			require.Equal(t, l.ID, got.ID, "change sees which link it is")
		})
	}},
	{"an error of change is returned and nothing is kept", func(t *testing.T, s linktrack.Store) {
		before := create(t, s, plain("sale"))
		_, err := s.UpdateLink(t.Context(), before.ID, func(l *linktrack.Link) error {
			*l = full("sale")
			return errChange
		})
		require.ErrorIs(t, err, errChange, "change's error comes back")
		require.Equal(t, before, look(t, s, before), "nothing of a refused change is kept")
		edit(t, s, before.ID, func(l *linktrack.Link) { l.Title = "new" })
		require.Equal(t, "new", look(t, s, before).Title, "the link can be edited after a refused change")
	}},
	{"an update that changes nothing is no error", func(t *testing.T, s linktrack.Store) {
		before := create(t, s, full("sale"))
		require.Equal(t, before, edit(t, s, before.ID, func(*linktrack.Link) {}), "no row that changes is not the same as no row")
	}},
	{"an update of an unknown link is not found", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		for _, id := range []int64{0, -1, l.ID + 1, 1 << 62} {
			called := false
			_, err := s.UpdateLink(t.Context(), id, func(*linktrack.Link) error { called = true; return nil })
			require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no link %d", id)
			require.False(t, called, "there is nothing to change")
		}
	}},
	{"concurrent updates lose nothing of each other", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		const writers, rounds = 8, 10
		err := together(writers, func(i int) error {
			for range rounds {
				_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error {
					l.AlertAt++ // all of them
					switch i {  // each its own
					case 0:
						l.Title += "x"
					case 1:
						l.Description += "x"
					case 2:
						l.Notes += "x"
					case 3:
						l.DeactivateAt++
					case 4:
						l.PasswordHash = append(l.PasswordHash, 'x')
					case 5:
						l.ExternalURL += "x"
					case 6:
						l.ExpiresAt = l.ExpiresAt.Add(time.Hour)
						if l.ExpiresAt.Before(noon) {
							l.ExpiresAt = noon
						}
					case 7:
						l.IsPublic = !l.IsPublic
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "every update is kept")
		const xs = "xxxxxxxxxx"
		want := l
		want.AlertAt, want.DeactivateAt = writers*rounds, rounds
		want.Title, want.Description, want.Notes = xs, xs, xs
		want.PasswordHash, want.ExternalURL = []byte(xs), l.ExternalURL+xs
		want.ExpiresAt = noon.Add((rounds - 1) * time.Hour)
		require.Equal(t, want, look(t, s, l), "no update runs on what another has replaced")
	}},
}
