package config

import (
	"bytes"
	"fmt"
	"net"
	"strings"

	"edged/internal/infile"
)

// checkHTTP looks at who may see the page.
func (c *Config) checkHTTP() {
	n := &c.Node
	if n.HTTP == "" {
		return // switched off
	}
	if _, _, err := net.SplitHostPort(n.HTTP); err != nil {
		c.file.Addf("node.http", "node.http: %v; write host:port, for example %q, or \"\" for none", err, DefaultHTTP)
	}
	for _, h := range n.HTTPHosts {
		if h == "" || strings.ContainsAny(h, "/:@* \t") && net.ParseIP(h) == nil {
			c.file.Addf("node.http_hosts", "node.http_hosts: %q is no host's name: write it without scheme, port and path, for example \"line1.plant\"", h)
		}
	}
	switch {
	case n.HTTPUser == "" && n.HTTPPasswordFile != "":
		c.file.Addf("node.http_password_file", "node.http_password_file without node.http_user: give both or neither")
	case n.HTTPUser != "" && n.HTTPPasswordFile == "":
		c.file.Addf("node.http_user", "node.http_user without node.http_password_file: give both or neither")
	case strings.Contains(n.HTTPUser, ":"):
		c.file.Addf("node.http_user", "node.http_user %q: a colon ends the user's name in HTTP", n.HTTPUser)
	}
}

// HTTPPassword reads the page's password: the first line of its file, without a
// byte order mark. Empty means that none is asked for.
func (c *Config) HTTPPassword() (string, error) {
	if c.Node.HTTPPasswordFile == "" {
		return "", nil
	}
	data, err := infile.Read(c.Node.HTTPPasswordFile, infile.Text)
	if err != nil {
		return "", fmt.Errorf("node.http_password_file: %w", err)
	}
	line, _, _ := bytes.Cut(infile.WithoutBOM(data), []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return "", fmt.Errorf("node.http_password_file: %s: its first line is empty: write the password there", c.Node.HTTPPasswordFile)
	}
	return string(line), nil
}
