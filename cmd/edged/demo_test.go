package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/capture/belt"
)

// A source that is not there ends the demo with a line that names it.
func TestDemoWithoutItsSource(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	for _, source := range []string{missing, missing + ".avi", "/dev/none", "test:belt?size=1x1", t.TempDir()} {
		code, out, errs := runEdged("demo", "--source", source, "--http", "127.0.0.1:0")
		if code != exitFailed || out != "" || !strings.Contains(errs, "--source "+source) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", source, code, out, errs)
		}
	}
	if err := demoProbe(context.Background(), "test:belt?size=96x80"); err != nil {
		t.Error(err)
	}
}

// The scene shows what the demo is to show: good for most of the time, and a
// defect that is large enough, for longer than the rules hold.
func TestDemoScene(t *testing.T) {
	c, err := belt.Parse(belt.Prefix + demoScene)
	if err != nil {
		t.Fatal(err)
	}
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	var m edged.Mask
	good, bad, changes, was := 0, 0, 0, false
	for k := 0; k < demoClipSeconds*demoClipFPS; k += 5 {
		scene.Truth(uint64(2*k), &m)
		n := 0
		for _, class := range m.Pix {
			if class >= belt.Scratch {
				n++
			}
		}
		is := n >= 2*demoBlob
		if is {
			bad++
		} else {
			good++
		}
		if k > 0 && is != was {
			changes++
		}
		was = is
	}
	if bad < 3 || good < 2*bad || changes != 1 {
		t.Errorf("%d good, %d bad, %d changes", good, bad, changes)
	}
}

func TestSSHLine(t *testing.T) {
	const shell = "10.0.0.5 50000 10.0.0.9 22"
	for _, c := range [][3]string{
		{"127.0.0.1:8080", shell, "ssh -L 8080:127.0.0.1:8080 10.0.0.9"},
		{"127.0.0.1:8080", "", ""},
		{"127.0.0.1:8080", "nonsense", ""},
		{"10.0.0.9:8080", shell, ""},
	} {
		if got := sshLine(c[0], c[1]); got != c[2] {
			t.Errorf("%q: %q", c, got)
		}
	}
}
