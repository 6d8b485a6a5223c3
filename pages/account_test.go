package pages_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// A mailing is a notifier whose method Mails returns its value.
type mailing bool

func (mailing) Notify(context.Context, linktrack.Alert) error { return nil }
func (m mailing) Mails() bool                                 { return bool(m) }

func TestTheMailAddressOfAnAccountIsSetAndRefused(t *testing.T) {
	s := newSite(t, linktrack.Options{Notify: mailing(true)}, pages.Options{})
	s.signIn("ada", pass)
	require.Contains(t, s.get("links").texts("nav")[0], "Account")
	for _, c := range []struct {
		email, kept, problem string
	}{
		{"ada@example.com", "ada@example.com", ""},
		{"  ada@mail.example.com ", "ada@mail.example.com", ""},
		{"Ada <ada@example.com>", "ada@mail.example.com", "Email address must be a mail address such as ada@example.com"},
		{"nonsense", "ada@mail.example.com", "Email address must be a mail address such as ada@example.com"},
		{"", "", ""},
	} {
		r := s.post("account", url.Values{"email": {c.email}})
		if c.problem != "" {
			require.Equal(t, 400, r.StatusCode)
			require.Equal(t, c.problem, r.id("email-error"))
			require.Equal(t, c.email, r.formTo(t, "account").Get("email"), "what was typed stays")
		} else {
			require.Equal(t, 303, r.StatusCode)
			r = s.get(r.Header.Get("Location"))
			require.Equal(t, "The email address was saved.", r.texts("notice")[0])
			require.Equal(t, c.kept, r.formTo(t, "account").Get("email"))
		}
		a, err := s.tracker.Account(t.Context(), s.ada.ID)
		require.NoError(t, err)
		require.Equal(t, c.kept, a.Email)
	}
}

func TestTheBoxForMailSaysWhyItIsSwitchedOff(t *testing.T) {
	for _, c := range []struct {
		name   string
		notify linktrack.Notifier
		email  string
		want   string // the hint
		off    bool
	}{
		{"nobody delivers", nil, "ada@example.com", "Not available: this service does not send email.", true},
		{"a hook delivers", mailing(false), "ada@example.com", "Not available: this service does not send email.", true},
		{"there is no address", mailing(true), "", "Not available yet: your account has no email address. You can set one on the page “Account”.", true},
		{"all is there", mailing(true), "ada@example.com", "To ada@example.com.", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, linktrack.Options{Notify: c.notify}, pages.Options{})
			if c.email != "" {
				_, err := s.tracker.SetEmail(t.Context(), s.ada, c.email)
				require.NoError(t, err)
			}
			s.signIn("ada", pass)
			s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
			for _, path := range []string{"links/new", "links/go.example.com/spring/edit"} {
				r := s.get(path)
				require.Equal(t, c.want, r.id("f-has_alert_email-hint"))
				box := r.all(func(n *html.Node) bool { return attribute(n, "name") == "has_alert_email" })[0]
				require.Equal(t, c.off, has(box, "disabled"))
			}
			s.make(s.ada, linktrack.NewLink{VanityLink: "marked", LinkSettings: linktrack.LinkSettings{HasAlertEmail: true}})
			const marked = "links/go.example.com/marked/edit"
			form := s.get(marked).formTo(t, marked)
			require.Equal(t, "1", form.Get("has_alert_email"), "a mark that is there can be taken away")
			require.Equal(t, 303, s.post(marked, form).StatusCode)
			require.True(t, s.link("marked").HasAlertEmail)
			form.Del("has_alert_email")
			require.Equal(t, 303, s.post(marked, form).StatusCode)
			require.False(t, s.link("marked").HasAlertEmail)
		})
	}
}

func TestAnOwnersBrowserIsLeftOutByAButton(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{DeactivateAt: 1}})
	for _, c := range []struct {
		out, state string
		want       int64 // clicks
	}{
		{"1", "Clicks in this browser are not counted.", 0},
		{"0", "Clicks in this browser are counted.", 1},
	} {
		form := s.get("account").formTo(t, "account/optout")
		require.Equal(t, c.out, form.Get("out"), "the button does the other thing")
		r := s.post("account/optout", form)
		require.Equal(t, 303, r.StatusCode)
		require.Contains(t, s.get("account").texts("state"), c.state)
		require.Equal(t, 302, s.get("/spring").StatusCode)
		require.Eventually(t, func() bool { return s.link("spring").Counts.Used == c.want }, 5*time.Second, 5*time.Millisecond)
	}
	require.Equal(t, 400, s.post("account/optout", url.Values{"out": {"2"}}).StatusCode)
}

func TestOnAnotherHostABrowserIsLeftOutByAnAddress(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring", Host: "alt.example"})
	at := func(text string) string {
		for _, n := range s.get("account").all(func(n *html.Node) bool { return n.Data == "a" }) {
			if href := attribute(n, "href"); href != "" && rawText(n) == text {
				return href
			}
		}
		return ""
	}
	leave := at("Exclude this browser’s clicks alt.example")
	require.Regexp(t, `^https://alt\.example/api/optout\?`, leave)
	require.Equal(t, leave+"&undo=1", at("Count this browser’s clicks alt.example"))
}

func TestThePagesSayInWhichZoneTheirTimesAre(t *testing.T) {
	s := newSite(t, linktrack.Options{TimeZone: time.FixedZone("Asia/Kathmandu", 5*3600+45*60)}, pages.Options{AnonymousLinks: true})
	s.signIn("ada", pass)
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{HasPlusTracking: true}})
	s.make(s.ada, linktrack.NewLink{VanityLink: "summer", LinkSettings: linktrack.LinkSettings{HasPublicTracking: true}})
	quick, _, err := s.tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", "https://example.com/")
	require.NoError(t, err)
	_, claim, err := s.tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", "https://example.com/")
	require.NoError(t, err)
	require.NotEmpty(t, quick.Path)
	for _, path := range []string{"links", "links/new", "links/go.example.com/spring/edit", "links/go.example.com/spring/report", "account", "api",
		"/spring+", "/summer+", "quick/" + claim} {
		require.Contains(t, s.get(path).body, "Times are in the time zone Asia/Kathmandu (now 5 h 45 min ahead of UTC).", path)
	}
}
