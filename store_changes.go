package linktrack

import "context"

// ChangeLister is what a [LinkStore] can do in addition: it tells the Trackers of other
// processes which links were changed. Without it, they follow a link as it was for up to
// [LinkOptions.CacheTTL].
type ChangeLister interface {
	// Changes returns the changes with IDs above after, in the order of their IDs. If
	// there are more than limit (at least 1), it returns the limit newest ones. If there
	// are none, it returns an empty slice and no error. The Tracker calls it five times a
	// second, so it should read a range of a key.
	//   - UpdateLink and PurgeLink make a change in the transaction that changes the link,
	//     and ReleasePaths makes one for each name.
	//   - IDs begin at 1. A later change has a higher ID, unless both are made at the same
	//     time. IDs may be missing, and a change may come to be there after one with a
	//     higher ID.
	//   - A change is kept for five minutes at least, and the newest one longer. A store in
	//     memory may keep the newest 10,000 instead.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
}

// A Change says that a link was changed.
type Change struct {
	ID   int64
	Link int64
	Name LinkName // its present name, or one that was released
}
