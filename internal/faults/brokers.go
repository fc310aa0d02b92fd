package faults

import (
	"bytes"
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

// Program is a process that a test starts and that ends with it.
type Program struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
}

// StartProgram runs a command and waits until it has said ready.
func StartProgram(t testing.TB, ready string, args ...string) *Program {
	t.Helper()
	p := &Program{cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	mqtttest.Until(t, 2*time.Minute, strings.Join(args, " ")+" to say "+ready, func() bool { return strings.Contains(p.Said(), ready) })
	return p
}

// Write takes what the program says.
func (p *Program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

// Said is what the program has said.
func (p *Program) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Kill ends the program as a power cut would. It may be called again.
func (p *Program) Kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // its end is what was wanted
	}
}

// Deps is where `make deps` puts things.
func Deps(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("DEPS")
	if dir == "" {
		dir = filepath.Join("..", "..", ".deps")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// NodeRED is a Node-RED whose flow writes down what it gets.
type NodeRED struct{ file string }

// StartNodeRED runs one that subscribes at a loopback port.
func StartNodeRED(t testing.TB, port int) *NodeRED {
	t.Helper()
	dir := t.TempDir()
	n := &NodeRED{filepath.Join(dir, "got")}
	flows, err := os.ReadFile("brokers/nodered_flows.json")
	if err != nil {
		t.Fatal(err)
	}
	flows = bytes.ReplaceAll(flows, []byte("PORT"), fmt.Append(nil, port))
	flows = bytes.ReplaceAll(flows, []byte("FILE"), []byte(n.file))
	path := filepath.Join(dir, "flows.json")
	if err := os.WriteFile(path, flows, 0o600); err != nil {
		t.Fatal(err)
	}
	StartProgram(t, "Connected to broker", "node", filepath.Join(Deps(t), "brokers/node-red/node_modules/node-red/red.js"),
		"--userDir", dir, "--settings", "brokers/nodered_settings.js", "--port", fmt.Sprint(mqtttest.FreePort(t)), path)
	return n
}

// heard is a line of the flow's.
type heard struct {
	Kind string
	Seq  uint64
	PNG  string
	Gaps []mqtt.Gap
}

// Heard is what Node-RED has got so far.
func (n *NodeRED) Heard(t testing.TB) (all []heard) {
	t.Helper()
	text, _ := os.ReadFile(n.file) // nothing yet
	for line := range strings.Lines(string(text)) {
		var h heard
		if !strings.HasSuffix(line, "\n") {
			break // being written
		}
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatalf("Node-RED wrote %q: %v", line, err)
		}
		all = append(all, h)
	}
	return all
}

// Holes are the results that Node-RED has not got in a row and that no event had
// named before; a number of 1 begins a new run.
func Holes(all []heard) (holes []string) {
	var last uint64
	var gaps []mqtt.Gap
	for _, h := range all {
		switch {
		case h.Kind == "event":
			for _, g := range h.Gaps {
				if g.Kind == mqtt.KindResult {
					gaps = append(gaps, g)
				}
			}
		case h.Kind == "mask" && h.PNG != "PNG":
			holes = append(holes, "a mask that is no PNG")
		case h.Kind == "result":
			if h.Seq == 1 {
				last, gaps = 0, nil
			}
			for n := last + 1; n < h.Seq; n++ {
				if !covered(gaps, n) {
					holes = append(holes, fmt.Sprintf("result %d before %d", n, h.Seq))
				}
			}
			if h.Seq <= last {
				holes = append(holes, fmt.Sprintf("result %d after %d", h.Seq, last))
			}
			last = max(last, h.Seq)
		}
	}
	return holes
}
