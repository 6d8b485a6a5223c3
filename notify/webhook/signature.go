package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header that the signature comes in.
const SignatureHeader = "Linktrack-Signature"

// Tolerance is how far the time of a signature may be from the receiver's,
// before or after.
const Tolerance = 5 * time.Minute

const minSecret = 16 // bytes

// ErrSignature: a request is not signed with the secret, or not lately.
var ErrSignature = errors.New("the signature is missing, wrong or out of date")

// Verify returns nil if body, as it was received, was signed with the secret
// within the [Tolerance], or else an [ErrSignature]. It says that the sender
// knows the secret, not that the request came only once: for that there is
// Message.ID. While a secret is being replaced, a receiver tries both. A
// secret of less than 16 bytes verifies nothing.
func Verify(header http.Header, body, secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("%w: the secret is too short", ErrSignature)
	}
	var stamp string
	var macs [][]byte
	for field := range strings.SplitSeq(header.Get(SignatureHeader), ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(field), "="); name {
		case "t":
			stamp = value
		case "v1":
			if m, err := hex.DecodeString(value); err == nil {
				macs = append(macs, m)
			}
		}
	}
	want := mac(stamp, body, secret)
	right := false
	for _, m := range macs {
		right = hmac.Equal(m, want) || right
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !right || err != nil || time.Since(time.Unix(seconds, 0)).Abs() > Tolerance {
		return ErrSignature
	}
	return nil
}

// sign returns the header's value.
func sign(at time.Time, body, secret []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac(stamp, body, secret))
}

func mac(stamp string, body, secret []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(stamp + "."))
	h.Write(body)
	return h.Sum(nil)
}
