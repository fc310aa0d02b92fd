//go:build tools && tflite

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// full tells whether the long form was asked for.
func full() bool { return os.Getenv("EDGED_FAULTS") != "" }

func rounds() int {
	if full() {
		return 3
	}
	return 1
}

var program, dense, large string // what TestMain has built

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "edged-faults")
	if err == nil {
		err = build(dir)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// build makes the daemon, a dense model small enough for a quick beat, and one
// with large masks.
func build(dir string) error {
	program, dense, large = filepath.Join(dir, "edged"), filepath.Join(dir, "dense.tflite"), filepath.Join(dir, "large.tflite")
	baseline := "../../train/nets/belt_valid.tflite"
	for _, args := range [][]string{
		{"go", "build", "-tags", "tflite", "-o", program, "edged/cmd/edged"},
		{program, "rewrite", baseline, "--input", "240x320", "--output-stride", "4", "-o", dense},
		{program, "rewrite", baseline, "--input", "480x640", "--output-stride", "1", "-o", large}, // masks of several kB
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", args, err, out)
		}
	}
	return nil
}

// daemon is edged run as users run it: a process with a config file.
type daemon struct {
	t      *testing.T
	dir    string
	prefix []string // a command that runs the command
	cmd    *exec.Cmd
	done   chan error
	mu     sync.Mutex
	log    strings.Builder
}

func (d *daemon) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

func (d *daemon) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// newDaemon writes a config: the belt, twenty results a second, a verdict that
// changes often as parts pass, events spooled.
func newDaemon(t *testing.T, broker string) *daemon { return newDaemonWith(t, broker, dense) }

func newDaemonWith(t *testing.T, broker, model string) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: t.TempDir()}
	config := fmt.Sprintf(`[node]
name = "n1"
http = ""
[mqtt]
broker = %q
spool_dir = "spool"
[[camera]]
name = "cam"
source = "test:belt"
trigger = "interval:50ms"
model = %q
`, broker, model)
	for r := 40; r > 4; r -= 2 {
		config += fmt.Sprintf("[[camera.rule]]\nclass = \"metal\"\nmax_total_ratio = 0.%02d\nverdict = \"over%d\"\n", r, r)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "edged.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	args := append(append([]string(nil), d.prefix...), program, "run", "-c", filepath.Join(d.dir, "edged.toml"))
	d.cmd = exec.Command(args[0], args[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = d, d
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(d.cmd, d.done)
}

// kill ends the daemon as a power cut would.
func (d *daemon) kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill()
		<-d.done
		d.cmd = nil
	}
}

// stop sends SIGTERM and fails the test when the end takes 5 seconds or is not
// in good order.
func (d *daemon) stop() {
	d.t.Helper()
	start := time.Now()
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.done:
		d.cmd = nil
		if err != nil {
			d.t.Errorf("the daemon ended with %v\n%s", err, d.text())
		}
		if took := time.Since(start); took > 5*time.Second {
			d.t.Errorf("the end took %v", took)
		}
	case <-time.After(20 * time.Second):
		d.t.Error("the daemon does not end on SIGTERM")
		d.kill()
	}
}

// steady is a broker that keeps everything for an auditor that falls behind.
func steady(t *testing.T, extra ...string) *mqtttest.Broker {
	return mqtttest.StartBroker(t, append(extra, "max_queued_messages 0")...)
}

// resumes waits until results arrive after the fault is over.
func (d *daemon) resumes(a *mqtttest.Auditor, limit time.Duration) {
	d.t.Helper()
	had, start := a.Seen("cam", mqtt.KindResult), time.Now()
	mqtttest.Until(d.t, limit, "results to arrive again\n"+d.text(), func() bool { return a.Seen("cam", mqtt.KindResult) > had+2 })
	d.t.Logf("results again after %v", time.Since(start).Round(time.Millisecond))
}

// stats is the latest stats message.
func stats(t *testing.T, a *mqtttest.Auditor) mqtt.Stats {
	t.Helper()
	var s mqtt.Stats
	text := a.Last("edged/n1/stats")
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("stats %q: %v", text, err)
	}
	for k, acc := range s.Delivery {
		if !acc.Balanced() {
			t.Errorf("%s does not balance: %+v", k, acc)
		}
	}
	return s
}

// freshStats waits for the next stats message.
func freshStats(t *testing.T, a *mqtttest.Auditor) mqtt.Stats {
	t.Helper()
	old := a.Last("edged/n1/stats")
	mqtttest.Until(t, 30*time.Second, "the next stats", func() bool { return a.Last("edged/n1/stats") != old })
	return stats(t, a)
}

// complete checks that the subscriber can account for every number, and that it
// got nothing that was not produced.
func complete(t *testing.T, a *mqtttest.Auditor) {
	t.Helper()
	for _, k := range []mqtt.Kind{mqtt.KindResult, mqtt.KindMask, mqtt.KindEvent} {
		if m := a.Missing("cam", k); len(m) > 0 {
			t.Errorf("%s: %d numbers are missing and were not reported: %v", k, len(m), m[:min(len(m), 20)])
		}
		t.Logf("%-6s arrived %d, reported %v", k, a.Seen("cam", k), a.Reported("cam", k))
	}
}

// agrees checks a run that ended in good order against its last stats.
func agrees(t *testing.T, a *mqtttest.Auditor) {
	t.Helper()
	mqtttest.Until(t, 10*time.Second, "offline", func() bool { return a.Last("edged/n1/status") == mqtt.Offline })
	complete(t, a)
	s := stats(t, a)
	for _, k := range []mqtt.Kind{mqtt.KindResult, mqtt.KindMask} {
		acc, got := s.Delivery[k], uint64(a.Seen("cam", k))
		if acc.InFlight != 0 || got < acc.Acknowledged+acc.HandedOver || got > acc.Acknowledged+acc.HandedOver+acc.Unknown {
			t.Errorf("%s: %d arrived, the ledger says %+v", k, got, acc)
		}
	}
	c := s.Cameras["cam"]
	if c.Read != c.Published+c.PassedOver+c.Refused+c.Failed+c.InWork {
		t.Errorf("frames do not balance: %+v", c)
	}
	if got := s.Delivery[mqtt.KindResult].Produced; got != c.Published {
		t.Errorf("%d results were produced for %d published frames", got, c.Published)
	}
}
