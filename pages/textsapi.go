package pages

import (
	"maps"

	"github.com/linktrackhq/linktrack/internal/apispec"
)

// textsOfCalls are the texts about the API that stand in its description,
// openapi.json. Parameters of several calls share a text if it is the same.
func textsOfCalls() map[string]string {
	texts := map[string]string{"api.intro": apispec.Summary(), "api.rules": apispec.Rules("%s")}
	for _, e := range apispec.Errors() {
		texts["api.error."+e.Status] = e.Text
	}
	for _, c := range calls() {
		texts["api.call."+c.Name] = c.Text
		for _, a := range c.Answers {
			texts["api.returns."+c.Name+"."+a.Status] = a.Text
		}
		for _, p := range c.Params {
			key := "api.param." + p.Name
			if other, ok := texts[key]; ok && other != p.Text {
				key = "api.param." + c.Name + "." + p.Name
			}
			texts[key] = p.Text
		}
	}
	return texts
}

// The texts of the pages about the API and of the bookmarklet.
func init() {
	maps.Copy(english, textsOfCalls())
	maps.Copy(english, map[string]string{
		"menu.api":         "API",
		"menu.bookmarklet": "Bookmarklet",

		"api.title":             "API",
		"api.intro.bookmarklet": "To make links while you browse, use the bookmarklet.",
		"api.access":            "Access",
		"api.base":              "Address",
		"api.login":             "Login",
		"api.login.none":        "Use the one that you got from the operator of this service.",
		"api.pass":              "Pass",
		"api.pass.hidden":       "Not shown: only a hash of it is kept.",
		"api.openapi":           "Machine-readable",
		"api.openapi.link":      "OpenAPI description",
		"api.short":             "You can also make a link from the address bar of a browser. external_url comes last and does not have to be encoded:",
		"api.errors":            "A call that fails answers with a sentence that says why, and with one of these statuses:",
		"api.calls":             "Calls",
		"api.params":            "Parameters",
		"api.required":          "required",
		"api.default":           "default",
		"api.returns":           "Answer",
		"api.fields":            "Fields",
		"api.samples":           "Examples",
		"api.sample.login":      "YOUR_LOGIN",
		"api.sample.pass":       "YOUR_PASS",
		"api.sample.link":       "YOUR_LINK",
		"api.sample.click":      "LT_CLICK",
		"api.try":               "Try it",
		"api.try.title":         "Try %s",
		"api.try.docs":          "Description of this call",
		"api.try.who":           "The call is made for your account. You do not have to enter login and pass.",
		"api.try.changes":       "This is not a test: the call changes your data.",
		"api.try.default":       "–",
		"api.try.submit":        "Make the call",
		"api.try.answer":        "Answer",
		"api.try.cut":           "Only the beginning is shown.",
		"api.try.curl":          "The same call with curl",

		"pass.title":      "Renew the pass",
		"pass.text":       "You get a new pass. The old one stops working at once:",
		"pass.text.api":   "Programs that use it are refused until they have the new one.",
		"pass.text.login": "You also sign in with the new pass. All other browsers are signed out.",
		"pass.text.once":  "The new pass is shown only once. Be ready to save it.",
		"pass.submit":     "Renew it now",
		"pass.new":        "Your new pass:",
		"pass.once":       "Save it now: it is not shown again. The old pass no longer works.",
		"pass.done":       "I have saved it",
		"pass.stale":      "Nothing was changed: the pass has been renewed since this form was shown. If you have not saved the new one, renew it again.",

		"bookmarklet.title":     "Bookmarklet",
		"bookmarklet.text":      "This button for your browser makes a link to the current page in two clicks.",
		"bookmarklet.name":      "Make link – %s",
		"bookmarklet.drag":      "Drag the button above to the bookmarks of your browser.",
		"bookmarklet.click":     "On any page, click that bookmark. A small window opens, with the address and the title of the page.",
		"bookmarklet.confirm":   "Click “Make link”, and copy it.",
		"bookmarklet.safe":      "The bookmark contains neither your login nor your pass. It works if you are signed in here, and otherwise asks you to sign in.",
		"bookmarklet.hand":      "If you cannot drag it",
		"bookmarklet.hand.text": "Bookmark any page, then edit the bookmark and replace its address with this:",

		"bookmarklet.form.title": "Link to this page",
		"bookmarklet.form.made":  "Your new link",
		"bookmarklet.form.more":  "More options",
	})
}
