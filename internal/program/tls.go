package program

import (
	"bytes"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
)

func addTLSFlags(flags *flag.FlagSet, c *config) {
	flags.StringVar(&c.tlsCert, "tls-cert", "", "`file` with the certificate, in PEM, and those that lead to its authority: serve HTTPS on -addr. It is read again when it changes (default: serve HTTP)")
	flags.StringVar(&c.tlsKey, "tls-key", "", "`file` with the private key of -tls-cert, in PEM")
}

// checkTLS checks the flags without reading the files.
func (c *config) checkTLS() error {
	switch {
	case c.tlsCert == "" && c.tlsKey == "":
		return nil
	case c.tlsKey == "":
		return errors.New("-tls-cert requires -tls-key with the file of its private key")
	case c.tlsCert == "":
		return errors.New("-tls-key requires -tls-cert with the file of its certificate")
	case c.baseURL != "" && !strings.HasPrefix(strings.ToLower(c.baseURL), "https://"):
		return fmt.Errorf("-base-url must begin with https:// because -tls-cert is set, not %q", c.baseURL)
	}
	return nil
}

// certificateCheck is the shortest time between two looks at the files of a certificate.
const certificateCheck = time.Second

// A certificate is read from its files again when they change. A connection keeps the one
// that it began with. If the new files cannot be used, for example because only one of
// them is written yet, the old certificate stays in use.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	failing           incident.Incident

	mu        sync.Mutex
	cert, key []byte // the files as they were read last
	loaded    *tls.Certificate
	looked    time.Time
}

// openCertificate reads a certificate and its private key. The errors are for the user.
func openCertificate(certFile, keyFile string, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: logger, failing: incident.Incident{
		Log: logger, Began: "the certificate could not be read again; the one that was read before stays in use",
	}}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.looked = time.Now()
	return c, nil
}

// config returns the settings of a server.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certificateCheck {
		c.looked = now
		before := c.loaded
		err := c.read()
		c.failing.Report(err)
		if c.loaded != before {
			c.log.Info("the certificate was read again", "valid_until", c.loaded.Leaf.NotAfter)
		}
	}
	return c.loaded
}

// read reads the files and, if one has changed, uses what is in them.
func (c *certificate) read() error {
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return fmt.Errorf("-tls-cert: %w", err)
	}
	key, err := os.ReadFile(c.keyFile)
	if err != nil {
		return fmt.Errorf("-tls-key: %w", err)
	}
	if c.loaded != nil && bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("-tls-cert %s and -tls-key %s cannot be used: %w", c.certFile, c.keyFile, err)
	}
	c.cert, c.key, c.loaded = cert, key, &pair
	return nil
}
