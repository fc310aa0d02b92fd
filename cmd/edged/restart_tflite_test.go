//go:build tflite && cgo

package main

import (
	"path/filepath"
	"regexp"
	"testing"

	"edged/internal/daemontest"
	"edged/train/nets"
)

var chosen = regexp.MustCompile(`"engine chosen".* engine=(\S+) why="(go [^"]*)"`)

// TestARestartTakesTheSameEngine: the built program times the engines on a real model,
// and takes the same one when it starts again: the demo, which remembers nothing, for
// the distance between them, and the daemon for its memory too.
func TestARestartTakesTheSameEngine(t *testing.T) {
	dir := t.TempDir()
	dense := daemontest.DenseFile(t, dir, nets.Valid, 240, 320)
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, []byte("[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nbroker = \"tcp://127.0.0.1:1\"\nspool_dir = \"state\"\n"+
		"[[camera]]\nname = \"a\"\nsource = \"test:belt?size=320x240&frames=2\"\nmodel = \"dense.tflite\"\n"))
	for name, args := range map[string][]string{
		"demo": {"demo", "--source", "test:belt?size=320x240", "--model", dense, "--frames", "2", "--http", "127.0.0.1:0", "-v"},
		"run":  {"run", "--once", "-c", config},
	} {
		var engines [2]string
		for i := range engines {
			out, code := edgedCommand(t, args...)
			m := chosen.FindStringSubmatch(out)
			if code != exitOK || m == nil {
				t.Fatalf("%s, start %d: exit %d\n%s", name, i+1, code, out)
			}
			t.Logf("%s, start %d: %s (%s)", name, i+1, m[1], m[2])
			engines[i] = m[1]
		}
		if engines[0] != engines[1] {
			t.Errorf("%s: %s, then %s", name, engines[0], engines[1])
		}
	}
}
