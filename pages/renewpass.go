package pages

import (
	"crypto/subtle"
	"encoding/hex"
	"net/http"

	"github.com/linktrackhq/linktrack/pages/view"
)

// passHash identifies the pass that the form renews. A form with the hash of a
// former pass does nothing: otherwise, reloading the answer would replace the
// pass that was just copied from it.
func (p *Pages) passHash(r *request) string {
	return hex.EncodeToString(p.sessions.fingerprint(r.account))
}

func (p *Pages) showRenewPass(w http.ResponseWriter, r *request) error {
	return p.render(w, r, http.StatusOK, "renewpass", p.theme.text("pass.title"), view.NewPass{Hash: p.passHash(r)})
}

func (p *Pages) renewPass(w http.ResponseWriter, r *request) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	if r.resumed {
		return p.showRenewPass(w, r)
	}
	hash := p.passHash(r)
	if subtle.ConstantTimeCompare([]byte(form.Get("hash")), []byte(hash)) != 1 {
		return p.render(w, r, http.StatusConflict, "renewpass", p.theme.text("pass.title"), view.NewPass{Hash: hash, Stale: true})
	}
	pass, err := p.t.RenewPass(r.Context(), r.account)
	if err != nil {
		return err
	}
	// The new pass has ended all sessions, so the browser gets a new one. If
	// that fails, the pass is shown all the same, because nobody could sign in
	// without it.
	a, err := p.t.Account(r.Context(), r.account.ID)
	if err == nil {
		err = p.sessions.begin(w, r.Request, a)
	}
	if err != nil {
		p.note(r, err)
	}
	return p.render(w, r, http.StatusOK, "renewpass", p.theme.text("pass.title"), view.NewPass{Pass: pass})
}
