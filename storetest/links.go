package storetest

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// full returns a link with every field set.
func full(path string) linktrack.Link {
	return linktrack.Link{
		Account: owner, Host: host, Path: path,
		LinkSettings: linktrack.LinkSettings{
			ExternalURL: `https://exämple.com/a%20b?q='"\&100%#` + "😀",
			Title:       "title " + odd,
			Description: "description " + odd,
			Notes:       "notes\r\n\t" + odd,
			Group:       "group " + odd,
			Disabled:    true, IsPublic: true, HasPlusTracking: true, HasPublicTracking: true,
			HasConversionTracking: true, HasAlertEmail: true, ForwardQuery: true, HasPublicRevenue: true,
			AlertAt:      1 << 40,
			DeactivateAt: 1<<62 + 1, ExpiresAt: noon.AddDate(75, 0, 0),
			ExternalID: "id of " + path + " " + odd, Tags: []string{"tag " + odd, "😀"}, IsArchived: true,
			StartsAt: noon.AddDate(50, 0, 0), FallbackURL: "https://exämple.net/'?" + "😀", Confirm: linktrack.ConfirmAuto,
		},
		PasswordHash: []byte{0, 0xff, '\\', '\'', '%', 0},
		CreatedAt:    noon,
	}
}

// listed is full for a link that lists have without being asked for archived ones.
func listed(path string) linktrack.Link {
	l := full(path)
	l.IsArchived = false
	return l
}

var links = []rule{
	{"the hosts that links are on are listed in order", func(t *testing.T, s linktrack.Store) {
		lister, ok := s.(linktrack.HostLister)
		if !ok {
			t.Skip("the store does not list its hosts")
		}
		hosts, err := lister.LinkHosts(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, hosts)
		for i, name := range []string{"b.example", "c.example:8080", "a.example", "b.example", "c.example"} {
			l := plain(pathOf(i))
			l.Host, l.Account = name, linktrack.AccountID(i%2+1)
			create(t, s, l)
		}
		all := []string{"a.example", "b.example", "c.example", "c.example:8080"}
		for limit := 1; limit < 6; limit++ {
			hosts, err := lister.LinkHosts(t.Context(), limit)
			require.NoError(t, err)
			require.Equal(t, all[:min(limit, len(all))], hosts)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = lister.LinkHosts(ctx, 1)
		require.Error(t, err, "it ends with its context")
	}},
	{"every field of a link comes back as it was given", func(t *testing.T, s linktrack.Store) {
		want := full("Spring_Sale-1")
		for field, value := range reflect.ValueOf(want.LinkSettings).Fields() {
			require.False(t, value.IsZero(), "this suite must set %s", field.Name)
		}
		made := create(t, s, want)
		want.ID = made.ID
		require.Equal(t, want, made, "CreateLinks returns the link with its ID")
		require.Equal(t, want, look(t, s, want), "LinkByPath returns what was kept")
		require.Equal(t, []linktrack.Link{want}, list(t, s, linktrack.LinkFilter{Archived: linktrack.WithArchived}), "Links returns what was kept")
		require.Equal(t, want, edit(t, s, made.ID, func(l *linktrack.Link) {
			require.Equal(t, want, *l, "UpdateLink's change gets what was kept")
		}), "UpdateLink returns what was kept")
	}},
	{"each switch of a link is its own", func(t *testing.T, s linktrack.Store) {
		for i := range reflect.TypeFor[linktrack.LinkSettings]().NumField() {
			l := plain(pathOf(i))
			on, ok := reflect.ValueOf(&l.LinkSettings).Elem().Field(i).Addr().Interface().(*bool)
			if !ok {
				continue
			}
			*on = true
			l.ID = create(t, s, l).ID
			require.Equal(t, l, look(t, s, l), "setting one switch sets no other one")
		}
	}},
	{"the first moment of 1970 is not never", func(t *testing.T, s linktrack.Store) {
		want := plain(".epoch")
		want.ExpiresAt, want.StartsAt = time.Unix(0, 0).UTC(), time.Unix(0, 0).UTC()
		want.ID = create(t, s, want).ID
		require.False(t, look(t, s, want).ExpiresAt.IsZero(), "a link that has expired would live forever")
		require.WithinDuration(t, want.ExpiresAt, look(t, s, want).ExpiresAt, time.Microsecond)
		require.WithinDuration(t, want.StartsAt, look(t, s, want).StartsAt, time.Microsecond)
	}},
	{"what a link does not have comes back as zero", func(t *testing.T, s linktrack.Store) {
		want := linktrack.Link{Account: owner, Host: host, Path: ".empty", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}
		made := create(t, s, want)
		want.ID = made.ID
		require.Equal(t, want, made, "nothing is made up for what a link does not have")
		require.Equal(t, want, look(t, s, want), "absent text is \"\", the zero time is the zero time, no password is nil")

		want = plain(".emptyslice")
		want.PasswordHash = []byte{}
		create(t, s, want)
		require.Empty(t, look(t, s, want).PasswordHash, "an empty hash is no password")
	}},
	{"fields of maximal length are kept whole", func(t *testing.T, s linktrack.Store) {
		want := plain(strings.Repeat("aB-_9", 20))
		want.Host = strings.Repeat(strings.Repeat("a", 62)+".", 4)[:251] + "bc"
		want.ExternalURL = "https://example.com/" + strings.Repeat("é", (4096-20)/2)
		want.Title = strings.Repeat("😀", 255)
		want.Description = strings.Repeat("😀", 2000)
		want.Notes = strings.Repeat("😀", 10000)
		want.Group = strings.Repeat("😀", 255)
		want.ExternalID = strings.Repeat("😀", 255)
		want.FallbackURL = "https://example.com/" + strings.Repeat("ö", (4096-20)/2)
		for i := range 20 {
			want.Tags = append(want.Tags, strings.Repeat("😀", 99)+string(rune('a'+i)))
		}
		want.PasswordHash = bytes.Repeat([]byte{0xff}, 128)
		want.ID = create(t, s, want).ID
		require.Equal(t, want, look(t, s, want), "long fields are not truncated; their lengths are in characters")
	}},
	{"an ID and counts given by the caller are ignored", func(t *testing.T, s linktrack.Store) {
		l := plain(".mine")
		l.ID = 4711
		l.Counts = linktrack.Counts{Day: 1, People: 2, Unique: 3, Bots: 4, Conversions: 5, Used: 6, LastClick: noon}
		first := create(t, s, l)
		require.Zero(t, first.Counts, "a new link has counted nothing")
		require.Zero(t, look(t, s, l).Counts, "a new link has counted nothing")
		l.Path = ".other"
		require.NotEqual(t, first.ID, create(t, s, l).ID, "every link has an ID of its own")
	}},
	{"a host and key that exist are taken, for all accounts and in any case", func(t *testing.T, s linktrack.Store) {
		first := create(t, s, plain("Spring_Sale"))
		for _, path := range []string{"Spring_Sale", "spring_sale", "SPRING_SALE"} {
			for _, account := range []linktrack.AccountID{owner, owner + 1} {
				l := plain(path)
				l.Account, l.ExternalURL = account, "https://other.example.com/"
				_, err := createOne(t.Context(), s, l)
				require.ErrorIs(t, err, linktrack.ErrTaken, "path %s has the key of a link on that host", path)
			}
		}
		require.Equal(t, first, look(t, s, first), "a refused link changes nothing of the first")
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 1, "a refused link is not kept")
	}},
	{"paths that differ in more than case are different links", func(t *testing.T, s linktrack.Store) {
		for _, path := range []string{"sale", ".sale", "sale_", "sale-", "s_le", "s-le", "sa1e"} {
			l := plain(path)
			l.ID = create(t, s, l).ID
			require.Equal(t, l, look(t, s, l), "path %s is like no other", path)
		}
	}},
	{"the same path on two hosts is two links", func(t *testing.T, s linktrack.Store) {
		one, two := plain("sale"), plain("sale")
		two.Host, two.ExternalURL = "other.example.com:8080", "https://two.example.com/"
		one, two = create(t, s, one), create(t, s, two)
		require.NotEqual(t, one.ID, two.ID, "every link has an ID of its own")
		require.Equal(t, one, look(t, s, one), "a link is looked up on its host")
		require.Equal(t, two, look(t, s, two), "a link is looked up on its host")
	}},
	{"a path without a link is not found", func(t *testing.T, s linktrack.Store) {
		create(t, s, plain("sale"))
		for _, n := range []linktrack.LinkName{{Host: host, Key: "sal"}, {Host: host, Key: "s%"}, {Host: host, Key: ""}, {Host: "other.example.com", Key: "sale"}, {Host: "", Key: "sale"}} {
			_, err := s.LinkByPath(t.Context(), n.Host, n.Key)
			require.ErrorIs(t, err, linktrack.ErrNotFound, "%q on %q is no link", n.Key, n.Host)
		}
	}},
	{"an account may be any number of the host's", func(t *testing.T, s linktrack.Store) {
		for i, account := range []linktrack.AccountID{1, 1 << 31, 1<<63 - 1, linktrack.AnonymousAccount} {
			l := plain(pathOf(i))
			l.Account = account
			create(t, s, l)
			require.Equal(t, account, look(t, s, l).Account, "the number is kept whole")
			require.Len(t, list(t, s, linktrack.LinkFilter{Account: account}), 1, "the account's links are found by it")
		}
	}},
	{"of many concurrent callers that want the same path, one gets it", func(t *testing.T, s linktrack.Store) {
		var made atomic.Int32
		err := together(16, func(i int) error {
			_, err := createOne(t.Context(), s, plain([]string{"Sale", "sale"}[i%2]))
			if err == nil {
				made.Add(1)
			}
			return err
		})
		require.ErrorIs(t, err, linktrack.ErrTaken, "all others get ErrTaken")
		require.EqualValues(t, 1, made.Load(), "exactly one caller gets the path")
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 1, "exactly one link is kept")
	}},
	{"what the caller does with its slices later is not seen", func(t *testing.T, s linktrack.Store) {
		l := plain("sale")
		l.PasswordHash = []byte("hash")
		made := create(t, s, l)
		found := look(t, s, l)
		listed := list(t, s, linktrack.LinkFilter{})[0]
		var leaked []byte
		edited := edit(t, s, made.ID, func(l *linktrack.Link) { leaked = l.PasswordHash })
		for _, hash := range [][]byte{l.PasswordHash, made.PasswordHash, found.PasswordHash, listed.PasswordHash, edited.PasswordHash, leaked} {
			hash[0] = 'X'
		}
		require.Equal(t, []byte("hash"), look(t, s, l).PasswordHash, "the hash kept is the store's own")
	}},
}
