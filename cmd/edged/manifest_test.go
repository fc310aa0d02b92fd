package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const document = `{"schema": 1, "labels": ["ground", "part"],
  "input": {"channel_order": "RGB", "mean": [127.5], "scale": [0.0078125]},
  "output": {"tensor": "map", "meaning": "logits"}, "grid": {"stride": [4, 4], "origin": [2, 2]}}`

func TestManifestIsSetAndShown(t *testing.T) {
	path := save(t, twoStrides())
	code, _, errs := runEdged("manifest", path)
	if code != exitFailed || !strings.Contains(errs, "--set FILE -o OUT") {
		t.Errorf("without a manifest: exit %d, %q", code, errs)
	}
	doc := filepath.Join(t.TempDir(), "facts.json")
	if err := os.WriteFile(doc, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := runEdged("manifest", path, "--set", doc, "-o", path); code != exitOK || out+errs != "" {
		t.Fatalf("exit %d, %q, %q", code, out, errs)
	}
	code, shown, _ := runEdged("manifest", path)
	if code != exitOK || !strings.Contains(shown, `"part"`) {
		t.Fatalf("exit %d, %s", code, shown)
	}
	// What is shown can be set again, and changes nothing.
	if err := os.WriteFile(doc, []byte(shown), 0o644); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	runEdged("manifest", path, "--set", doc, "-o", path)
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("setting what was shown changed the file")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, out, _ := runEdged("inspect", path); !strings.Contains(out, `classes ["ground" "part"]`) {
		t.Errorf("inspect does not show the manifest:\n%s", out)
	}
}

func TestManifestRefusesAndKeepsTheFile(t *testing.T) {
	path := save(t, twoStrides())
	before, _ := os.ReadFile(path)
	for _, c := range []struct{ doc, want string }{
		{`{"schema": 1, "lables": []}`, "lables"},
		{`{"schema": 1, "output": {"tensor": "nowhere"}}`, "its outputs are map"},
		{`{"schema": 2}`, "schema 2"},
	} {
		doc := filepath.Join(t.TempDir(), "facts.json")
		if err := os.WriteFile(doc, []byte(c.doc), 0o644); err != nil {
			t.Fatal(err)
		}
		code, _, errs := runEdged("manifest", path, "--set", doc, "-o", path)
		if code != exitFailed || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %q", c.doc, code, errs)
		}
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a refused manifest changed the file")
	}
	if code, _, errs := runEdged("manifest", path, "--set", "x"); code != exitUsage || !strings.Contains(errs, "go together") {
		t.Errorf("--set alone: exit %d, %q", code, errs)
	}
	dir := filepath.Join(t.TempDir(), "absent", "net.tflite")
	doc := filepath.Join(t.TempDir(), "facts.json")
	os.WriteFile(doc, []byte(document), 0o644)
	if code, _, errs := runEdged("manifest", path, "--set", doc, "-o", dir); code != exitFailed || !strings.Contains(errs, "write") {
		t.Errorf("into no directory: exit %d, %q", code, errs)
	}
}
