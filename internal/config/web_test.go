package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhoMaySeeThePage(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{`http_hosts = ["line1.plant", "10.0.0.4", "::1"]`, ""},
		{`http_hosts = ["http://line1"]`, "no host's name"},
		{`http_hosts = ["line1:8077"]`, "no host's name"},
		{`http_hosts = ["*"]`, "no host's name"},
		{`http_hosts = [""]`, "no host's name"},
		{`http_user = "op"`, "http_user without node.http_password_file"},
		{`http_password_file = "p"`, "http_password_file without node.http_user"},
		{"http_user = \"o:p\"\nhttp_password_file = \"p\"", "colon"},
		{"http_user = \"op\"\nhttp_password_file = \"p\"", ""},
	} {
		text := "[node]\nname = \"n\"\n" + c.lines + "\n[[camera]]\nname = \"a\"\nsource = \"test:belt\"\nmodel = \"m\"\n"
		err := Parse("x.toml", []byte(text), engines).Err()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.lines, err, c.want)
		}
	}
}

func TestPagePassword(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{"s3cret\n": "s3cret", "\xef\xbb\xbfs3cret\r\nmore": "s3cret", "": "", "\nx": ""} {
		path := filepath.Join(dir, "p")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := (&Config{Node: Node{HTTPPasswordFile: path}}).HTTPPassword()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, path := range []string{filepath.Join(dir, "none"), dir} {
		if _, err := (&Config{Node: Node{HTTPPasswordFile: path}}).HTTPPassword(); err == nil {
			t.Errorf("%s: no fault", path)
		}
	}
	if got, err := (&Config{}).HTTPPassword(); got != "" || err != nil {
		t.Errorf("none: %q, %v", got, err)
	}
}
