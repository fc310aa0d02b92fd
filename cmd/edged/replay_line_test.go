package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

// TestReplayOfALine: recorded rows are cut into parts as the daemon cuts them, each
// with its verdict, the last, which the end has cut, among them; evidence is refused.
func TestReplayOfALine(t *testing.T) {
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.ValidInt8, 48, 56)
	const source = "test:belt?line=1&size=96x40&fps=0&frames=30"
	path := filepath.Join(dir, "edged.toml")
	writeFile(t, path, fmt.Appendf(nil, "[node]\nname = \"n\"\nhttp = \"\"\n[evidence]\ndir = \"evidence\"\n[[camera]]\nname = \"c\"\nsource = %q\nmodel = \"dense.tflite\"\nengine = \"go\"\nthreads = 1\n[camera.line]\nstrip = 24\npart = \"rows:300\"\n[[camera.rule]]\nclass = \"metal\"\nmin_area_px = 60\n", source))
	if code, out, errs := runEdged("run", "-c", path, "--once"); code != exitOK || !strings.Contains(out, "rows: read 1200 = published 1162 + border 38") {
		t.Fatalf("run: exit %d: %s%s", code, out, errs)
	}
	code, out, errs := runEdged("replay", source, "-c", path, "--json", "--sweep", "rule.min_area_px=60..100000:99940")
	var r replayReport
	if err := json.Unmarshal([]byte(out), &r); code != exitOK || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	var said []string
	for _, one := range r.Results {
		said = append(said, one.PartID+" "+one.Verdict)
	}
	if got := strings.Join(said, ", "); got != "1 NG, 2 NG, 3 NG, 4 unsure" {
		t.Errorf("the parts: %s", got)
	}
	if last := r.Sweep[len(r.Sweep)-1]; last.Verdicts["OK"] != 3 || last.Verdicts["unsure"] != 1 {
		t.Errorf("with a limit that nothing reaches: %+v", last)
	}
	kept, err := os.ReadDir(filepath.Join(dir, "evidence", "c"))
	if err != nil || len(kept) != 3 {
		t.Fatalf("evidence: %v, %d pieces", err, len(kept))
	}
	if code, _, errs := runEdged("replay", filepath.Join(dir, "evidence"), "-c", path); code != exitUsage || !strings.Contains(errs, "replay a folder of its strips") {
		t.Errorf("evidence: exit %d: %s", code, errs)
	}
}
