package pages

import "maps"

func init() {
	maps.Copy(english, map[string]string{
		"menu.import": "Import",

		"import.title":         "Import and export",
		"import.heading":       "Import links",
		"import.about":         "Upload links that were exported here or elsewhere: CSV with a header row (external_url, redirect_hash, title and so on), the table of links of YOURLS as CSV or SQL, or the list of short URLs of Shlink as JSON. Paths are kept; clicks are not imported.",
		"import.file":          "File",
		"import.file.hint":     "At most %s MB, in UTF-8.",
		"import.format":        "Format",
		"import.format.any":    "Find out",
		"import.format.csv":    "CSV of Linktrack",
		"import.format.yourls": "YOURLS",
		"import.format.shlink": "Shlink",
		"import.host":          "Host",
		"import.host.any":      "As the file says",
		"import.skip":          "Leave out links whose path is in use",
		"import.skip.hint":     "Otherwise one of them and nothing is imported.",
		"import.check":         "Check the file",
		"import.check.hint":    "Nothing is changed yet.",

		"import.progress":   "Links checked: %s, imported or left out: %s.",
		"import.good":       "The file can be imported.",
		"import.again":      "Choose the same file once more to import it.",
		"import.submit":     "Import",
		"import.nothing":    "There is nothing to import in the file.",
		"import.refused":    "The file cannot be imported as it is. Nothing is changed.",
		"import.other":      "This is another file than the one that was checked. It is checked now; nothing is changed.",
		"import.done":       "The links are imported.",
		"import.show":       "Show the links",
		"import.nofile":     "Please choose a file.",
		"import.toolarge":   "The file is larger than %s MB. Larger ones can be imported by whoever runs this service.",
		"import.unreadable": "The file cannot be read: %s.",
		"import.stopped":    "The import broke off. What was made before that stays. Import the same file again: what is there is left as it is.",

		"import.links":    "Links in the file",
		"import.made":     "Imported",
		"import.present":  "There already",
		"import.clashes":  "Path in use",
		"import.problems": "Other problems",
		"import.line":     "Line",
		"import.column":   "Column",
		"import.problem":  "Problem",
		"import.more":     "%s more are not shown.",
		"import.notes":    "Notes",

		"export.heading": "Export links",
		"export.about":   "All links of the account as CSV, with their paths, destinations and settings. Clicks and passwords are not in it, so a link that asks for a password cannot be imported from it again.",
		"export.submit":  "Download the CSV file",
	})
}
