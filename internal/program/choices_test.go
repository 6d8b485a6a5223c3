package program

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever has mistyped one of a few words learns from the error which ones there are.
func TestAWrongChoiceIsRefusedWithAllThatThereAre(t *testing.T) {
	env := map[string]string{"LINKTRACK_DB": filepath.Join(t.TempDir(), "links.db")}
	for _, login := range []string{"ada", "linktrack"} {
		status, _, errs := transferring(t, env, "account", "add", login)
		require.Zero(t, status, errs)
	}
	for want, args := range map[string][]string{
		`account: type: type must be free or professional, not "gold"`:                                                                                     {"account", "type", "ada", "gold"},
		`account: type: type must be free, professional, guest or team, not "gold"`:                                                                        {"account", "type", "-account-types", "team=title;guest=;free=", "ada", "gold"},
		`account: type: type must be free or professional, not ""`:                                                                                         {"account", "type", "ada", ""},
		`account: add: type must be free or professional, not "gold"`:                                                                                      {"account", "add", "-type", "gold", "bob"},
		`account: there is no "typ", did you mean type? (there are add, list, pass, email, type, disable and enable)`:                                      {"account", "typ"},
		`linktrack: account: needs one of these words: add, list, pass, email, type, disable and enable`:                                                   {"account"},
		`account: there is no "x" (there are add, list, pass, email, type, disable and enable)`:                                                            {"account", "x"},
		`there is no command "x" (there are serve, account, import, copy, export, backup, check, help and version)`:                                        {"x"},
		`-account-types: Accounts.Types has "titel" for accounts of type team, but must have parameters of makeLink: host, vanity_link, password, title, `: {"account", "list", "-account-types", "team=titel"},
		`-ack: must be stored, journaled or buffered, not "x"`:                                                                                             {"-ack", "x"},
		`-log-format: must be text or json, not "x"`:                                                                                                       {"-log-format", "x"},
		`-privacy-ip: must be cut, whole or none, not "x"`:                                                                                                 {"-privacy-ip", "x"},
		`-keep-referrer: must be whole, host or none, not "x"`:                                                                                             {"-keep-referrer", "x"},
		`-type must be free or professional, not "gold"`:                                                                                                   {"-type", "gold"},
		`import: -format must be `: {"import", "-format", "x", "choices_test.go"},
		`invalid boolean value "maybe" for -cookieless: must be true or false`:      {"-cookieless=maybe"},
		`import: invalid boolean value "maybe" for -dry-run: must be true or false`: {"import", "-dry-run=maybe", "choices_test.go"},
	} {
		status, _, errs := transferring(t, env, args...)
		assert.Equal(t, 2, status, want)
		assert.Contains(t, errs, want)
		assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	status, _, errs := transferring(t, map[string]string{"LINKTRACK_COOKIELESS": "maybe"})
	assert.Equal(t, 2, status)
	assert.Contains(t, errs, "LINKTRACK_COOKIELESS: must be true or false, not \"maybe\"")
}
