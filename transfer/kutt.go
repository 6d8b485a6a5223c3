package transfer

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A kutt reads the answers of Kutt's GET /api/v2/links. The files
// server/handlers/links.handler.js and utils/utils.js of
// github.com/thedevs-network/kutt write them.
type kutt struct {
	t     *linktrack.Tracker
	links int64 // the total that the file names
	read  int64 // links that were read
	omitted
}

type kuttLink struct {
	Address     string          `json:"address"`
	Target      string          `json:"target"`
	Description *string         `json:"description"`
	Domain      *string         `json:"domain"`
	Banned      bool            `json:"banned"`
	Password    bool            `json:"password"` // whether there is one
	CreatedAt   *string         `json:"created_at"`
	ExpireIn    *string         `json:"expire_in"`
	VisitCount  json.RawMessage `json:"visit_count"`
}

func (k *kutt) column(param string) string {
	if name, ok := map[string]string{
		"external_url": "target", "vanity_link": "address", "redirect_hash": "address", "host": "domain",
		"expires_at": "expire_in", "is_active": "banned",
	}[param]; ok {
		return name
	}
	return param
}

func (k *kutt) notes() []string {
	notes := k.omitted.notes()
	if k.links > k.read {
		notes = append(notes, fmt.Sprintf("the file has %d of %d links", k.read, k.links))
	}
	return notes
}

func (k *kutt) other(name string, raw []byte) error {
	if name != "total" {
		return nil
	}
	return json.Unmarshal(raw, &k.links)
}

func (k *kutt) link(e *entry, raw []byte) error {
	k.read++
	var u kuttLink
	if err := json.Unmarshal(raw, &u); err != nil {
		return err
	}
	l := &e.link
	l.VanityLink, l.ExternalURL, l.Disabled = u.Address, u.Target, u.Banned
	if u.Address == "" {
		e.wrong("address", "is missing")
	}
	if u.Description != nil {
		l.Description = *u.Description
	}
	if u.Domain != nil {
		l.Host = *u.Domain
	}
	if u.Password {
		e.wrong("password", "is set, but the file contains neither the password nor its hash")
	}
	if isSet(u.VisitCount) {
		k.add("visit_count")
	}
	for _, t := range []struct {
		column string
		at     *time.Time
		text   *string
	}{{"created_at", &l.CreatedAt, u.CreatedAt}, {"expire_in", &l.ExpiresAt, u.ExpireIn}} {
		if t.text == nil {
			continue
		}
		var ok bool
		if *t.at, ok = parseTime(*t.text, k.t.TimeZone()); !ok {
			e.wrong(t.column, timeReason)
		}
	}
	return nil
}
