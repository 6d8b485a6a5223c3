package program

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

// newCertificate returns a certificate for localhost with that serial number, and its key.
func newCertificate(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	der2, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der2})
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, content, 0o600))
}

func TestServesHTTPSAndReadsANewCertificateWithoutDroppingConnections(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	cert, key := newCertificate(t, 1)
	newer, newerKey := newCertificate(t, 2)
	write(t, certFile, cert)
	write(t, keyFile, key)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(cert) && roots.AppendCertsFromPEM(newer))

	p := start(t, testprogram.Build(t, programFolder), []string{"LINKTRACK_TLS_KEY=" + keyFile, "LINKTRACK_PASS=" + testPass},
		"-tls-cert", certFile, "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0")
	admin := regexp.MustCompile(`^(http://[\d.:]+)/metrics, /healthz, and /readyz$`).FindStringSubmatch(p.Line(t, "metrics and health on "))
	require.NotNil(t, admin)
	call := p.Line(t, "  curl ")
	base := regexp.MustCompile(`https://localhost:\d+`).FindString(call)
	require.NotEmpty(t, base, call)
	addr := strings.TrimPrefix(base, "https://")

	client := func(settings *tls.Config) *http.Client {
		settings.RootCAs = roots
		transport := &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	// get returns the answer, its text, and whether the connection is one from before.
	get := func(c *http.Client, url string) (r *http.Response, text string, reused bool) {
		t.Helper()
		request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused },
		}), "GET", url, nil)
		require.NoError(t, err)
		request.Header.Set("User-Agent", trackertest.Firefox)
		r, err = c.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		require.NoError(t, err)
		return r, string(body), reused
	}

	open := client(&tls.Config{})
	r, link, _ := get(open, base+"/api/v1_0/makeLink?login=linktrack&pass="+testPass+"&external_url=https://example.com/")
	require.Equal(t, 201, r.StatusCode, link)
	require.True(t, strings.HasPrefix(link, base+"/"), link)
	require.Equal(t, "HTTP/2.0", r.Proto)
	r, _, _ = get(open, link)
	require.Equal(t, 302, r.StatusCode)
	require.Contains(t, r.Header.Get("Set-Cookie"), "SameSite=None; Secure")
	require.EqualValues(t, 1, r.TLS.PeerCertificates[0].SerialNumber.Int64())

	_, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	require.ErrorContains(t, err, "protocol version")
	plain, err := http.Get("http://" + addr + "/")
	require.NoError(t, err)
	plain.Body.Close()
	require.Equal(t, 400, plain.StatusCode)

	write(t, certFile, newer) // the key follows later: until then, the old pair is used
	write(t, keyFile, newerKey)
	require.Eventually(t, func() bool {
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
		if err != nil {
			return false
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 2
	}, time.Minute, 10*time.Millisecond)
	r, _, reused := get(open, link)
	require.Equal(t, 302, r.StatusCode)
	require.True(t, reused, "the connection from before goes on")

	health := http.DefaultClient
	_, text, _ := get(health, admin[1]+"/healthz")
	require.Equal(t, "ok\n", text)
	r, text, _ = get(health, admin[1]+"/readyz")
	require.Equal(t, 200, r.StatusCode)
	require.Regexp(t, `^ready\nclick log: `, text)
	_, text, _ = get(health, admin[1]+"/metrics")
	require.Contains(t, text, "\n"+`linktrack_redirects_total{outcome="redirected"} 2`+"\n")
	require.Contains(t, text, "\nlinktrack_build_info{")

	require.Equal(t, 0, p.Stop(t))
	require.NotContains(t, p.Stderr(), "handshake")
	require.NotContains(t, p.Stderr(), "127.0.0.1")
}

func TestACertificateIsReadAgainWhenBothFilesFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
		cert, key := newCertificate(t, 1)
		newer, newerKey := newCertificate(t, 2)
		write(t, certFile, cert)
		write(t, keyFile, key)
		var log trackertest.LogBuffer
		c, err := openCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		serial := func() int64 {
			time.Sleep(certificateCheck)
			got, err := c.config().GetCertificate(nil)
			require.NoError(t, err)
			return got.Leaf.SerialNumber.Int64()
		}
		require.EqualValues(t, 1, serial())
		write(t, certFile, newer)
		require.EqualValues(t, 1, serial(), "the key is not there yet")
		require.EqualValues(t, 1, serial())
		require.Equal(t, 1, strings.Count(log.String(), "could not be read again"), log.String())
		write(t, keyFile, newerKey)
		require.EqualValues(t, 2, serial())
		require.Contains(t, log.String(), "the certificate was read again")
		require.NoError(t, os.Remove(keyFile))
		require.EqualValues(t, 2, serial(), "the files are gone")
		require.Equal(t, 2, strings.Count(log.String(), "could not be read again"), log.String())
	})
}

func TestSaysWhyACertificateCannotBeUsed(t *testing.T) {
	folder := t.TempDir()
	cert, key := newCertificate(t, 1)
	_, other := newCertificate(t, 2)
	file := func(name string, content []byte) string {
		write(t, filepath.Join(folder, name), content)
		return filepath.Join(folder, name)
	}
	certFile, keyFile, otherKey, noCert := file("cert.pem", cert), file("key.pem", key), file("other.pem", other), file("no.pem", []byte("no certificate"))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no key":          {[]string{"-tls-cert", certFile}, "-tls-cert requires -tls-key with the file of its private key"},
		"no certificate":  {[]string{"-tls-key", keyFile}, "-tls-key requires -tls-cert with the file of its certificate"},
		"an absent file":  {[]string{"-tls-cert", folder + "/absent", "-tls-key", keyFile}, "-tls-cert: open " + folder + "/absent: no such file or directory"},
		"an absent key":   {[]string{"-tls-cert", certFile, "-tls-key", folder + "/absent"}, "-tls-key: open " + folder + "/absent: no such file or directory"},
		"another's key":   {[]string{"-tls-cert", certFile, "-tls-key", otherKey}, "private key does not match public key"},
		"something else":  {[]string{"-tls-cert", noCert, "-tls-key", keyFile}, "-tls-cert " + noCert + " and -tls-key " + keyFile + " cannot be used: tls: failed to find any PEM data"},
		"an http address": {[]string{"-tls-cert", certFile, "-tls-key", keyFile, "-base-url", "http://go.example.com"}, `-base-url must begin with https:// because -tls-cert is set, not "http://go.example.com"`},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			status := run(t.Context(), append(c.args, "-addr", "127.0.0.1:0"), nil, io.Discard, &stderr)
			require.Equal(t, 2, status)
			require.Contains(t, stderr.String(), c.want)
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		})
	}
}

func TestTheLocalURLHasTheSchemeAndThePortUnlessItIsTheSchemes(t *testing.T) {
	for port, want := range map[int][2]string{
		80:  {"http://localhost", "https://localhost:80"},
		443: {"http://localhost:443", "https://localhost"},
	} {
		for i, scheme := range []string{"http", "https"} {
			require.Equal(t, want[i], localURL(scheme, ":0", &net.TCPAddr{Port: port}))
		}
	}
}
