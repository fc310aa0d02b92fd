package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

// manyCameras is a config whose models take a while to load.
func manyCameras(t *testing.T, n int) (path string) {
	t.Helper()
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	text := "[node]\nname = \"n\"\nhttp = \"127.0.0.1:0\"\n"
	for i := range n {
		text += fmt.Sprintf("[[camera]]\nname = \"c%d\"\nsource = \"test:belt?size=96x80&fps=5\"\nmodel = \"dense.tflite\"\nengine = \"go\"\n", i)
	}
	path = filepath.Join(dir, "edged.toml")
	writeFile(t, path, []byte(text))
	return path
}

// While it loads, a SIGHUP waits for its turn and a SIGTERM is a clean stop.
func TestSignalsWhileLoading(t *testing.T) {
	cmd, log := startEdged(t, "run", "-c", manyCameras(t, 12))
	log.await(t, "model in use", 1)
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, log)
	}
	if !strings.Contains(log.String(), "told to stop while loading") {
		t.Errorf("it had loaded:\n%s", log)
	}
}

// A standard error that nobody reads any more does not end the daemon, and SIGHUP
// takes over the config.
func TestClosedStandardError(t *testing.T) {
	path := manyCameras(t, 1)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Args = []string{"edged", "run", "-c", path}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.Contains(lines.Text(), "page and metrics"); {
	}
	stderr.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, append(data, "nonsense = 1\n"...)) // several lines of log
	for range 3 {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}
