package linktrack

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Key returns a key that is derived from the Tracker's secret, another one for
// each purpose: for what a host or a package beside the Tracker signs. All
// processes of one service get the same; who knows the key of one purpose knows
// neither the secret nor the key of another.
func (t *Tracker) Key(purpose string) [32]byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte("linktrack key\x00" + purpose))
	return [32]byte(mac.Sum(nil))
}
