package sqlstore

import "strings"

// A copyTable is a table that Copy copies.
type copyTable struct {
	name    string
	what    string       // what its rows are, for people
	columns []copyColumn // those of the primary key first
	keys    int          // how many columns the primary key has
	// unique: another key is unique, too. So rows of the target that differ are deleted before
	// any row is written: a row of the source may have what such a row still has.
	unique bool
	// fixed: the rows are those that Migrate makes, so they are only changed. They have more
	// columns, which belong to the target.
	fixed bool
	// where is the condition for the rows that are copied; empty: all.
	where string
	// added are the columns whose sums a report shows.
	added []copySum
}

type copyColumn struct {
	name string
	text bool // it has bytes; else it has integers
}

type copySum struct{ column, what string }

// columnsOf parses the names of columns. A vertical bar ends those of the primary key, and
// a column with a star has bytes.
func columnsOf(spec string) (columns []copyColumn, keys int) {
	for _, name := range strings.Fields(spec) {
		if name == "|" {
			keys = len(columns)
			continue
		}
		plain, text := strings.CutSuffix(name, "*")
		columns = append(columns, copyColumn{plain, text})
	}
	if keys == 0 {
		keys = len(columns)
	}
	return columns, keys
}

func tableOf(name, what, columns string, change ...func(*copyTable)) *copyTable {
	t := &copyTable{name: name, what: what}
	t.columns, t.keys = columnsOf(columns)
	for _, c := range change {
		c(t)
	}
	return t
}

func unique(t *copyTable) { t.unique = true }

func sums(pairs ...string) func(*copyTable) {
	return func(t *copyTable) {
		for i := 0; i < len(pairs); i += 2 {
			t.added = append(t.added, copySum{pairs[i], pairs[i+1]})
		}
	}
}

// copiedTables are all tables that have data of users.
var copiedTables = []*copyTable{
	tableOf("lt_setting", "settings", "name* | value*", func(t *copyTable) { t.where = notOfCopy }),
	tableOf("lt_account", "accounts", "id | login* pass_hash* type* email* hosts* is_disabled created_at session_epoch key_last_used", unique),
	tableOf("lt_key", "further keys", "id | account_id login* pass_hash* name* scope* created_at last_used", unique),
	tableOf("lt_ended_session", "ended sessions", "account_id session* | until"),
	tableOf("lt_group", "groups", "account_id name_key* | name*"),
	tableOf("lt_tag", "tags", "account_id name_key* | name*"),
	tableOf("lt_link", "links", `id | account_id host* path_key* path* external_url* url_head* title* description* notes* group_name*
		is_active is_public has_plus_tracking has_public_tracking has_conversion_tracking has_alert_email has_public_revenue
		forward_query password_hash* alert_at expires_at created_at external_id* tags* is_archived starts_at fallback_url*
		confirm* deleted_at is_purging list_kind uncounted`, unique),
	tableOf("lt_link_tag", "tags of links", "account_id name_key* link_id |"),
	tableOf("lt_former", "former paths", "host* path_key* | link_id account_id"),
	tableOf("lt_link_number", "lists with their lengths", "account_id list_kind | links", sums("links", "links")),
	tableOf("lt_count", "counts", "link_id | account_id total uniques bots conversions used deactivate_at last_click alert_at is_deleted",
		sums("total", "people", "uniques", "unique visitors", "bots", "bots", "conversions", "conversions")),
	tableOf("lt_rank", "ranks", "link_id | account_id list_kind recent total last_click", sums("total", "people")),
	tableOf("lt_hour", "sums of hours", "link_id hour | clicks uniques bots", sums("clicks", "people", "bots", "bots")),
	tableOf("lt_day", "sums of days", "link_id day | data*"),
	tableOf("lt_sum", "sums of accounts, groups, tags", "account_id kind name_key* day | data*"),
	tableOf("lt_alert", "alerts", "link_id kind* number | reached due tries"),
	tableOf("lt_conversion", "conversions", "link_id click_id* | account_id order_id* value currency* created_at is_trusted day hour",
		unique),
	tableOf("lt_text", "texts of the history", "day id* | text* host* browser* platform*"),
	tableOf("lt_hit", "clicks in the history", `link_id id* | ip* agent_id* referrer_id* referrer* referrer_host* user_agent* browser* platform*
		country* query* is_unique is_bot class reason`),
	tableOf("lt_source", "sources of batches", "source* | seq applied_at"),
	tableOf("lt_log", "batches that are not applied", "source* seq | kind at clicks bytes is_quarantined data*", sums("clicks", "clicks")),
	tableOf("lt_roll", "where the last day begins", "id | from_hour", func(t *copyTable) { t.fixed = true }),
}

// oldHits is lt_click as a part of the history: the columns that it does not have are as in
// readHistory.
var oldHits = func() *copyTable {
	t := tableOf("lt_click", "", `link_id id* | ip* agent_id* referrer_id* referrer* referrer_host* user_agent* browser* platform*
		country* query* is_unique is_bot class reason`)
	for i, c := range t.columns {
		switch c.name {
		case "agent_id", "referrer_id":
			t.columns[i].name = "''"
		case "class", "reason":
			t.columns[i].name = "0"
		}
	}
	return t
}()

// notCopied are the tables and columns that Copy leaves out, with the reason.
var notCopied = map[string]string{
	"lt_migration":         "Migrate writes it",
	"lt_lease":             "it belongs to the processes of one database",
	"lt_roll.lease_holder": "it belongs to the processes of one database",
	"lt_roll.lease_until":  "it belongs to the processes of one database",
	"lt_roll.lease_steps":  "it belongs to the processes of one database",
	"lt_click":             "its rows become rows of lt_hit",
	"lt_pending":           "it is empty after ApplyClicks",
	"lt_count.added":       "no version uses it any more",
	"lt_change":            "processes that begin to use the target know nothing of its links",
	"lt_reservation":       "it answers processes that use the source, which do not go on with the target",
}

// countedTables are those whose ids the database counts. An id is not given twice, also not
// that of a row that was deleted.
var countedTables = []string{"lt_account", "lt_key", "lt_link"}
