package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"edged/internal/stage"
)

func open(t *testing.T, dir string) *memory {
	t.Helper()
	m, err := openMemory(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// start is what a start of the daemon with a model notes, before a crash may
// come.
func start(t *testing.T, dir, sha string) (m *memory, back bool) {
	t.Helper()
	m = open(t, dir)
	back, err := m.attempt("cam", sha)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.started(time.Now()); err != nil {
		t.Fatal(err)
	}
	return m, back
}

// crashes is the end of a run in whose inference its library crashes.
func crashes(t *testing.T, m *memory, sha string) {
	t.Helper()
	s := m.marks.of("cam")
	s.set(inferring, sha)
	text := fmt.Sprintf("SIGSEGV: segmentation violation\nPC=0x7f m=0 sigcode=1 addr=0x0\nsignal arrived during cgo execution\n\ngoroutine %d gp=0xc0 m=0 mp=0x1 [syscall]:\nruntime.cgocall(0x1)\n", s.goroutine())
	if err := os.WriteFile(m.path("crash.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// killed is the end of a run that somebody kills, or that loses its power, while
// its model is at work.
func killed(m *memory, sha string) { m.marks.of("cam").set(inferring, sha) }

func TestLastGoodComesBackAfterRepeatedCrashes(t *testing.T) {
	dir := t.TempDir()
	m, _ := start(t, dir, "good")
	if err := m.proven("cam", &stage.File{SHA256: "good", Data: []byte("the model")}); err != nil {
		t.Fatal(err)
	}
	for n := range maxAttempts {
		m, back := start(t, dir, "new")
		if back {
			t.Fatalf("start %d with the new model already goes back", n+1)
		}
		crashes(t, m, "new")
	}
	m, back := start(t, dir, "new")
	if s := m.lastStop(); s == nil || s.Clean || !strings.Contains(s.Reason, "the model of cam: while it was run: SIGSEGV") {
		t.Errorf("last stop %+v", s)
	}
	if !back {
		t.Fatal("the new model is tried for ever")
	}
	if data, err := os.ReadFile(m.goodPath("cam")); err != nil || string(data) != "the model" {
		t.Errorf("the last good model: %q, %v", data, err)
	}
	if _, back := start(t, dir, "newer"); back {
		t.Error("another model is not given its chance")
	}
	if _, back := start(t, dir, "good"); back {
		t.Error("the good model is not trusted")
	}
}

// What the model did not cause does not count against it.
func TestOnlyCrashesByTheModelCount(t *testing.T) {
	dir := t.TempDir()
	m, _ := start(t, dir, "good")
	if err := m.proven("cam", &stage.File{SHA256: "good"}); err != nil {
		t.Fatal(err)
	}
	for range 2 * maxAttempts {
		m, back := start(t, dir, "new")
		if back {
			t.Fatal("went back without a crash by the model")
		}
		killed(m, "new")
	}
	for range maxAttempts {
		m, _ := start(t, dir, "new")
		crashes(t, m, "old") // another model was at work
	}
	if m, back := start(t, dir, "new"); back || m.of("cam").Attempts != 0 {
		t.Errorf("%+v", m.of("cam"))
	}
}

func TestACleanStopIsNoCrash(t *testing.T) {
	dir := t.TempDir()
	m, _ := start(t, dir, "good")
	if err := m.proven("cam", &stage.File{SHA256: "good"}); err != nil {
		t.Fatal(err)
	}
	for range 2 * maxAttempts {
		m, back := start(t, dir, "new")
		if back {
			t.Fatal("went back without a crash")
		}
		if err := m.stopped("told to"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLastStop(t *testing.T) {
	dir := t.TempDir()
	if s := open(t, dir).lastStop(); s != nil {
		t.Errorf("on the first start: %+v", s)
	}
	m, _ := start(t, dir, "x")
	if s := open(t, dir).lastStop(); s == nil || s.Clean || s.Reason == "" || s.At.IsZero() {
		t.Errorf("after a crash: %+v", s)
	}
	// The time of a crash is that of the last sign of life, not of the next start.
	sign := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	if err := os.Chtimes(m.path("state.json"), sign, sign); err != nil {
		t.Fatal(err)
	}
	if next, _ := start(t, dir, "y"); !next.lastStop().At.Equal(sign) {
		t.Errorf("a crash after %v is told as of %v", sign, next.lastStop().At)
	}
	if err := m.stopped("told to"); err != nil {
		t.Fatal(err)
	}
	if s := open(t, dir).lastStop(); s == nil || !s.Clean || s.Reason != "told to" || time.Since(s.At.Time) > time.Minute {
		t.Errorf("after a stop: %+v", s)
	}
}

func TestGarbageStateIsToldAndReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/state.json", []byte("{\"models\": 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := openMemory(dir)
	if err == nil {
		t.Error("garbage was not told")
	}
	if _, err := m.attempt("cam", "x"); err != nil {
		t.Error(err)
	}
	open(t, dir) // it reads again
}

// FuzzState: whatever state.json holds, a run goes by it to its end, and what
// that writes is read again.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"running":true,"started_at":"2026-01-02T15:04:05.000Z","models":{"cam":{"good":"a","candidate":"b","attempts":2}}}`))
	f.Add([]byte(`{"models":{"cam":null,"other":null}}`))
	f.Add([]byte(`{"models":{"cam":{"attempts":-9223372036854775808}},"stopped_at":"0000-01-01T00:00:00+23:59"}`))
	f.Add([]byte("7"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := open(t, "") // nothing is written: a disk would take all the time
		if m.read(data) != nil && len(m.file.Models) > 0 {
			t.Error("garbage was taken over")
		}
		m.lastStop()
		m.of("cam").Attempts++
		if err := errors.Join(m.started(time.Now()), m.stopped("told to")); err != nil {
			t.Error(err)
		}
		written, err := json.Marshal(&m.file)
		next := open(t, "")
		if err == nil {
			err = next.read(written)
		}
		if err != nil || next.file.Running || next.of("cam").Good != m.of("cam").Good || next.of("cam").Attempts != 0 {
			t.Errorf("%s is read as %+v, %v", written, next.file, err)
		}
	})
}

func TestWithoutAStateFolderNothingIsWritten(t *testing.T) {
	m := open(t, "")
	if back, err := m.attempt("cam", "x"); back || err != nil {
		t.Error(back, err)
	}
	if err := m.proven("cam", &stage.File{SHA256: "x"}); err != nil {
		t.Error(err)
	}
	if err := m.stopped("x"); err != nil || m.lastStop() != nil {
		t.Error(err, m.lastStop())
	}
}

func TestFileMarksWaitUntilAFileStaysTheSame(t *testing.T) {
	a, b, c := mark{size: 1}, mark{size: 2}, mark{size: 3}
	f := fileMarks{used: a, seen: a}
	for i, step := range []struct {
		now  mark
		want bool
	}{{a, false}, {b, false}, {c, false}, {c, true}, {c, false}, {mark{}, false}, {c, false}, {c, false}, {a, false}, {a, true}} {
		if got := f.changed(step.now); got != step.want {
			t.Errorf("look %d: %v, want %v", i, got, step.want)
		}
	}
}
