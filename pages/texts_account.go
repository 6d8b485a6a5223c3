package pages

import "maps"

// The texts of the account page, and of the messages when a session has ended.
func init() {
	maps.Copy(english, map[string]string{
		"menu.account": "Account",

		"account.title":           "Account",
		"account.heading":         "Your account",
		"account.type":            "Type",
		"account.mail":            "Alerts by mail",
		"account.saved":           "The mail address was saved.",
		"account.clicks":          "Your own clicks",
		"account.clicks.text":     "You can leave out the clicks that you make in this browser. They then lead to the destination, but do not count and do not use up a limit. This applies to all your links for a year, or until this browser deletes its cookies.",
		"account.clicks.in":       "Clicks by this browser count.",
		"account.clicks.out":      "Clicks by this browser do not count.",
		"account.clicks.leave":    "Leave this browser’s clicks out",
		"account.clicks.count":    "Count this browser’s clicks again",
		"param.email":             "Mail address",
		"hint.email":              "This address gets the alerts of links with the option “Send the alert by mail”. If this is empty, no alerts are mailed.",
		"mail.hosts":              "Not possible: the mail addresses of this service’s accounts are not known here.",
		"mail.nomailer":           "Not possible: this service sends no mail.",
		"mail.noaddress":          "Not possible yet: your account has no mail address. You can set it on the page “%s”.",
		"hint.has_alert_email.to": "To %s.",

		"login.ended":    "Your session has ended. Please sign in again. Your entries are kept, but are not saved yet.",
		"ended.title":    "Your session has ended",
		"ended.text":     "Your entries are kept on this page, but are not saved yet. Sign in again in another tab, then continue here.",
		"ended.signin":   "Sign in (opens another tab)",
		"ended.continue": "Continue",
		"form.resumed":   "You are signed in again. Your entries are not saved yet. Please check them and submit the form again.",

		"zone.name":          "Times are in the time zone %[1]s (now %[2]s, %[3]s).",
		"zone.bare":          "Times are in the time zone %[1]s (now %[3]s).",
		"zone.utc":           "Times are in UTC.",
		"zone.same":          "the same as UTC",
		"zone.ahead":         "%s ahead of UTC",
		"zone.behind":        "%s behind UTC",
		"zone.hour":          "1 hour",
		"zone.hours":         "%d hours",
		"zone.hours.minutes": "%d h %d min",
		"zone.local":         "of this server",
	})
}
