package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/capture/belt"
	"edged/internal/daemontest"
	"edged/mqtt"
	"edged/train/nets"
)

// recorded is a folder of n pictures of the belt.
func recorded(t *testing.T, n int) string {
	t.Helper()
	c, err := belt.Parse("test:belt?size=96x80&seed=3")
	if err != nil {
		t.Fatal(err)
	}
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "pictures")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	for i := range n {
		scene.Render(uint64(3*i), &f, nil)
		file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%06d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := encoder.Encode(file, pictureOf(&f)); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	return dir
}

// replayConfig is a camera on source with rules of every kind.
func replayConfig(t *testing.T, source, broker string) string {
	t.Helper()
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.ValidInt8, 48, 56)
	path := filepath.Join(dir, "edged.toml")
	writeFile(t, path, fmt.Appendf(nil, `
[node]
name = "n"
http = ""
[mqtt]
%s
[[camera]]
name = "c"
source = %q
model = "dense.tflite"
engine = "go"
threads = 1
[[camera.zone]]
name = "top"
polygon = [[0, 0], [96, 0], [96, 40], [0, 40]]
[[camera.rule]]
class = "scratch"
min_area_px = 4
min_score = 0.4
hold = 3
[[camera.rule]]
class = "metal"
max_total_ratio = 0.6
zones = ["top"]
verdict = "full"
[[camera.rule]]
class = "pit"
max_count = 1
hold = 2
`, broker, source))
	return path
}

// What replay says of 2,000 recorded pictures is what the daemon said of them,
// result by result.
func TestReplayIsTheLiveVerdict(t *testing.T) {
	const n = 2000
	pictures := recorded(t, n)
	b := daemontest.Broker(t)
	sub := daemontest.Subscribe(t, b.Address)
	defer sub.Close()
	config := replayConfig(t, pictures, fmt.Sprintf("broker = \"tcp://%s\"\nqueue_bytes = \"64MiB\"", b.Address))
	if code, out, errs := runEdged("run", "-c", config, "--once"); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	live := sub.First("edged/n/c/result", n)
	code, out, errs := runEdged("replay", pictures, "-c", config, "--json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r replayReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Frames != n || len(r.Results) != n || len(r.Verdicts) < 3 || r.Changes < 10 {
		t.Fatalf("%d frames, verdicts %v, %d changes: this compares nothing", r.Frames, r.Verdicts, r.Changes)
	}
	for i, body := range live[:n] {
		var l mqtt.Result
		if err := json.Unmarshal(body, &l); err != nil {
			t.Fatal(err)
		}
		if got := r.Results[i]; got.Seq != l.Seq || got.Verdict != l.Verdict || !slices.Equal(mqtt.Whys(nil, got.Reasons), l.Reasons) {
			t.Fatalf("picture %d: replay says %+v, live was %s", i, got, body)
		}
	}
}

// A sweep's row is what --set of its value gives, and rules less strict break less.
func TestReplaySweepsAreSettings(t *testing.T) {
	pictures := recorded(t, 60)
	config := replayConfig(t, "test:belt", "")
	run := func(args ...string) (r replayReport) {
		t.Helper()
		code, out, errs := runEdged(append([]string{"replay", pictures, "-c", config, "--json"}, args...)...)
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run("--sweep", "rule[2].min_area_px=1..91:30")
	if len(r.Sweep) != 4 || r.Sweep[3].Value != "91" || r.Sweep[0].Rules[1].Broken <= r.Sweep[3].Rules[1].Broken {
		t.Fatalf("%+v", r.Sweep)
	}
	for _, s := range r.Sweep {
		set := run("--set", "rule[2].min_area_px="+s.Value)
		if !reflect.DeepEqual(set.Verdicts, s.Verdicts) || !slices.Equal(set.Rules, s.Rules) || set.Changes != s.Changes {
			t.Errorf("%s: %+v, --set gives %v %+v", s.Value, s, set.Verdicts, set.Rules)
		}
	}
	code, out, _ := runEdged("replay", pictures, "-c", config, "--sweep", "rule.hold=1..3")
	if code != exitOK || !strings.Contains(out, "60 results, 0 refused") || strings.Count(out, "1 scratch: ") != 3 {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestReplayNamesFaults(t *testing.T) {
	pictures := recorded(t, 1)
	config := replayConfig(t, "test:belt", "")
	for want, args := range map[string][]string{
		"write KEY=VALUE":                 {"--set", "x"},
		"no such key to set; there are":   {"--set", "rule.colour=1"},
		"camera c has the rules 1 to 3":   {"--set", "rule[4].hold=1"},
		"write a whole number":            {"--set", "rule.hold=much"},
		"write rule.KEY for each rule":    {"--set", "rules.hold=1"},
		"write KEY=A..B":                  {"--sweep", "rule.hold=3"},
		"at most 1000 are tried":          {"--sweep", "rule.min_area_px=1..5000"},
		`--camera "x": name one of ["c"]`: {"--camera", "x"},
	} {
		if code, _, errs := runEdged(append([]string{"replay", pictures, "-c", config}, args...)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%q: exit %d: %s", args, code, errs)
		}
	}
	if code, _, errs := runEdged("replay", pictures, "-c", config, "--set", "rule.hold=-1"); code != exitUsage || !strings.Contains(errs, "must not be negative") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := runEdged("replay", t.TempDir(), "-c", config); code != exitFailed || !strings.Contains(errs, "holds no") {
		t.Errorf("an empty folder: exit %d: %s", code, errs)
	}
}
