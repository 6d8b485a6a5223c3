package pages

import "maps"

// The texts of the page of an account, and of what is said to one whose session
// has ended.
func init() {
	maps.Copy(english, map[string]string{
		"menu.account": "Account",

		"account.title":           "Account",
		"account.heading":         "Your account",
		"account.type":            "Type",
		"account.mail":            "Alerts by mail",
		"account.saved":           "The mail address is saved.",
		"account.clicks":          "Your own clicks",
		"account.clicks.text":     "Clicks that you make in this browser can be left out: then they lead to the destination, count nowhere and use up no limit. This holds for all your links, for a year, or until this browser forgets its cookies.",
		"account.clicks.in":       "Clicks by this browser count.",
		"account.clicks.out":      "Clicks by this browser are left out.",
		"account.clicks.leave":    "Leave this browser’s clicks out",
		"account.clicks.count":    "Count this browser’s clicks again",
		"param.email":             "Mail address",
		"hint.email":              "Alerts of links that have “Send the alert by mail” go there. Left empty: nothing is mailed.",
		"mail.hosts":              "Not possible: linktrack does not know the mail addresses of the accounts of this service.",
		"mail.nomailer":           "Not possible: this service sends no mail.",
		"mail.noaddress":          "Not possible yet: your account has no mail address. You can set it on the page “%s”.",
		"hint.has_alert_email.to": "To %s.",

		"login.ended":    "Your session has ended. Please sign in again. What you typed is kept, and nothing of it is saved yet.",
		"ended.title":    "Your session has ended",
		"ended.text":     "What you typed is kept on this page, and nothing of it is saved yet. Sign in again in another tab, then continue here.",
		"ended.signin":   "Sign in (opens another tab)",
		"ended.continue": "Continue",
		"form.resumed":   "You are signed in again. What you typed is not saved yet: please look at it and send it.",

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
