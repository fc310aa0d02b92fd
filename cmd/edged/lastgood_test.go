package main

import (
	"os"
	"testing"
	"time"
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

func TestLastGoodComesBackAfterRepeatedCrashes(t *testing.T) {
	dir := t.TempDir()
	m, _ := start(t, dir, "good")
	if err := m.proven("cam", &modelFile{sha256: "good", data: []byte("the model")}); err != nil {
		t.Fatal(err)
	}
	for n := range maxAttempts {
		if _, back := start(t, dir, "new"); back {
			t.Fatalf("start %d with the new model already goes back", n+1)
		}
	}
	m, back := start(t, dir, "new")
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

func TestACleanStopIsNoCrash(t *testing.T) {
	dir := t.TempDir()
	m, _ := start(t, dir, "good")
	if err := m.proven("cam", &modelFile{sha256: "good"}); err != nil {
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

func TestWithoutAStateFolderNothingIsWritten(t *testing.T) {
	m := open(t, "")
	if back, err := m.attempt("cam", "x"); back || err != nil {
		t.Error(back, err)
	}
	if err := m.proven("cam", &modelFile{sha256: "x"}); err != nil {
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
