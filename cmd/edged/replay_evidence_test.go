package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Evidence of a run says again what it said, whatever was left out between; with
// other rules, and with zones set while it ran, it says what they would have.
func TestReplayOfEvidence(t *testing.T) {
	pictures := recorded(t, 120)
	path := replayConfig(t, pictures, "spool_dir = \"state\"")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, append(text, "[evidence]\ndir = \"evidence\"\n"...))
	if code, out, errs := runEdged("run", "-c", path, "--once"); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	replayed := func(args ...string) (r replayReport) {
		t.Helper()
		code, out, errs := runEdged(append([]string{"replay", filepath.Join(filepath.Dir(path), "evidence"), "-c", path, "--json"}, args...)...)
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	live := map[string]int{}
	for _, one := range replayOf(t, pictures, path).Results {
		if one.Verdict != "OK" {
			live[one.Verdict]++
		}
	}
	r := replayed()
	kept := map[string]int{}
	for _, one := range r.Results {
		kept[one.Recorded]++
	}
	if !r.Evidence || r.Frames < 20 || !maps.Equal(kept, live) {
		t.Fatalf("%d pieces %v, live were %v", r.Frames, kept, live)
	}
	// The rules hold with 3 and 2 pictures in a row; by itself each says its own.
	if r.Recorded["full -> full"] == 0 {
		t.Errorf("%v", r.Recorded)
	}
	lax := replayed("--set", "rule.min_area_px=100000")
	if lax.Verdicts["OK"] != r.Frames {
		t.Errorf("with rules that find nothing: %v", lax.Verdicts)
	}
	code, out, _ := runEdged("replay", filepath.Join(filepath.Dir(path), "evidence", "c"), "-c", path, "--sweep", "rule.min_area_px=5..50:15")
	if code != exitOK || !strings.Contains(out, "kept as -> judged now") || strings.Count(out, "1 scratch: ") != 4 {
		t.Errorf("exit %d: %s", code, out)
	}

	// A zone set over MQTT is in the state: the rule about it finds nothing any more.
	state := filepath.Join(filepath.Dir(path), "state", "state.json")
	standard := `[{"name": "top", "polygon": [[0, 0], [96, 0], [96, 40], [0, 40]]}]`
	writeFile(t, state, fmt.Appendf(nil, `{"models": {}, "zones": {"c": {"zones": [{"name": "top", "polygon": [[0, 0], [1, 0], [0, 1]]}], "default": %s}}}`, standard))
	_, _, says := runEdged("replay", pictures, "-c", path)
	if other := replayed(); !strings.Contains(says, "set while the daemon ran hold") || other.Rules[1].Broken != 0 || r.Rules[1].Broken == 0 {
		t.Errorf("rule 2: %+v, with the config's zone %+v: %s", other.Rules[1], r.Rules[1], says)
	}
	// The config has changed since: it is the later word.
	writeFile(t, state, fmt.Appendf(nil, `{"models": {}, "zones": {"c": {"zones": [], "default": []}}}`))
	if other := replayed(); other.Rules[1].Broken != r.Rules[1].Broken {
		t.Errorf("rule 2: %+v", other.Rules[1])
	}
}

func replayOf(t *testing.T, source, config string) (r replayReport) {
	t.Helper()
	code, out, errs := runEdged("replay", source, "-c", config, "--json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}
