package notify_test

import (
	"log"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/notify"
	"github.com/linktrackhq/linktrack/notify/smtp"
	"github.com/linktrackhq/linktrack/notify/webhook"
)

// Alerts go to the owner by mail and to a webhook.
func ExampleAll() {
	mail, err := smtp.New(smtp.Options{Addr: "smtp.example.com:587", From: "alerts@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	hook, err := webhook.New(webhook.Options{URL: "https://hooks.example.com/alerts"})
	if err != nil {
		log.Fatal(err)
	}
	t, err := linktrack.New(memstore.New(), linktrack.Options{Notify: notify.All(mail, hook)})
	if err != nil {
		log.Fatal(err)
	}
	_ = t
}
