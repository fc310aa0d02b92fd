package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"edged/capture"
)

// A name that is there is a path, whatever it holds.
func TestOddNamesArePaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a ! b.avi", "12:30.avi", "-v.avi", "50%d.avi", "what?.avi", "x=1&y.avi"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, option := range []string{"", "?loop"} {
			text := fmt.Appendf(nil, "[[camera]]\nname = \"c\"\nmodel = \"m\"\nsource = %q\n", name+option)
			c := Parse(filepath.Join(dir, "edged.toml"), text, Engines{Names: []string{Auto}, MaxThreads: 1})
			source := c.Cameras[0].Source
			if err := c.Err(); err != nil || source != filepath.Join(dir, name)+option {
				t.Errorf("%s: %v, source %q", name, err, source)
			}
			if kind, err := capture.Parse(source); kind != capture.File || err != nil {
				t.Errorf("%s: %v, %v", source, kind, err)
			}
		}
	}
	if _, err := capture.Parse(filepath.Join(dir, "-v.avi?lop")); err == nil {
		t.Error("an unknown option of a clip is taken")
	}
}
