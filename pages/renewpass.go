package pages

import (
	"crypto/subtle"
	"encoding/hex"
	"net/http"

	"github.com/linktrackhq/linktrack/pages/view"
)

// The form of a pass that was renewed renews no other: who loads the answer
// again would lose the pass that he has just copied.
func (p *Pages) passMark(r *request) string { return hex.EncodeToString(p.sessions.mark(r.account)) }

func (p *Pages) showRenewPass(w http.ResponseWriter, r *request) error {
	return p.render(w, r, http.StatusOK, "renewpass", p.theme.text("pass.title"), view.NewPass{Mark: p.passMark(r)})
}

func (p *Pages) renewPass(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	if r.resumed {
		return p.showRenewPass(w, r)
	}
	mark := p.passMark(r)
	if subtle.ConstantTimeCompare([]byte(form.Get("mark")), []byte(mark)) != 1 {
		return p.render(w, r, http.StatusConflict, "renewpass", p.theme.text("pass.title"), view.NewPass{Mark: mark, Stale: true})
	}
	pass, err := p.t.RenewPass(r.Context(), r.account)
	if err != nil {
		return err
	}
	// All sessions have ended with the pass, this one goes on. If it cannot, the
	// pass is shown all the same: nobody could sign in without it.
	a, err := p.t.Account(r.Context(), r.account.ID)
	if err == nil {
		err = p.sessions.begin(w, r.Request, a)
	}
	if err != nil {
		p.note(r, err)
	}
	return p.render(w, r, http.StatusOK, "renewpass", p.theme.text("pass.title"), view.NewPass{Pass: pass})
}
