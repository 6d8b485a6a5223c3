package sqlstore

// A CopiedColumn is a column that Copy copies.
type CopiedColumn struct {
	Text bool
	Key  int // its place in the primary key, from 1; 0: none
}

// CopiedColumns returns the columns of copiedTables by "table.column".
func CopiedColumns() map[string]CopiedColumn {
	all := map[string]CopiedColumn{}
	for _, t := range copiedTables {
		for i, c := range t.columns {
			key := i + 1
			if key > t.keys {
				key = 0
			}
			all[t.name+"."+c.name] = CopiedColumn{c.text, key}
		}
	}
	return all
}

// NotCopied reports whether Copy leaves out a table or a column, as "table.column".
func NotCopied(name string) bool { return notCopied[name] != "" }
