package pages

import "maps"

// The texts of the account page, and those for a session that has ended.
func init() {
	maps.Copy(english, map[string]string{
		"menu.account": "Account",

		"account.title":           "Account",
		"account.heading":         "Your account",
		"account.type":            "Type",
		"account.mail":            "Alerts by email",
		"account.saved":           "The email address was saved.",
		"account.clicks":          "Your own clicks",
		"account.clicks.text":     "You can exclude the clicks that you make in this browser: your links still redirect, but these clicks are not counted and do not use up a click limit. This lasts for a year, or until this browser deletes its cookies.",
		"account.clicks.in":       "Clicks in this browser are counted.",
		"account.clicks.out":      "Clicks in this browser are not counted.",
		"account.clicks.leave":    "Exclude this browser’s clicks",
		"account.clicks.count":    "Count this browser’s clicks",
		"param.email":             "Email address",
		"hint.email":              "Alerts of links with the option “Send the alert by email” go to this address. Leave this empty for no emails.",
		"mail.hosts":              "Not available: this service does not know your email address.",
		"mail.nomailer":           "Not available: this service does not send email.",
		"mail.noaddress":          "Not available yet: your account has no email address. You can set one on the page “%s”.",
		"hint.has_alert_email.to": "To %s.",

		"login.ended":    "Your session has ended. Please sign in again. Your entries are kept, but not saved yet.",
		"ended.title":    "Your session has ended",
		"ended.text":     "Your entries are kept on this page, but not saved yet. Sign in again in another tab, then continue here.",
		"ended.signin":   "Sign in (opens another tab)",
		"ended.continue": "Continue",
		"form.resumed":   "You are signed in again. Your entries are not saved yet: please check them and submit the form again.",

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
