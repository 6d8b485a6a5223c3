package smtp

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"

	"github.com/linktrackhq/linktrack"
)

// A Message is the content of a mail.
type Message struct {
	Subject string // line breaks and other control characters become spaces
	Text    string
	HTML    string // a complete HTML document with the same content; "" for a mail with text only
}

// english returns the default function Options.Message. Times are in zone.
func english(zone *time.Location) func(linktrack.Alert) Message {
	return func(a linktrack.Alert) Message {
		name := line(a.Link.Title)
		if name == "" {
			name = line(a.URL)
		}
		w := words{
			Subject: fmt.Sprintf("%s has reached %s", name, clicks(a.Count)),
			Reached: fmt.Sprintf("Your link “%s” has reached %s.", name, clicks(a.Count)),
			Reason:  "You get this mail because the link has an alert at this number.",
			URL:     line(a.URL),
		}
		if a.Kind == linktrack.AlertUsedUp {
			w.Subject = fmt.Sprintf("%s is used up: %s", name, clicks(a.Count))
			w.Reached = fmt.Sprintf("Your link “%s” has reached %s and no longer lets visitors through.", name, clicks(a.Count))
			w.Reason = "You get this mail because the link has a limit of this number of clicks."
		}
		counts := a.Link.Counts
		w.Rows = []row{
			{"Leads to", line(a.Link.ExternalURL)},
			{"Reached", a.Reached.In(zone).Format("2006-01-02 15:04:05 MST")},
			{"Clicks so far", fmt.Sprintf("%d, of them %d by new visitors", counts.People, counts.Unique)},
			{"Bots", fmt.Sprint(counts.Bots)},
		}
		return w.message()
	}
}

func clicks(n int64) string {
	if n == 1 {
		return "1 click"
	}
	return fmt.Sprintf("%d clicks", n)
}

// words are the parts of a mail.
type words struct {
	Subject, Reached, Reason string
	URL                      string
	Rows                     []row
}

type row struct{ Name, Value string }

func (w words) message() Message {
	var text, html strings.Builder
	fmt.Fprintf(&text, "%s\n\n%s\n\n", w.Reached, w.URL)
	for _, r := range w.Rows {
		fmt.Fprintf(&text, "%s: %s\n", r.Name, r.Value)
	}
	fmt.Fprintf(&text, "\n%s\n", w.Reason)
	if err := page.Execute(&html, w); err != nil {
		return Message{w.Subject, text.String(), ""}
	}
	return Message{w.Subject, text.String(), html.String()}
}

var page = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font-family: sans-serif">
<p>{{.Reached}}</p>
<p><a href="{{.URL}}">{{.URL}}</a></p>
<table>
{{range .Rows}}<tr><th align="left">{{.Name}}</th><td>{{.Value}}</td></tr>
{{end}}</table>
<p><small>{{.Reason}}</small></p>
</body>
</html>
`))

// line makes s one line that shows its content truthfully: line breaks and
// control characters become spaces, characters that change the direction of text
// are removed, and no part of it can be decoded as an encoded word of a header.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(strings.ReplaceAll(s, "=?", "= ?"))
}
