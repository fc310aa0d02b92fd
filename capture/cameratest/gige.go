package cameratest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// nobody is the user that runs the fake camera where root runs the tests: root's
// packet sockets see nothing on the loopback interface.
const nobody = 65534

// portWait is how long another process's tests may keep the port.
const portWait = 3 * time.Minute

// portLock is the right to a port, for the tests of one process at a time.
type portLock struct {
	mu    sync.Mutex
	users int
	file  *os.File
}

var gigePort portLock

// take waits for the port, which is given back at the test's end.
func (l *portLock) take(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		file, err := os.OpenFile(filepath.Join(os.TempDir(), "edged-test-gige.lock"), os.O_CREATE|os.O_RDONLY, 0o666)
		if err != nil {
			t.Fatalf("the GigE port's lock: %v", err)
		}
		for end := time.Now().Add(portWait); ; time.Sleep(50 * time.Millisecond) {
			if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("a test of another process has had the GigE port for %v: %v", portWait, err)
			}
		}
		l.file = file
	}
	l.users++
	t.Cleanup(l.give)
}

func (l *portLock) give() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users == 0 {
		l.file.Close()
	}
}

// StartGigE starts aravis' fake GigE Vision camera on loopback; Kill pulls its plug.
// There can be one on a machine, since the protocol has one port: tests of other
// processes wait until this one's is over.
func StartGigE(t testing.TB, serial string) *Process {
	t.Helper()
	gigePort.take(t)
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
