package mqtt

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"

	"edged/internal/infile"
)

// tlsConfig reads the certificate files. It is called for each connection, so
// that renewed files are used without a restart.
func (c Config) tlsConfig(host string) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if c.CA != "" {
		pem, err := infile.Read(c.CA, infile.Text)
		if err != nil {
			return nil, wrong("ca", "certificate authority: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, wrong("ca", "certificate authority: %s holds no PEM certificate", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := keyPair(c.Cert, c.Key)
		if err != nil {
			key := "cert"
			if at := (*fs.PathError)(nil); errors.As(err, &at) && at.Path == c.Key {
				key = "key"
			}
			return nil, wrong(key, "client certificate: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// keyPair is tls.LoadX509KeyPair through the one opener.
func keyPair(cert, key string) (tls.Certificate, error) {
	chain, err := infile.Read(cert, infile.Text)
	if err != nil {
		return tls.Certificate{}, err
	}
	secret, err := infile.Read(key, infile.Text)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(chain, secret)
}

// password is the first line of the password file, read for each connection.
func (c Config) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	b, err := infile.Read(c.PasswordFile, infile.Text)
	if err != nil {
		return "", wrong("password_file", "password file: %w", err)
	}
	line, _, _ := bytes.Cut(infile.WithoutBOM(b), []byte("\n"))
	return string(bytes.TrimSuffix(line, []byte("\r"))), nil
}
