//go:build tools

package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The unit is as closed as systemd 252 can say of a service that opens cameras
// and talks to hosts that only the config knows: exposure 1.5 of 10.
func TestUnitIsHardened(t *testing.T) {
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", "edged.service").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Overall exposure level") {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

func TestUnitIsWellFormed(t *testing.T) {
	text, err := os.ReadFile("edged.service")
	if err != nil {
		t.Fatal(err)
	}
	// verify wants the program to exist; which one it is does not matter to it.
	unit := filepath.Join(t.TempDir(), "edged.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/edged", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), unit) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
