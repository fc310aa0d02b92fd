package config

import (
	"path/filepath"
	"slices"

	"edged/capture"
	"edged/capture/belt"
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

// checkZeros refuses a zero that somebody wrote: it is none of the default's.
func (c *Config) checkZeros(i int) {
	if l := c.Cameras[i].Line; l != nil && len(c.file.Faults()) == 0 { // else it may stand for what is no number
		if l.Strip == 0 && c.file.Has(at(i, "line.strip")) {
			c.file.Addf(at(i, "line.strip"), "strip of 0 rows: use 1 to %d", mostStrip)
		}
		if l.MaxPartRows == 0 && c.file.Has(at(i, "line.max_part_rows")) {
			c.file.Addf(at(i, "line.max_part_rows"), "max_part_rows of 0: use 1 to %d", mostPartRows)
		}
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
	strip, most := l.Strip, l.MaxPartRows
	if strip < 1 || strip > mostStrip {
		wrong("line.strip", "strip of %d rows: use 1 to %d", strip, mostStrip)
		strip = mostStrip
	}
	if d := l.Rows(); d < -1 || d >= strip {
		wrong("line.delay", "delay of %d rows: rows wait until a strip of %d is whole, so use 0 (none is held back) to %d, or -1 (the plan's choice)", d, strip, strip-1)
	}
	if most < 1 || most > mostPartRows {
		wrong("line.max_part_rows", "max_part_rows of %d: use 1 to %d", most, mostPartRows)
	}
	c.checkPart(cam, most, wrong)
	c.checkLineSource(cam, wrong)
	c.checkBesideLine(cam, wrong)
}

// checkPart looks at what cuts parts off.
func (c *Config) checkPart(cam *Camera, most int, wrong func(key, format string, args ...any)) {
	l := cam.Line
	how, err := parts.Parse(l.Part)
	switch {
	case err != nil:
		wrong("line.part", "%v", err)
	case how.Absent != "" && len(cam.Labels) > 0 && !slices.Contains(cam.Labels, how.Absent):
		wrong("line.part", "part %q: class %q is none of the labels %q", l.Part, how.Absent, cam.Labels)
	case how.Rows > most && most > 0:
		wrong("line.part", "part %q: parts are cut at max_part_rows, %d rows: raise it to %d, or use shorter parts", l.Part, most, how.Rows)
	case how.Trigger && !cam.Triggered() && !isFolder(cam.Source):
		wrong("line.part", "part \"trigger\": nothing triggers parts of this camera: add trigger = \"camera\" where each of its pictures is a part, or use rows:N or absent:CLASS")
	}
}

// isFolder tells whether a source is a folder, whose files name parts; one that is not
// there yet may become one.
func isFolder(source string) bool {
	kind, err := capture.Parse(source)
	return kind == capture.Folder || kind == capture.File && isMissing(err) && filepath.Ext(source) == ""
}

// checkLineSource refuses what gives no strips of a picture without end.
func (c *Config) checkLineSource(cam *Camera, wrong func(key, format string, args ...any)) {
	switch kind, _ := capture.Parse(cam.Source); kind {
	case capture.RTSP, capture.HTTP:
		wrong("source", "source %q beside camera.line: a video stream loses pictures unseen, so its rows are no picture without end: use gige:, a device, a pipeline, a folder of strips, a clip or test:belt?line=1, or leave camera.line out", capture.Redact(cam.Source))
	case capture.Belt:
		if b, err := belt.Parse(cam.Source); err == nil && !b.Line {
			wrong("source", "source %q beside camera.line: its frames overlap, as an area camera's do: add line=1 to its options, as in test:belt?line=1&size=640x64", cam.Source)
		}
	}
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
