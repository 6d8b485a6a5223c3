package pages

import "maps"

// The texts of the page that imports and exports links.
func init() {
	maps.Copy(english, map[string]string{
		"menu.import": "Import",

		"import.title":            "Import and export",
		"import.heading":          "Import links",
		"import.about":            "Upload a file of links: CSV as exported here (with a header row such as external_url, redirect_hash, title), CSV with the columns url and slug, or a file from YOURLS, Shlink, Bitly, Rebrandly, Short.io, or Kutt. Paths are kept. Clicks are not imported.",
		"import.file":             "File",
		"import.file.hint":        "Up to %s MB, encoded as UTF-8, UTF-16, or Windows-1252.",
		"import.format":           "Format",
		"import.format.any":       "Detect automatically",
		"import.format.csv":       "CSV of Linktrack",
		"import.format.yourls":    "YOURLS",
		"import.format.shlink":    "Shlink",
		"import.format.bitly":     "Bitly",
		"import.format.rebrandly": "Rebrandly",
		"import.format.shortio":   "Short.io",
		"import.format.kutt":      "Kutt",
		"import.format.plain":     "CSV with url and slug",
		"import.host":             "Host",
		"import.host.any":         "As given in the file",
		"import.skip":             "Skip links whose path is already in use",
		"import.skip.hint":        "Otherwise, one such link stops the whole import.",
		"import.skipbad":          "Skip all rows that cannot be imported",
		"import.skipbad.hint":     "This includes links whose path is already in use. Otherwise, one such row stops the whole import.",
		"import.again.bad":        "Choose the same file again to download the rows that cannot be imported, with the reasons.",
		"import.bad":              "Download these rows",
		"import.nobad":            "All rows of the file can be imported.",
		"import.case":             "%s links are skipped: their paths differ only in upper and lower case, which this service does not distinguish, but they lead to different destinations. These paths show “not found”. Rename them and import the links again.",
		"import.check":            "Check the file",
		"import.check.hint":       "This does not change anything yet.",

		"import.progress":   "Links checked: %s. Imported or skipped: %s.",
		"import.good":       "The file can be imported.",
		"import.again":      "Choose the same file again to import it.",
		"import.submit":     "Import",
		"import.nothing":    "The file contains nothing to import.",
		"import.refused":    "The file cannot be imported as it is. Nothing was changed.",
		"import.other":      "This file differs from the one that was checked. It has been checked now. Nothing was imported.",
		"import.done":       "The links were imported.",
		"import.show":       "Show the links",
		"import.nofile":     "Please choose a file.",
		"import.toolarge":   "The file is larger than %s MB. The operator of this service can import larger files.",
		"import.unreadable": "The file cannot be read: %s.",
		"import.stopped":    "The import was interrupted. The links that were imported so far are kept. Import the same file again: existing links are not changed.",

		"import.links":    "Links in the file",
		"import.made":     "Imported",
		"import.present":  "Already present",
		"import.clashes":  "Path already in use",
		"import.problems": "Other problems",
		"import.line":     "Line",
		"import.column":   "Column",
		"import.problem":  "Problem",
		"import.more":     "%s more problems are not shown.",
		"import.notes":    "Notes",

		"export.heading": "Export links",
		"export.about":   "The file contains all links of the account as CSV, with their paths, destinations, and settings. It contains no clicks and no passwords: a link with a password cannot be imported from it.",
		"export.bom":     "The file begins with a byte order mark, which Excel needs.",
		"export.nobom":   "Download it without the byte order mark",
		"export.submit":  "Download the CSV file",
	})
}
