package webhook

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	testSecret = []byte("0123456789abcdef")
	testBody   = []byte(`{"id":"a1"}`)
)

func header(value string) http.Header {
	h := make(http.Header)
	h.Set(SignatureHeader, value)
	return h
}

// What printf '1735058116.{"id":"a1"}' | openssl dgst -sha256 -hmac 0123456789abcdef prints.
func TestTheSignatureIsAnHMACOverTimeDotBody(t *testing.T) {
	require.Equal(t, "t=1735058116,v1=76abb6d7c72226f1be7f4a25dc6b4d3e2a4cd13d3dc712866135e5c509c8db6c", sign(time.Unix(1735058116, 0), testBody, testSecret))
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
				err := Verify(header(sign(time.Now().Add(tt.at), testBody, testSecret)), testBody, testSecret)
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
	now := time.Now()
	signed := sign(now, testBody, testSecret)
	stamp, v1, _ := strings.Cut(signed, ",")
	other := sign(now, testBody, []byte("another secret of 16"))
	_, otherV1, _ := strings.Cut(other, ",")
	for name, value := range map[string]string{
		"":                             signed,
		"with fields nobody knows":     "t0=1, " + stamp + ", v0=00," + v1 + ",v2=11",
		"with another secret's beside": stamp + "," + otherV1 + "," + v1,
	} {
		require.NoError(t, Verify(header(value), testBody, testSecret), name)
	}
	for name, value := range map[string]string{
		"no header":             "",
		"no time":               v1,
		"no signature":          stamp,
		"an empty signature":    stamp + ",v1=",
		"half a signature":      signed[:len(signed)-32],
		"no hexadecimal":        stamp + ",v1=zz",
		"another time":          "t=" + sign(now.Add(-time.Minute), nil, testSecret)[2:12] + "," + v1,
		"two times":             signed + ",t=1",
		"with another's secret": other,
		"another version":       stamp + ",v0=" + strings.TrimPrefix(v1, "v1="),
	} {
		require.ErrorIs(t, Verify(header(value), testBody, testSecret), ErrSignature, name)
	}
	require.ErrorIs(t, Verify(header(signed), []byte(`{"id":"a2"}`), testSecret), ErrSignature, "another body")
	require.ErrorIs(t, Verify(header(sign(now, testBody, nil)), testBody, nil), ErrSignature, "no secret verifies nothing")
}
