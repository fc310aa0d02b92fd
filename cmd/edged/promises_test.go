package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

// workbench holds the files that command lines of the tests name.
type workbench struct {
	dir                     string
	base, same, dense       string
	loop, cut, empty, facts string
	bareDense               string
}

func newWorkbench(t *testing.T) *workbench {
	t.Helper()
	w := &workbench{dir: t.TempDir(), base: bundledNet(t, nets.ValidInt8), same: bundledNet(t, nets.SameInt8), loop: save(t, loop())}
	w.dense = daemontest.DenseFile(t, t.TempDir(), nets.ValidInt8, 48, 56)
	data, err := os.ReadFile(w.dense)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		writeFile(t, path, data)
		return path
	}
	w.cut = put("cut.tflite", data[:len(data)/2])
	w.empty = put("empty.tflite", nil)
	w.facts = put("facts.json", []byte(`{"schema": 1, "lables": []}`))
	w.bareDense = put("bare.tflite", bareNet(t, 48, 56))
	return w
}

// out is a path in the folder that nothing may be left in.
func (w *workbench) out(name string) string { return filepath.Join(w.dir, name) }

// left is what the folder of outputs holds.
func (w *workbench) left(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

type refusalCase struct {
	code int
	says string // on stderr
	args []string
}

// check runs each command line: the exit code, nothing on stdout, an error that
// says what it should on stderr, and no file.
func (w *workbench) check(t *testing.T, cases []refusalCase) {
	t.Helper()
	for _, c := range cases {
		code, out, errs := runEdged(c.args...)
		if code != c.code || out != "" || !strings.HasPrefix(errs, "edged: ") || !strings.Contains(errs, c.says) {
			t.Errorf("%q: exit %d, want %d; stdout %q; stderr %q, want %q in it", c.args, code, c.code, out, errs, c.says)
		}
		if names := w.left(t); len(names) > 0 {
			t.Fatalf("%q left %q", c.args, names)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	w := newWorkbench(t)
	x, y := w.out("x.npy"), w.out("y.npy")
	engines := "choose one of auto, tflite, tflite-builtin, go"
	w.check(t, []refusalCase{
		{exitUsage, engines, []string{"infer", w.dense, "--in", x, "--out", y, "--engine", "warp"}},
		{exitUsage, engines, []string{"bench", w.dense, "--engine", "warp"}},
		{exitUsage, engines, []string{"bench", w.dense, "--compare", "go,warp"}},
		{exitUsage, engines, []string{"demo", "--engine", "warp"}},
		{exitUsage, engines, []string{"verify", w.base, w.dense, "--engine", "warp"}},
		{exitUsage, engines, []string{"rewrite", w.base, "--plan", "--engine", "warp"}},
		{exitUsage, engines, []string{"rewrite", w.same, "-o", w.out("d"), "--contract", "frame", "--engine", "warp"}},
		{exitUsage, "use 0 (the engine's choice) to 256", []string{"infer", w.dense, "--in", x, "--out", y, "--threads", "-1"}},
		{exitUsage, "use 0 (the engine's choice) to 256", []string{"bench", w.dense, "--threads", "257"}},
		{exitUsage, "use 0 (the engine's choice) to 256", []string{"eval", w.base, "--source", "test:belt", "--threads", "two"}},
		{exitUsage, "tolerance -1: must be 0..64", []string{"eval", w.base, "--source", "test:belt", "--tolerance", "-1"}},
		{exitUsage, "patches -1: must be 0", []string{"eval", w.base, "--source", "test:belt", "--patches", "-1"}},
		{exitUsage, "use crop or resize", []string{"infer", w.dense, "--in", x, "--out", y, "--fit", "squeeze"}},
		{exitUsage, "bench takes one; use --compare", []string{"bench", w.dense, w.dense}},
		{exitUsage, "name two engines", []string{"bench", w.dense, "--compare", "go"}},
		{exitUsage, "use 1 to 1000000", []string{"bench", w.dense, "--runs", "0"}},
		{exitUsage, "--input HxW is missing", []string{"rewrite", w.base, "-o", w.out("d")}},
		{exitUsage, "--input HxW is missing", []string{"rewrite", w.same, "-o", w.out("d"), "--contract", "frame"}},
		{exitUsage, "given twice", []string{"rewrite", w.base, "-o", w.out("d"), "--input", "64x64", "--input", "96x96"}},
		{exitUsage, "given twice", []string{"rewrite", w.base, "-o", w.out("d"), "-o", w.out("e"), "--input", "64x64"}},
		{exitUsage, "given twice", []string{"rewrite", w.base, "--plan", "--plan"}},
		{exitUsage, "leave one out", []string{"rewrite", "--inverse", "--plan", w.dense}},
		{exitUsage, "never overwritten", []string{"rewrite", "--inverse", w.dense, "-o", w.dense}},
		{exitUsage, `contract "odd": choose patch or frame`, []string{"rewrite", w.base, "-o", w.out("d"), "--contract", "odd"}},
		{exitUsage, `contract "odd": choose patch or frame`, []string{"verify", w.base, w.dense, "--contract", "odd", "--engine", "go"}},
		{exitUsage, "like 480x640", []string{"verify", w.base, w.dense, "--output-stride", "0"}},
		{exitUsage, "like 480x640", []string{"rewrite", w.base, "-o", w.out("d"), "--input", "64x"}},
		{exitUsage, "both from 1 to 32768", []string{"rewrite", w.base, "-o", w.out("d"), "--input", "64x99999"}},
		{exitUsage, "-5 is negative", []string{"verify", "absent", "absent", "--positions", "-5"}},
		{exitUsage, "give --output-stride", []string{"verify", w.base, w.bareDense, "--engine", "go"}},
		{exitUsage, `broker scheme "http"`, []string{"watch", "--broker", "http://127.0.0.1"}},
	})
}

func TestRefusedNets(t *testing.T) {
	w := newWorkbench(t)
	w.check(t, []refusalCase{
		{exitRefused, "operator 2 (WHILE)", []string{"rewrite", w.loop, "-o", w.out("d.tflite")}},
		{exitRefused, "operator 2 (WHILE)", []string{"rewrite", w.loop, "--plan"}},
		{exitRefused, "use a larger --input", []string{"rewrite", w.base, "-o", w.out("d.tflite"), "--input", "10x64"}},
		{exitRefused, "--contract frame", []string{"rewrite", w.same, "-o", w.out("d.tflite"), "--input", "96x96"}},
		{exitRefused, "no way back", []string{"rewrite", "--inverse", w.base, "-o", w.out("b.tflite")}},
		{exitRefused, "operators[2]: WHILE", []string{"infer", w.loop, "--in", "x.npy", "--out", w.out("y.npy"), "--engine", "go"}},
		{exitRefused, "operators[2]: WHILE", []string{"infer", w.loop, "--in", "x.npy", "--out", w.out("y.npy")}},
		{exitRefused, "operators[2]: WHILE", []string{"bench", w.loop, "--engine", "go"}},
		{exitRefused, "operators[2]: WHILE", []string{"bench", w.loop, "--compare", "go,go"}},
		{exitRefused, "operators[2]: WHILE", []string{"verify", w.loop, w.loop}},
		{exitRefused, "no plan", []string{"inspect", "--plan", w.loop}},
	})
}

// A damaged model, or none, is told with its name by every command, once.
func TestModelsThatCannotBeRead(t *testing.T) {
	w := newWorkbench(t)
	lines := [][]string{
		{"inspect", "--json"}, {"inspect", "--svg", w.out("net.svg")}, {"manifest"}, {"bench", "--json"}, {"bench", "--compare", "go,auto"},
		{"infer", "--in", "x.npy", "--out", w.out("y.npy")}, {"rewrite", "-o", w.out("d.tflite")}, {"rewrite", "--inverse", "-o", w.out("b.tflite")},
		{"rewrite", "--plan"}, {"verify", w.base}, {"eval", "--source", "test:belt", "--frames", "1"}, {"eval", "--images", w.dir},
	}
	for path, says := range map[string]string{w.cut: "malformed", w.empty: "", w.out("absent.tflite"): "no such file"} {
		for _, line := range lines {
			args := append(slices.Clone(line), path)
			w.check(t, []refusalCase{{exitFailed, says, args}, {exitFailed, path, args}})
			if _, _, errs := runEdged(args...); strings.Count(errs, "\n") != 1 {
				t.Errorf("%q: more than a line: %s", args, errs)
			}
		}
	}
	w.check(t, []refusalCase{{exitFailed, w.cut, []string{"verify", w.cut, w.dense}}})
}

func TestOtherFilesThatCannotBeRead(t *testing.T) {
	w := newWorkbench(t)
	absent := w.out("absent")
	infer := []string{"infer", w.dense, "--out", w.out("y.npy"), "--engine", "go", "--in"}
	w.check(t, []refusalCase{
		{exitFailed, absent, append(slices.Clone(infer), absent)},
		{exitFailed, absent + ".npy", append(slices.Clone(infer), absent+".npy")},
		{exitFailed, w.facts + ": neither a .npy tensor nor a PNG or JPEG picture", append(slices.Clone(infer), w.facts)},
		{exitFailed, absent, []string{"rewrite", w.base, "-o", w.out("d"), "--manifest", absent}},
		{exitFailed, w.facts, []string{"rewrite", w.base, "-o", w.out("d"), "--manifest", w.facts}},
		{exitFailed, "lables", []string{"manifest", w.dense, "--set", w.facts, "-o", w.out("d")}},
		{exitFailed, absent, []string{"manifest", w.dense, "--set", absent, "-o", w.out("d")}},
		{exitFailed, absent, []string{"eval", w.base, "--images", absent}},
		{exitFailed, absent, []string{"run", "-c", absent}},
		{exitFailed, absent, []string{"check", "-c", absent}},
		{exitBadConfig, w.facts + ":1:", []string{"check", "-c", w.facts}},
	})
}

// Where an output cannot be written the error names it as the user did, and
// neither a part of it nor a temporary file stays.
func TestOutputsThatCannotBeWritten(t *testing.T) {
	w := newWorkbench(t)
	x := filepath.Join(t.TempDir(), "x.npy")
	writeNoise(t, x, w.dense)
	for _, end := range []string{".tflite", ".npy", ".png"} {
		if err := os.Mkdir(filepath.Join(w.dir, "folder"+end), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := w.left(t)
	for _, dir := range []string{"folder", "absent/net"} {
		for _, c := range []struct {
			end  string
			args []string
		}{
			{".tflite", []string{"rewrite", w.base, "--input", "48x56", "-o"}},
			{".tflite", []string{"rewrite", "--inverse", w.dense, "-o"}},
			{".npy", []string{"infer", w.dense, "--in", x, "--engine", "go", "--out"}},
			{".png", []string{"infer", w.dense, "--in", x, "--engine", "go", "--out"}},
			{".tflite", []string{"inspect", w.dense, "--svg"}},
		} {
			path := w.out(dir + c.end)
			code, out, errs := runEdged(append(c.args, path)...)
			if code != exitFailed || out != "" || !strings.Contains(errs, "write "+path+": ") || strings.Contains(errs, "/.") {
				t.Errorf("%q to %s: exit %d, stdout %q, stderr %q", c.args, path, code, out, errs)
			}
		}
	}
	if after := w.left(t); !slices.Equal(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

// --json prints one document on stdout and nothing else there.
func TestJSONIsOneDocument(t *testing.T) {
	w := newWorkbench(t)
	x := filepath.Join(t.TempDir(), "x.npy")
	writeNoise(t, x, w.dense)
	for _, c := range []struct {
		code int
		key  string
		args []string
	}{
		{exitOK, "engines", []string{"version"}},
		{exitOK, "operators", []string{"inspect", w.dense}},
		{exitOK, "plan", []string{"inspect", "--plan", w.dense}},
		{exitOK, "dense", []string{"rewrite", w.base, "-o", w.out("d.tflite"), "--input", "48x56"}},
		{exitOK, "contract", []string{"rewrite", w.same, "-o", w.out("f.tflite"), "--contract", "frame", "--engine", "go", "--input", "48x48"}},
		{exitOK, "baseline", []string{"rewrite", "--inverse", w.dense, "-o", w.out("b.tflite")}},
		{exitOK, "equivalent", []string{"verify", w.base, w.dense, "--engine", "go", "--positions", "20"}},
		{exitRefused, "equivalent", []string{"verify", bundledNet(t, nets.Valid), w.dense, "--engine", "go", "--positions", "20"}},
		{exitOK, "outputs", []string{"infer", w.dense, "--in", x, "--out", w.out("y.npy"), "--engine", "go"}},
		{exitOK, "median_ms", []string{"bench", w.dense, "--runs", "1", "--engine", "go"}},
		{exitOK, "steps", []string{"bench", w.dense, "--runs", "1", "--engine", "go", "--steps"}},
	} {
		code, out, errs := runEdged(append(c.args, "--json")...)
		d := json.NewDecoder(strings.NewReader(out))
		var doc map[string]any
		if err := d.Decode(&doc); code != c.code || err != nil || doc[c.key] == nil {
			t.Errorf("%q: exit %d, %v, no %q in %s; stderr %s", c.args, code, err, c.key, out, errs)
		}
		if err := d.Decode(&doc); !errors.Is(err, io.EOF) {
			t.Errorf("%q: more than one document: %v", c.args, err)
		}
	}
}
