package config

import (
	"strings"
	"testing"
)

// TestLineTable: what a line camera cannot have is refused where it stands.
func TestLineTable(t *testing.T) {
	base := "[[camera]]\nname = \"a\"\nsource = \"test:belt?line=1\"\nmodel = \"m\"\nlabels = [\"x\", \"metal\"]\n"
	c := Parse("a.toml", []byte(base+"[camera.line]\n"), engines)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	if l := c.Cameras[0].Line; l.Strip != DefaultStrip || l.Rows() != -1 || l.How().MaxRows != 16384 {
		t.Errorf("defaults %+v", l)
	}
	for want, text := range map[string]string{
		"strip of -1":             "[camera.line]\nstrip = -1\n",
		"delay of -2":             "[camera.line]\ndelay = -2\n",
		`part "rows:0"`:           "[camera.line]\npart = \"rows:0\"\n",
		`class "wood" is none of`: "[camera.line]\npart = \"absent:wood\"\n",
		"max_part_rows of -5":     "[camera.line]\nmax_part_rows = -5\n",
		"rotate beside":           "rotate = 90\n[camera.line]\n",
		"roi beside":              "roi = [0, 0, 9, 9]\n[camera.line]\n",
		"fit beside":              "fit = \"tile\"\n[camera.line]\n",
		"trigger beside":          "trigger = \"mqtt\"\n[camera.line]\n",
		"shadow beside":           "shadow = \"s\"\n[camera.line]\n",
		"quality beside":          "[camera.line]\n[camera.quality]\ndark = 0.5\n",
	} {
		if err := Parse("a.toml", []byte(base+text), engines).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
