package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a post, as [http.Header] spells them. They are sent in lower
// case, as Standard Webhooks writes them, because some of its verifiers compare
// names with case.
const (
	IDHeader        = "Webhook-Id"        // Message.ID
	TimestampHeader = "Webhook-Timestamp" // the time of this attempt, in seconds since 1970
	SignatureHeader = "Webhook-Signature" // "v1,…", one or more with a space between; absent without a secret
)

// Tolerance is the maximum difference between the time of a signature and the
// clock of the receiver, in both directions.
const Tolerance = 5 * time.Minute

// ErrSignature means that a request is not signed with the secret, or that the
// signature is too old.
var ErrSignature = errors.New("the signature is missing, wrong, or out of date")

// Verify returns nil if body, exactly as it was received, was signed with the
// secret within the [Tolerance], and otherwise an error that wraps
// [ErrSignature]. The secret has the form of Options.Secret; an invalid secret
// verifies nothing. Verify does not detect repeated requests: use Message.ID for
// that. While a secret is being replaced, call Verify with both secrets.
func Verify(header http.Header, body, secret []byte) error {
	key, reason := signingKey(secret)
	if reason != "" {
		return fmt.Errorf("%w: the secret %s", ErrSignature, reason)
	}
	id, stamp := header.Get(IDHeader), header.Get(TimestampHeader)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil || time.Since(time.Unix(seconds, 0)).Abs() > Tolerance {
		return ErrSignature
	}
	want := mac(id, stamp, body, key)
	for signature := range strings.SplitSeq(header.Get(SignatureHeader), " ") {
		version, value, _ := strings.Cut(signature, ",")
		got, err := base64.StdEncoding.DecodeString(value)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}

const (
	secretPrefix = "whsec_"
	minKey       = 24 // bytes of the key in a secret with the prefix; Standard Webhooks sets both
	maxKey       = 64
	minSecret    = 16 // bytes of a secret without the prefix
)

// signingKey returns the HMAC key of a secret, or the rule that the secret
// breaks.
func signingKey(secret []byte) (key []byte, reason string) {
	encoded, prefixed := strings.CutPrefix(string(secret), secretPrefix)
	switch {
	case prefixed:
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || strings.ContainsAny(encoded, "\r\n") || len(key) < minKey || len(key) > maxKey {
			return nil, fmt.Sprintf("must have the base64 of %d to %d bytes after %s", minKey, maxKey, secretPrefix)
		}
		return key, ""
	case strings.HasPrefix(encoded, "whsk_") || strings.HasPrefix(encoded, "whpk_"):
		return nil, "must not be an Ed25519 key: posts are signed with HMAC-SHA256"
	case len(secret) < minSecret:
		return nil, fmt.Sprintf("must have at least %d bytes", minSecret)
	}
	return []byte(encoded), ""
}

func signature(id, stamp string, body, key []byte) string {
	return "v1," + base64.StdEncoding.EncodeToString(mac(id, stamp, body, key))
}

func mac(id, stamp string, body, key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + stamp + "."))
	h.Write(body)
	return h.Sum(nil)
}
