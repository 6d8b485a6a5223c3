package smtp_test

import (
	"fmt"
	"log"
	"os"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/notify/smtp"
)

// A mail server that requires a login and TLS, and a mail of your own.
func ExampleNew() {
	mail, err := smtp.New(smtp.Options{
		Addr:     "smtp.example.com:587",
		Username: "alerts@example.com",
		Password: os.Getenv("SMTP_PASSWORD"),
		From:     "Example Links <alerts@example.com>",
		Message: func(a linktrack.Alert) smtp.Message {
			return smtp.Message{
				Subject: fmt.Sprintf("%s has %d clicks", a.Link.Title, a.Count),
				Text:    fmt.Sprintf("%s was followed %d times.\n", a.URL, a.Count),
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	t, err := linktrack.New(memstore.New(), linktrack.Options{Notify: mail})
	if err != nil {
		log.Fatal(err)
	}
	_ = t
}
