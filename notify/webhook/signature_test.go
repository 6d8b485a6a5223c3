package webhook

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	testSecret = []byte("0123456789abcdef")
	testBody   = []byte(`{"id":"a1"}`)
)

// signed returns the headers of a post with this id, time, and signatures. An empty
// value is left out.
func signed(id, stamp, signatures string) http.Header {
	h := make(http.Header)
	for name, value := range map[string]string{IDHeader: id, TimestampHeader: stamp, SignatureHeader: signatures} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func signedAt(at time.Time, body, key []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return signed("a1", stamp, signature("a1", stamp, body, key))
}

// printf '%s' 'a1.1735058116.{"id":"a1"}' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | base64
func TestTheSignatureIsAnHMACOverIDDotTimeDotBody(t *testing.T) {
	require.Equal(t, "v1,8z6QqRQDukpwmt6D+o2T41N1Ik+vxfCCygq2Sjmj7tU=", signature("a1", "1735058116", testBody, testSecret))
}

func TestASignatureHoldsForFiveMinutes(t *testing.T) {
	for name, tt := range map[string]struct {
		at   time.Duration // when it was signed, from now
		good bool
	}{
		"signed now":                    {0, true},
		"signed five minutes ago":       {-5 * time.Minute, true},
		"signed longer ago":             {-5*time.Minute - time.Second, false},
		"by a clock five minutes ahead": {5 * time.Minute, true},
		"by a clock further ahead":      {5*time.Minute + time.Second, false},
		"signed long ago":               {-200 * 365 * 24 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := Verify(signedAt(time.Now().Add(tt.at), testBody, testSecret), testBody, testSecret)
				if tt.good {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, ErrSignature)
				}
			})
		})
	}
}

func TestWhatWasNotSignedIsRefused(t *testing.T) {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	earlier := strconv.FormatInt(time.Now().Add(-time.Minute).Unix(), 10)
	good := signature("a1", stamp, testBody, testSecret)
	other := signature("a1", stamp, testBody, []byte("another secret of 16"))
	for name, header := range map[string]http.Header{
		"as it was sent":               signed("a1", stamp, good),
		"with another secret's beside": signed("a1", stamp, other+" "+good),
		"with signatures nobody knows": signed("a1", stamp, "v0,00 v1a,"+good[3:]+" v1 v1, "+good+" v2,11"),
	} {
		require.NoError(t, Verify(header, testBody, testSecret), name)
	}
	for name, header := range map[string]http.Header{
		"no headers":            nil,
		"no id":                 signed("", stamp, signature("", stamp, testBody, testSecret)),
		"no time":               signed("a1", "", signature("a1", "", testBody, testSecret)),
		"no signature":          signed("a1", stamp, ""),
		"an empty signature":    signed("a1", stamp, "v1,"),
		"half a signature":      signed("a1", stamp, good[:len(good)-22]),
		"no base64":             signed("a1", stamp, "v1,%%%"),
		"hexadecimal":           signed("a1", stamp, "v1,"+hex.EncodeToString(mac("a1", stamp, testBody, testSecret))),
		"another id":            signed("a2", stamp, good),
		"another time":          signed("a1", earlier, good),
		"a time that is none":   signed("a1", "now", signature("a1", "now", testBody, testSecret)),
		"with another's secret": signed("a1", stamp, other),
		"another version":       signed("a1", stamp, "v0,"+good[3:]),
		"no version":            signed("a1", stamp, good[3:]),
		"the form before":       {"Linktrack-Signature": {"t=" + stamp + ",v1=" + hex.EncodeToString(mac("a1", stamp, testBody, testSecret))}},
	} {
		require.ErrorIs(t, Verify(header, testBody, testSecret), ErrSignature, name)
	}
	require.ErrorIs(t, Verify(signed("a1", stamp, good), []byte(`{"id":"a2"}`), testSecret), ErrSignature, "another body")
	require.ErrorIs(t, Verify(signedAt(time.Now(), testBody, nil), testBody, nil), ErrSignature, "no secret verifies nothing")
}
