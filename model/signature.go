package model

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// Signature is an ed25519 signature of a certificate, and the public key that
// it holds for.
type Signature struct {
	Key   []byte `json:"key"`   // 32 bytes
	Value []byte `json:"value"` // 64 bytes
}

// signedText is what a signature is of: the certificate without it, told apart
// from whatever else the same key may sign.
func signedText(c *Certificate) ([]byte, error) {
	bare := *c
	bare.Signature = nil
	b, err := sortedJSON(bare)
	return append([]byte("edged certificate\n"), b...), err
}

func (s *Signature) key() ed25519.PublicKey { return ed25519.PublicKey(s.Key) }

func (s *Signature) holds(c *Certificate) bool {
	text, err := signedText(c)
	return err == nil && len(s.Key) == ed25519.PublicKeySize && ed25519.Verify(s.key(), text, s.Value)
}

func signedByAny(c *Certificate, keys []ed25519.PublicKey) bool {
	for _, k := range keys {
		if c.Signature != nil && bytes.Equal(c.Signature.Key, k) {
			return true
		}
	}
	return false
}

// Sign puts a signature into the certificate; whatever changes it afterwards
// breaks the signature.
func (c *Certificate) Sign(key ed25519.PrivateKey) error {
	text, err := signedText(c)
	if err != nil {
		return fmt.Errorf("model: certificate: %w", err)
	}
	c.Signature = &Signature{Key: key.Public().(ed25519.PublicKey), Value: ed25519.Sign(key, text)}
	return nil
}

// Fingerprint is a key's short name: the start of its SHA-256.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// NewKey makes an ed25519 key pair as PEM (PKCS 8 and PKIX), which other tools read too.
func NewKey() (private, public []byte, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	a, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	b, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: a}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b}), nil
}

var errKey = errors.New("no ed25519 key in PEM: edged key -o KEYFILE makes a pair, KEYFILE and KEYFILE.pub")

// ParsePrivateKey reads what NewKey wrote.
func ParsePrivateKey(b []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errKey
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := k.(ed25519.PrivateKey); ok && err == nil {
		return key, nil
	}
	return nil, errKey
}

// ParsePublicKey reads the public half of what NewKey wrote.
func ParsePublicKey(b []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errKey
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if key, ok := k.(ed25519.PublicKey); ok && err == nil {
		return key, nil
	}
	return nil, errKey
}
