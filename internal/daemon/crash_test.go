package daemon

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/internal/stage"
	"edged/train/nets"
)

// killer is the engine in Go, which takes its process along on a model that
// holds the mark of one that does; a trial survives it.
type killer struct {
	edged.Engine
	runs int
}

// deadly is in the name of the models that do.
const deadly = "this model kills"

func openDeadly(name string, m []byte, o edged.Options) (edged.Engine, error) {
	e, err := openEngine(name, m, o)
	if err != nil || !bytes.Contains(m, []byte(deadly)) {
		return e, err
	}
	return &killer{Engine: e}, nil
}

func (k *killer) Run() error {
	if k.runs++; k.runs > 3 { // after its trial
		var nowhere *int
		*nowhere = 1
	}
	return k.Engine.Run()
}

// runForCrash is the child: a daemon with such an engine.
func runForCrash(path string) int {
	c, err := config.Load(path, config.Engines{Names: []string{"go"}, MaxThreads: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, "edged:", err)
		return 78
	}
	on := engines
	on.Open = openDeadly
	d, err := New(context.Background(), c, Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Engines: on, Version: version})
	if err == nil {
		err = d.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, "edged:", err)
	return 1
}

// plant is a folder with a config, whose broker is away, and a model that has
// proven itself.
func plant(t *testing.T) (dir string, good []byte) {
	t.Helper()
	dir = t.TempDir()
	good, err := os.ReadFile(daemontest.DenseFile(t, dir, nets.Valid, 48, 56))
	if err != nil {
		t.Fatal(err)
	}
	text := "[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nbroker = \"tcp://127.0.0.1:1\"\nspool_dir = \"state\"\n" +
		"[[camera]]\nname = \"cam\"\nsource = \"test:belt?size=96x80&fps=50\"\nmodel = \"dense.tflite\"\nengine = \"go\"\nthreads = 1\n"
	if err := os.WriteFile(filepath.Join(dir, "edged.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := stage.Read(filepath.Join(dir, "dense.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, filepath.Join(dir, "state"))
	if err := m.proven("cam", file); err != nil {
		t.Fatal(err)
	}
	return dir, good
}

// deploy puts a model there that differs from the good one, and does in what it
// is asked to.
func deploy(t *testing.T, dir string, good []byte, kills bool) {
	t.Helper()
	data := bytes.Clone(good)
	text := "another model........"
	if kills {
		text = deadly
	}
	data = append(data, text...) // bytes behind the graph are kept and ignored
	if err := os.WriteFile(filepath.Join(dir, "dense.tflite"), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// once starts the daemon, until it ends or its log says the word; then it is
// killed with -9. It returns the log.
func once(t *testing.T, dir, until string) (log string, signal syscall.Signal) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "crash", filepath.Join(dir, "edged.toml"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		fmt.Fprintln(&all, lines.Text())
		if strings.Contains(lines.Text(), until) {
			time.Sleep(150 * time.Millisecond) // into its inferences
			_ = cmd.Process.Kill()             // it may have ended by itself
		}
	}
	_ = cmd.Wait() // how it ended is looked at below
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		signal = s.Signal()
	}
	return all.String(), signal
}

const never = "a word that no log says"

func TestAModelThatCrashesGivesWayToTheLastGoodOne(t *testing.T) {
	dir, good := plant(t)
	deploy(t, dir, good, true)
	for n := range maxAttempts {
		if log, _ := once(t, dir, never); !strings.Contains(log, "SIGSEGV") {
			t.Fatalf("start %d does not crash:\n%s", n+1, log)
		}
	}
	log, signal := once(t, dir, "model in use")
	if signal != syscall.SIGKILL || !strings.Contains(log, "back to the last good model") || !strings.Contains(log, "has crashed 3 times with it") ||
		!strings.Contains(log, "the last run ended because of a model") {
		t.Errorf("%v:\n%s", signal, log)
	}
	// The good one is not what it was: it is not taken either.
	path := filepath.Join(dir, "state", "cam.good.tflite")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(data)
	flipped[bytes.LastIndexByte(flipped, 0x3e)] ^= 4 // of a weight, or of what stands about it
	if err := os.WriteFile(path, flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	if log, _ := once(t, dir, "model in use"); strings.Contains(log, "model in use") || !strings.Contains(log, "the last good model") {
		t.Errorf("a model whose bits have flipped is used:\n%s", log)
	}
	if err := os.WriteFile(path, append(data, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if log, _ := once(t, dir, "model in use"); strings.Contains(log, "model in use") || !strings.Contains(log, "is not what it was") {
		t.Errorf("a model of another hash is used:\n%s", log)
	}
}

func TestKillsAndABrokerThatIsAwayDoNotCount(t *testing.T) {
	dir, good := plant(t)
	deploy(t, dir, good, false)
	for n := range 2*maxAttempts - 1 {
		log, signal := once(t, dir, "model in use")
		if signal != syscall.SIGKILL || strings.Contains(log, "last good") {
			t.Fatalf("start %d, %v:\n%s", n+1, signal, log)
		}
	}
}
