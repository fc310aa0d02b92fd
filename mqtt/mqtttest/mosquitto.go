// Package mqtttest runs real mosquitto brokers for tests, and follows what they
// carry with a subscriber that keeps accounts.
package mqtttest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Broker is a mosquitto process on a loopback port of its own. It ends with the
// test.
type Broker struct {
	t     testing.TB
	Port  int
	dir   string
	extra []string
	cmd   *exec.Cmd
}

// NewBroker prepares a broker and chooses its port; Start runs it. Each extra
// line goes into its configuration; without "allow_anonymous" among them,
// everybody may connect.
func NewBroker(t testing.TB, extra ...string) *Broker {
	t.Helper()
	b := &Broker{t: t, Port: FreePort(t), dir: t.TempDir(), extra: extra}
	t.Cleanup(b.Kill)
	return b
}

// StartBroker prepares a broker and runs it.
func StartBroker(t testing.TB, extra ...string) *Broker {
	t.Helper()
	b := NewBroker(t, extra...)
	b.Start()
	return b
}

// FreePort is a loopback port that nobody listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// URL is the broker's address without TLS.
func (b *Broker) URL() string { return fmt.Sprintf("tcp://%s", b.Addr()) }

// Addr is the broker's host and port.
func (b *Broker) Addr() string { return fmt.Sprintf("127.0.0.1:%d", b.Port) }

// Dir is a folder for files that the configuration names.
func (b *Broker) Dir() string { return b.dir }

// Set replaces the extra lines from the next Start on.
func (b *Broker) Set(extra ...string) { b.extra = extra }

// Start runs the broker and waits until it listens. It remembers nothing of an
// earlier run: persistence is off.
func (b *Broker) Start() {
	b.t.Helper()
	conf := fmt.Sprintf("listener %d 127.0.0.1\npersistence false\n%s\n", b.Port, strings.Join(b.extra, "\n"))
	if !strings.Contains(conf, "allow_anonymous") {
		conf += "allow_anonymous true\n"
	}
	if os.Geteuid() == 0 {
		conf += "user root\n" // else mosquitto becomes a user who cannot read the test's files
	}
	file := filepath.Join(b.dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		b.t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(b.dir, "mosquitto.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer log.Close()
	b.cmd = exec.Command(mosquitto(b.t), "-c", file)
	b.cmd.Stdout, b.cmd.Stderr = log, log
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.awaitPort()
}

func mosquitto(t testing.TB) string {
	t.Helper()
	for _, p := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if file, err := exec.LookPath(p); err == nil {
			return file
		}
	}
	t.Fatal("mosquitto is not installed: run make deps-test")
	return ""
}

func (b *Broker) awaitPort() {
	b.t.Helper()
	for range 6000 {
		if c, err := net.Dial("tcp", b.Addr()); err == nil {
			c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("mosquitto does not listen on %s:\n%s", b.Addr(), b.Log())
}

// Log is what the broker has written so far.
func (b *Broker) Log() string {
	text, _ := os.ReadFile(filepath.Join(b.dir, "mosquitto.log"))
	return string(text)
}

// Kill ends the broker as a power cut would. It may be called again.
func (b *Broker) Kill() { b.end(syscall.SIGKILL) }

// Stop ends the broker in good order.
func (b *Broker) Stop() { b.end(syscall.SIGTERM) }

func (b *Broker) end(s syscall.Signal) {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Signal(s)
	_ = b.cmd.Process.Signal(syscall.SIGCONT)
	_ = b.cmd.Wait()
	b.cmd = nil
}

// Freeze stops the process without closing its connections; Thaw lets it go on.
func (b *Broker) Freeze() { _ = b.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen broker go on.
func (b *Broker) Thaw() { _ = b.cmd.Process.Signal(syscall.SIGCONT) }
