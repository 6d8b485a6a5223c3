package deploy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/internal/testtool"
)

const host = "go.example.com"

func TestLinksWorkBehindTheNginxOfTheSample(t *testing.T) {
	nginx := testtool.Path(t, "nginx", "/usr/sbin/nginx")
	folder, plain, secure := t.TempDir(), freePort(t), freePort(t)
	roots := writeCertificate(t, folder)
	log := filepath.Join(folder, "access.log")
	site := sample(t, "nginx.conf", map[string]string{
		"listen 80;":                             "listen " + plain + ";",
		"listen 443 ssl http2;":                  "listen " + secure + " ssl http2; location ~ /\\. { deny all; }",
		"/etc/ssl/go.example.com.pem":            filepath.Join(folder, "cert.pem"),
		"/etc/ssl/go.example.com.key":            filepath.Join(folder, "key.pem"),
		"/var/log/nginx/linktrack.log linktrack": log + " linktrack",
		"127.0.0.1:8080;":                        startLinktrack(t) + ";",
	})
	conf := "daemon off; master_process off; pid " + folder + "/pid; events {} http { access_log off;"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += fmt.Sprintf(" %s_temp_path %s/%s;", kind, folder, kind)
	}
	conf += "\n" + site + "\n}\n"
	file := filepath.Join(folder, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	testprogram.Start(t, nginx, nil, "-e", "stderr", "-c", file)

	followThrough(t, plain, secure, roots)

	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(text), `"GET /api/v1_0/makeLink" 201`)
	require.NotContains(t, string(text), pass)
}

func TestLinksWorkBehindTheCaddyOfTheSample(t *testing.T) {
	caddy := testtool.Path(t, "caddy")
	folder, plain, secure := t.TempDir(), freePort(t), freePort(t)
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
	site := sample(t, "Caddyfile", map[string]string{"reverse_proxy 127.0.0.1:8080": "reverse_proxy " + startLinktrack(t)})
	conf := fmt.Sprintf("{\n admin off\n local_certs\n skip_install_trust\n default_bind 127.0.0.1\n http_port %s\n https_port %s\n storage file_system %s\n}\n%s",
		port(plain), port(secure), folder, site)
	file := filepath.Join(folder, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	testprogram.Start(t, caddy, []string{"HOME=" + folder}, "run", "--adapter", "caddyfile", "--config", file)
	waitFor(t, secure)
	roots := x509.NewCertPool()
	root, err := os.ReadFile(filepath.Join(folder, "pki/authorities/local/root.crt"))
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(root))

	followThrough(t, plain, secure, roots)
}

// sample returns a file with some of its texts replaced, all of which it must have.
func sample(t *testing.T, name string, replace map[string]string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	text := string(b)
	for from, to := range replace {
		require.Equal(t, 1, strings.Count(text, from), "%s has %q once", name, from)
		text = strings.Replace(text, from, to, 1)
	}
	return text
}

// startLinktrack runs the program with the flags that the samples name, and returns its
// address.
func startLinktrack(t *testing.T) string {
	t.Helper()
	p := testprogram.Start(t, binary(t), []string{"LINKTRACK_PASS=" + pass}, "-db", "memory", "-addr", "127.0.0.1:0",
		"-base-url", "https://"+host, "-hosts", "alt.example", "-trusted-proxies", "127.0.0.1/32", "-privacy-ip", "whole")
	return "127.0.0.1:" + regexp.MustCompile(`^http://localhost:(\d+)`).FindStringSubmatch(p.Line(t, "linktrack listens on "))[1]
}

// followThrough makes links and follows them through a proxy, as a visitor whose address is
// not the proxy's.
func followThrough(t *testing.T, plain, secure string, roots *x509.CertPool) {
	waitFor(t, secure)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if strings.HasSuffix(addr, ":80") {
				return dialer.DialContext(ctx, network, plain)
			}
			return dialer.DialContext(ctx, network, secure)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	base := "https://" + host

	destination := "https://example.com/" + strings.Repeat("ü", 2000)
	var encoded strings.Builder
	for _, b := range []byte(destination) {
		fmt.Fprintf(&encoded, "%%%02X", b)
	}
	status, link := get(t, c, base+"/api/v1_0/makeLink?"+credentials+"&external_url="+encoded.String())
	require.Equal(t, http.StatusCreated, status, link)
	require.Regexp(t, `^https://go\.example\.com/\.[a-z0-9]+$`, link)
	hash := link[len(base)+1:]

	for _, path := range []string{hash, strings.ToUpper(hash), strings.TrimPrefix(hash, "."), hash + "?from=mail"} {
		r := do(t, c, base+"/"+path)
		r.Body.Close()
		require.Equal(t, http.StatusFound, r.StatusCode, path)
		location, err := url.PathUnescape(r.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, destination, location)
		require.Contains(t, r.Header.Get("Set-Cookie"), "Secure")
		require.Equal(t, "private, no-store", r.Header.Get("Cache-Control"))
	}
	require.Equal(t, "127.0.0.2", lastAddress(t, c, base, hash))

	r := do(t, c, "http://"+host+"/"+hash)
	r.Body.Close()
	require.Equal(t, http.StatusPermanentRedirect, r.StatusCode)
	require.True(t, strings.HasPrefix(r.Header.Get("Location"), base), r.Header.Get("Location"))
}

// freePort returns an address of this machine on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// waitFor waits until something listens on an address and answers a handshake.
func waitFor(t *testing.T, addr string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: host})
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, time.Minute, 20*time.Millisecond)
}

// writeCertificate writes cert.pem and key.pem into a folder, and returns a pool that
// trusts them.
func writeCertificate(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600))
	}
	parsed, err := x509.ParseCertificate(cert)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}
