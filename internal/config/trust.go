package config

import (
	"crypto/ed25519"
	"fmt"

	"edged/internal/infile"
	"edged/model"
)

// Trust says which models may run: what a certificate must vouch for at least,
// and whose signature counts.
type Trust struct {
	Required model.Level
	Keys     []ed25519.PublicKey // none: certificates need no signature
}

// Trust is what the node asks of its models.
func (c *Config) Trust() Trust { return c.trust }

// checkTrust reads the keys, so that a file that is missing or holds no key is
// told at its line and not when a model is looked at.
func (c *Config) checkTrust() {
	c.trust = Trust{Required: model.Level(c.Node.RequireCertificate)}
	switch c.trust.Required {
	case "", model.NoCertificate, model.Tested, model.Proved:
	default:
		c.file.Addf("node.require_certificate", "node.require_certificate %q: use none, tested or proved", c.Node.RequireCertificate)
	}
	for _, path := range c.Node.TrustedKeys {
		key, err := readKey(path)
		if err != nil {
			c.file.Addf("node.trusted_keys", "node.trusted_keys: %v", err)
			continue
		}
		c.trust.Keys = append(c.trust.Keys, key)
	}
}

func readKey(path string) (ed25519.PublicKey, error) {
	data, err := infile.Read(path, infile.Text)
	if err != nil {
		return nil, err
	}
	key, err := model.ParsePublicKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: name a .pub file of edged key", path, err)
	}
	return key, nil
}
