//go:build faults

package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/mqtt"
)

// subscribers are the commands that the handbook shows between its markers.
func subscribers(t *testing.T) []string {
	t.Helper()
	file := filepath.Join("..", "..", "docs", "3-masks-over-mqtt.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)<!-- subscribers -->(.*?)<!-- /subscribers -->`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s shows no subscribers", file)
	}
	var commands []string
	for _, m := range regexp.MustCompile("(?s)```[a-z]*\n(.*?)```").FindAllSubmatch(found[1], -1) {
		commands = append(commands, strings.TrimSpace(string(m[1])))
	}
	return commands
}

// Each subscriber of the handbook, as it stands there but for the port, prints
// results.
func TestReadmeSubscribers(t *testing.T) {
	commands := subscribers(t)
	for _, tool := range []string{"mosquitto_sub", "python3", "node"} {
		if !strings.Contains(strings.Join(commands, "\n"), tool) {
			t.Errorf("no command uses %s: %q", tool, commands)
		}
	}
	r := NewRig(t, Setup{})
	deps := os.Getenv("DEPS")
	if deps == "" {
		deps = filepath.Join("..", "..", ".deps")
	}
	deps, err := filepath.Abs(deps)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range commands {
		if !strings.Contains(command, "1883") {
			t.Errorf("no port 1883 in %q", command)
			continue
		}
		command = strings.ReplaceAll(command, "1883", fmt.Sprint(r.Broker.Port))
		// Debian's python3 has Debian's paho; npm's packages are below .deps.
		env := append(os.Environ(), "PATH=/usr/bin:"+os.Getenv("PATH"), "NODE_PATH="+filepath.Join(deps, "js", "node_modules"))
		subscribes(t, command, env)
	}
	r.Close()
}

// subscribes runs a command until it has printed three results in order.
func subscribes(t *testing.T, command string, env []string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(30*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop.Stop()
	var last uint64
	n := 0
	for lines := bufio.NewScanner(out); n < 3 && lines.Scan(); n++ {
		var v mqtt.Result
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil || v.Seq <= last {
			t.Errorf("%s printed %.200q after seq %d: %v", command, lines.Text(), last, err)
		}
		last = v.Seq
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group of this very command
	_ = cmd.Wait()
	if n < 3 {
		t.Errorf("%s printed %d results: %s", command, n, tail(errs.String(), 500))
	}
}
