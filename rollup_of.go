package linktrack

import (
	"maps"
	"slices"
)

// RollupOf says whose sums [ClickStore.Rollups] returns: those of a link, or, if Link is 0,
// those of an account, of one of its groups, or of one of its tags. At most one of Group
// and Tag is set. They are compared by [GroupKey].
type RollupOf struct {
	Link       int64
	Account    AccountID
	Group, Tag string
}

// RollupsOf returns what the clicks and conversions of a link count for beside the link
// itself: its account, its group, and its tags. The names are keys, see [GroupKey].
func RollupsOf(account AccountID, group string, tags []string) []RollupOf {
	of := []RollupOf{{Account: account}}
	if group != "" {
		of = append(of, RollupOf{Account: account, Group: GroupKey(group)})
	}
	keys := make(map[string]bool, len(tags))
	for _, tag := range tags {
		keys[GroupKey(tag)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		of = append(of, RollupOf{Account: account, Tag: key})
	}
	return of
}
