package cameratest

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is the user that runs the fake camera where root runs the tests: root's
// packet sockets see nothing on the loopback interface.
const nobody = 65534

// StartGigE starts aravis' fake GigE Vision camera on loopback; Kill pulls its plug.
// There can be one: the protocol has one port.
func StartGigE(t testing.TB, serial string) *Process {
	t.Helper()
	path := filepath.Join(os.Getenv("DEPS"), "aravis/usr/bin/arv-fake-gv-camera-0.8")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run `make deps-test`, and go test with the environment of `make env`", err)
	}
	cmd := exec.Command(path, "-i", "127.0.0.1", "-s", serial)
	if os.Getuid() != 0 {
		return start(t, cmd)
	}
	program, err := os.Open(path) // its folder may be root's alone
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	cmd.Path, cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{program}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return start(t, cmd)
}
