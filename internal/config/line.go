package config

import (
	"strings"

	"edged/internal/parts"
)

// Line makes a camera a line camera: its frames are strips of one picture without
// end.
type Line struct {
	Strip       int    `toml:"strip"`         // rows of a result
	Delay       *int   `toml:"delay"`         // rows that the plan may hold back; -1: its choice
	Part        string `toml:"part"`          // trigger, rows:N or absent:CLASS
	MaxPartRows int    `toml:"max_part_rows"` // a longer part is cut
}

// DefaultStrip is how many rows a line camera's result has unless told otherwise.
const DefaultStrip = 64

// mostStrip and mostPartRows bound the memory of a strip, and of a part's mask.
const (
	mostStrip    = 4096
	mostPartRows = 1 << 20
)

// withDefaults fills in what the table leaves open.
func (l *Line) withDefaults() {
	if l.Strip == 0 {
		l.Strip = DefaultStrip
	}
	if l.MaxPartRows == 0 {
		l.MaxPartRows = parts.DefaultMaxRows
	}
}

// Rows is how many rows may wait for others; -1: as many as a strip wants.
func (l *Line) Rows() int {
	if l.Delay == nil {
		return -1
	}
	return *l.Delay
}

// How says what cuts parts off; check has looked at it.
func (l *Line) How() parts.How {
	h, _ := parts.Parse(l.Part)
	h.MaxRows = l.MaxPartRows
	return h
}

// checkLine looks at a line camera's table, and at what does not go with it.
func (c *Config) checkLine(i int) {
	cam := &c.Cameras[i]
	l := cam.Line
	if l == nil {
		return
	}
	wrong := func(key, format string, args ...any) { c.file.Addf(at(i, key), format, args...) }
	if l.Strip < 1 || l.Strip > mostStrip {
		wrong("line.strip", "strip of %d rows: use 1 to %d", l.Strip, mostStrip)
	}
	if d := l.Rows(); d < -1 || d > mostStrip {
		wrong("line.delay", "delay of %d rows: use 0 (none is held back) to %d, or -1 (the plan's choice)", d, mostStrip)
	}
	if _, err := parts.Parse(l.Part); err != nil {
		wrong("line.part", "%v", err)
	}
	if class, ok := strings.CutPrefix(l.Part, "absent:"); ok && len(cam.Labels) > 0 && !contains(cam.Labels, class) {
		wrong("line.part", "part %q: class %q is none of the labels %q", l.Part, class, cam.Labels)
	}
	if n := l.MaxPartRows; n < 1 || n > mostPartRows {
		wrong("line.max_part_rows", "max_part_rows of %d: use 1 to %d", n, mostPartRows)
	}
	c.checkBesideLine(cam, wrong)
}

// checkBesideLine refuses keys that mean nothing, or not yet, for a line camera.
func (c *Config) checkBesideLine(cam *Camera, wrong func(key, format string, args ...any)) {
	for _, k := range []struct {
		key, why string
		set      bool
	}{
		{"roi", "the middle of the strips is looked at, as wide as the model", len(cam.ROI) > 0},
		{"rotate", "rows come one behind the other", cam.Rotate != 0},
		{"fit", "strips are looked at at the camera's own pixels", cam.Fit != "crop"},
		{"trigger", "all rows are taken; [camera.line] part says what a part is", cam.Trigger != "continuous" && !cam.Triggered()},
		{"shadow", "a second model on strips is not run", cam.Shadow != ""},
		{"quality", "limits of a picture are not measured on strips", cam.Quality != nil},
		{"zone", "zones lie on frames", len(cam.Zones) > 0},
	} {
		if k.set {
			wrong(k.key, "%s beside camera.line: %s; leave it out", k.key, k.why)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
