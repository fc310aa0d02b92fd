package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/internal/broker"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/train/nets"
)

// startEdged runs this test binary as edged.
func startEdged(t *testing.T, args ...string) (cmd *exec.Cmd, log *lines) {
	t.Helper()
	return startAs(t, "edged", args...)
}

func startAs(t *testing.T, name string, args ...string) (cmd *exec.Cmd, log *lines) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, log = exec.Command(exe), &lines{}
	cmd.Args = append([]string{name}, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, log
}

// lines is what a process has written so far.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await waits until the process has written text n times.
func (l *lines) await(t *testing.T, text string, n int) {
	t.Helper()
	for range 6000 {
		if strings.Count(l.String(), text) >= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q was not written %d times:\n%s", text, n, l)
}

// A camera and a broker that are away are said once and waited for; SIGHUP
// reloads; SIGTERM ends it in time, cleanly.
func TestSignalsAndWhatIsAway(t *testing.T) {
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, []byte(`
[node]
name = "n"
http = "127.0.0.1:0"
[mqtt]
broker = "tcp://127.0.0.1:1"
spool_dir = "state"
[[camera]]
name = "away"
source = "/dev/v4l/by-id/none"
model = "dense.tflite"
engine = "go"
[[camera]]
name = "here"
source = "test:belt?size=96x80"
model = "dense.tflite"
engine = "go"
`))
	cmd, log := startEdged(t, "run", "-c", config)
	log.await(t, "camera offline", 1)
	log.await(t, "127.0.0.1:1", 1)
	log.await(t, "page and metrics", 1)
	daemontest.DenseFile(t, dir, nets.Valid, 48, 60)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	log.await(t, "model adopted", 2) // by the signal, or by the look at the file
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v to end", d)
	}
	if n := strings.Count(log.String(), "camera offline"); n != 1 {
		t.Errorf("%d times \"camera offline\":\n%s", n, log)
	}
	state, err := os.ReadFile(filepath.Join(dir, "state", "state.json"))
	if err != nil || !strings.Contains(string(state), `"running": false`) {
		t.Errorf("the stop was not clean: %v, %s", err, state)
	}
}

func TestDemoRunsWithoutOpenCV(t *testing.T) {
	model := daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 96, 128)
	var out, log lines
	code := run(context.Background(), []string{"demo", "--frames", "3", "--http", "127.0.0.1:0",
		"--source", "test:belt?size=160x120", "--model", model}, &out, &log)
	if code != exitOK {
		t.Fatalf("exit %d:\n%s%s", code, &out, &log)
	}
	for _, want := range []string{"First mask after", "page        http://127.0.0.1:", "mosquitto_sub -h 127.0.0.1 -p ", " watch --broker tcp://127.0.0.1:", "camera belt: read "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, fmt.Appendf(nil, `
[node]
name = "n"
[mqtt]
broker = "tcp://127.0.0.1:1"
spool_dir = "state"
[[camera]]
name = "a"
source = "test:belt?size=96x80"
model = "dense.tflite"
engine = "go"
`))
	r := examine(context.Background(), config)
	states := map[string]string{}
	for _, c := range r.Checks {
		states[c.Name] = c.State
		if c.State != "ok" && c.Fix == "" || c.Detail == "" {
			t.Errorf("%+v: a fault without a fix, or without words", c)
		}
	}
	for name, want := range map[string]string{
		"program": "ok", "model canary go": "ok", "config": "ok", "model of a": "ok", "camera a": "ok", "broker": "FAIL", "state": "ok",
	} {
		if states[name] != want {
			t.Errorf("%s: %q, want %s", name, states[name], want)
		}
	}
	if r.OK {
		t.Error("all is said to be well without a broker")
	}
	for _, name := range []string{"clock", "disk"} {
		if states[name] == "" {
			t.Errorf("%s was not looked at", name)
		}
	}
}

// check and doctor take a broker for one only when it would take the daemon in,
// and say what would help where it does not.
func TestWhoAnswersIsNoBrokerYet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	b, err := broker.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for address, want := range map[string]string{l.Addr().String(): "FAIL", b.Address: "ok"} {
		c := config.Default()
		c.Node.Name, c.MQTT.Broker = "n", "tcp://"+address
		var r report
		r.checkBroker(context.Background(), &c)
		if tried := askBroker(context.Background(), &c); (tried.Err == nil) != (want == "ok") || len(tried.Warnings) > 0 || r.Checks[0].State != want {
			t.Errorf("%s: %+v, %+v; want %s", address, tried, r.Checks, want)
		}
		if f := r.Checks[0]; want == "FAIL" && (!strings.Contains(f.Detail, "closes the connection before it is made") || !strings.Contains(f.Fix, "check that the port speaks MQTT")) {
			t.Errorf("%+v", f)
		}
	}
}
