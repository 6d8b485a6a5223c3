package linktrack

import (
	"context"
	"time"
)

// ChangeLister is what a [LinkStore] can do in addition: it tells the Trackers of other
// processes which links were changed. Without it, they follow a link as it was for up to
// [LinkOptions.CacheTTL].
type ChangeLister interface {
	// Changes returns the changes that were made since a time before now, by the clock of
	// the store, in any order. It may also return older ones, by up to two seconds. If there
	// are more than limit (at least 1), it returns any limit of them, and the Tracker looks up
	// all cached links again. If there are none, it returns an empty slice and no error. The
	// Tracker calls it five times a second, so it should read a range of an index.
	//   - UpdateLink and PurgeLink make a change in the transaction that changes the link,
	//     and ReleasePaths makes one for each name.
	//   - A change is seen only when its transaction is committed, which may be some time
	//     after it was made. The Tracker asks for the last half minute each time.
	//   - A change is kept for five minutes at least. A store in memory may keep the newest
	//     10,000 instead.
	Changes(ctx context.Context, within time.Duration, limit int) ([]Change, error)
}

// A Change says that a link was changed.
type Change struct {
	ID   int64 // of this change only. IDs need not be in the order of time
	Link int64
	Name LinkName // its present name, or one that was released
}
