package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What the system refuses is not the config's fault, whatever it is: only what
// another try cannot change is.
func TestWhatTheSystemRefusesIsNoFaultOfTheConfig(t *testing.T) {
	for _, errno := range []syscall.Errno{
		syscall.ENOENT, syscall.EACCES, syscall.EPERM, syscall.EIO, syscall.EISDIR, syscall.ENOTDIR, syscall.ELOOP, syscall.ENOSPC,
		syscall.EROFS, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ESTALE, syscall.EAGAIN, syscall.EWOULDBLOCK,
	} {
		err := Bad(fmt.Errorf("around: %w", &fs.PathError{Op: "open", Path: "x", Err: errno}))
		if errors.Is(err, ErrBad) || !errors.Is(err, errno) {
			t.Errorf("%v: %v is a bad config", errno, err)
		}
	}
	if err := Bad(errors.New("a value")); !errors.Is(err, ErrBad) {
		t.Error("a value is no fault")
	}
}

// A file that names others: absent ones are the system's, contents are the
// config's, and one fault of a value decides for all.
func TestLoadTellsRefusedFromWrong(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "none.pem"), []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	const camera = "[[camera]]\nname = \"a\"\nsource = \"test:belt\"\nmodel = \"m\"\n"
	for text, bad := range map[string]bool{
		"[node]\ntrusted_keys = [\"absent.pub\"]\n" + camera:                                               false,
		"[node]\ntrusted_keys = [\"none.pem\"]\n" + camera:                                                 true,
		"[node]\ntrusted_keys = [\".\"]\n" + camera:                                                        false,
		"[mqtt]\nbroker = \"tcp://h\"\nusername = \"u\"\npassword_file = \"absent\"\n" + camera:            false,
		"[mqtt]\nbroker = \"ssl://h\"\nca = \"absent\"\n" + camera:                                         false,
		"[mqtt]\nbroker = \"ssl://h\"\nca = \"none.pem\"\n" + camera:                                       true,
		"[mqtt]\nbroker = \"ssl://h\"\nca = \"absent\"\nencoding = \"x\"\n" + camera:                       true,
		"[mqtt]\nbroker = \"ssl://h\"\ncert = \"absent\"\nkey = \"absent\"\n" + camera:                     false,
		"[node]\nname = \"Not One\"\ntrusted_keys = [\"absent.pub\"]\n" + camera:                           true,
		strings.Replace("[node]\ntrusted_keys = [\"a.pub\", \"none.pem\"]\n"+camera, "a.pub", "absent", 1): true,
	} {
		path := filepath.Join(dir, "edged.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, engines); err == nil || errors.Is(err, ErrBad) != bad {
			t.Errorf("%s: bad config %v, want %v: %v", text, !bad, bad, err)
		}
	}
	if _, err := Load(filepath.Join(dir, "absent.toml"), engines); err == nil || errors.Is(err, ErrBad) {
		t.Errorf("an absent config: %v", err)
	}
}
