package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/internal/stage"
	"edged/mqtt"
	"edged/train/nets"
)

// A state's folder that cannot be used is told once, and what an earlier run
// knew is not lost by what is saved when it is well again.
func TestStateHeals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	m := open(t, dir)
	if err := m.proven("cam", &stage.File{SHA256: "good", Data: []byte("the model")}); err != nil {
		t.Fatal(err)
	}
	if err := m.chose("cam", "good", "v1", "go"); err != nil {
		t.Fatal(err)
	}
	aside := dir + ".aside"
	if err := os.Rename(dir, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the folder was
		t.Fatal(err)
	}
	m, err := openMemory(dir)
	if err == nil {
		t.Fatal("nothing was in the way")
	}
	if back, err := m.attempt("cam", "new"); back || err != nil {
		t.Errorf("attempt: %v, %v: the trouble was told by the start", back, err)
	}
	if err := m.save(); err != nil || m.disk.errors.Load() < 2 {
		t.Errorf("save: %v, %d failures counted", err, m.disk.errors.Load())
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, dir); err != nil {
		t.Fatal(err)
	}
	if err := m.save(); err != nil || m.disk.fault != nil {
		t.Errorf("save: %v, %v", err, m.disk.fault)
	}
	m = open(t, dir)
	if mm := m.of("cam"); mm.Good != "good" || mm.Candidate != "new" || mm.Chosen.Engine != "go" {
		t.Errorf("the state is %+v", mm)
	}
}

// A start with a folder that cannot be had, for the state and the spool at once,
// is one.
func TestStartsWithoutItsFolder(t *testing.T) {
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	if err := os.WriteFile(filepath.Join(dir, "state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text := "[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nbroker = \"tcp://127.0.0.1:1\"\nspool_dir = \"state\"\n" +
		"[[camera]]\nname = \"c0\"\nsource = \"test:belt\"\nmodel = \"dense.tflite\"\nengine = \"go\"\n"
	c := config.Parse(filepath.Join(dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"go"}, MaxThreads: 1})
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	d, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler), Engines: engines, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	if d.memory.disk.fault == nil || d.client.SpoolFault() == nil {
		t.Errorf("state: %v, spool: %v: nothing was in the way", d.memory.disk.fault, d.client.SpoolFault())
	}
	d.abandon()
}

// The daemon goes on with a folder that has gone, tells the subscribers, counts
// it in stats, and heals.
func TestTellsOfItsFolderAndHeals(t *testing.T) {
	r := startRig(t, "")
	path := filepath.Join(r.dir, "state")
	aside := path + ".aside"
	if err := os.WriteFile(aside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	changePlaces(t, path, aside)
	r.d.stateMu.Lock()
	_ = r.d.memory.save()
	r.d.stateMu.Unlock()
	told := func(text string) {
		t.Helper()
		daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool {
			return e.Kind == mqtt.EventFault && strings.Contains(e.Message, text)
		})
	}
	told("the state of the node is kept in memory alone")
	if n := r.d.stats().Process["state_errors"]; n < 1 {
		t.Errorf("%v state errors in stats", n)
	}
	changePlaces(t, path, aside)
	told("the state of the node is kept again")
}

// changePlaces exchanges two names at once: in a moment without either, the
// daemon would make its folder anew.
func changePlaces(t *testing.T, a, b string) {
	t.Helper()
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		t.Fatal(err)
	}
}

// Nothing is mapped that a full disk could not hold: writing to it would be the
// end of the process.
func TestMarksHaveTheirRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks")
	if _, err := openMarks(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Blocks*512 < info.Size() {
		t.Errorf("%d bytes are mapped, %d are on the disk", info.Size(), s.Blocks*512)
	}
}
