package sqlstore

import (
	"time"

	"github.com/linktrackhq/linktrack"
)

// state adds the condition that a link of the account is in a state. It returns false if there is no such
// state.
func (p *builder) state(account linktrack.AccountID, s linktrack.LinkState, now time.Time) bool {
	at := micros(now)
	const on, ended = " AND l.is_active = 1", " AND l.expires_at BETWEEN 1 AND ?"
	switch s {
	case linktrack.StateInactive:
		p.add(" AND l.is_active = 0")
		return true
	case linktrack.StateExpired:
		p.add(on+ended, at)
		return true
	case linktrack.StateActive, linktrack.StateNotYet, linktrack.StateUsedUp:
	default:
		return false
	}
	p.add(on+" AND NOT (l.expires_at BETWEEN 1 AND ?)", at)
	const usedUp = "u.deactivate_at > 0 AND (u.used >= u.deactivate_at OR u.total >= u.deactivate_at))"
	switch s {
	case linktrack.StateUsedUp: // found by the index of links with a limit
		p.add(" AND l.id IN (SELECT u.link_id FROM lt_count u WHERE u.account_id = ? AND "+usedUp, int64(account))
		return true
	case linktrack.StateActive:
		p.add(" AND l.starts_at <= ?", at)
	case linktrack.StateNotYet:
		p.add(" AND l.starts_at > ?", at)
	}
	// With NOT EXISTS, a server may read the counts of all links before it begins.
	p.add(" AND (SELECT COUNT(*) FROM lt_count u WHERE u.link_id = l.id AND " + usedUp + " = 0")
	return true
}
