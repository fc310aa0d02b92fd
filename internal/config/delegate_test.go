package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestDelegateIsAnEngine: a camera's delegate, with what it is told, is the engine
// that the camera has; each way to misspell it is one fault.
func TestDelegateIsAnEngine(t *testing.T) {
	dir := t.TempDir()
	e := Engines{Names: []string{Auto, "go"}, MaxThreads: 1, Delegate: func(library string, options map[string]string) string {
		return fmt.Sprint("delegate:", filepath.Base(library), options)
	}}
	for text, want := range map[string]string{
		`delegate = "npu.so"` + "\n" + `delegate_options = ["core=1", "cache=/tmp/a=b"]`: "",
		`delegate = "npu.so"` + "\n" + `engine = "go"`:                                   "an engine of its own",
		`delegate = "npu.so"` + "\n" + `delegate_options = ["core"]`:                     "write KEY=VALUE",
		`delegate_options = ["core=1"]`:                                                  "without delegate",
	} {
		file := []byte("[[camera]]\nname = \"c\"\nmodel = \"m\"\nsource = \"test:belt\"\n" + text + "\n")
		c := Parse(filepath.Join(dir, "edged.toml"), file, e)
		err := c.Err()
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", text, err, want)
		case want == "" && (err != nil || c.Cameras[0].Engine != "delegate:npu.somap[cache:/tmp/a=b core:1]"):
			t.Errorf("%s: %v, engine %q", text, err, c.Cameras[0].Engine)
		}
	}
}
