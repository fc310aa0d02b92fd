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
		"a.toml:7:1: strip of 0 rows: use 1 to 4096":                                   "[camera.line]\nstrip = 0\n",
		"strip of 5000 rows: use 1 to 4096":                                            "[camera.line]\nstrip = 5000\n",
		"max_part_rows of 0: use 1":                                                    "[camera.line]\nmax_part_rows = 0\n",
		"max_part_rows of 2000000":                                                     "[camera.line]\nmax_part_rows = 2000000\n",
		"delay of 16 rows: rows wait until a strip of 16 is whole, so use 0":           "[camera.line]\nstrip = 16\ndelay = 16\n",
		"parts are cut at max_part_rows, 16384 rows: raise it to 20000":                "[camera.line]\npart = \"rows:20000\"\n",
		"add trigger = \"camera\" where each of its pictures is a part, or use rows:N": "[camera.line]\npart = \"trigger\"\n",
		"zone beside": "[camera.line]\n[[camera.zone]]\nname = \"z\"\npolygon = [[0, 0], [9, 0], [9, 9]]\n",
		`unknown key "strips"; did you mean "strip"?`:                                  "[camera.line]\nstrips = 4\n",
		"part \"triggers\": use trigger, rows:N (rows of the picture) or absent:CLASS": "[camera.line]\npart = \"triggers\"\n",
	} {
		if err := Parse("a.toml", []byte(base+text), engines).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What is no number is told once, and a wrong strip hides no wrong delay.
func TestLineFaultsAreToldOnce(t *testing.T) {
	base := "[[camera]]\nname = \"a\"\nsource = \"test:belt?line=1\"\nmodel = \"m\"\n[camera.line]\n"
	for text, want := range map[string]int{"strip = \"big\"\n": 1, "strip = 0\nmax_part_rows = 0\n": 2, "strip = -3\ndelay = -7\nmax_part_rows = -1\n": 3} {
		if err := Parse("a.toml", []byte(base+text), engines).Err(); err == nil || strings.Count(err.Error(), "a.toml:") != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestLineSource: what gives no strips is no line camera's source; what does passes,
// here or not.
func TestLineSource(t *testing.T) {
	dir := t.TempDir()
	for source, want := range map[string]string{
		"rtsp://u:secret@10.0.0.1/s":            "a video stream loses pictures unseen",
		"http://10.0.0.1/mjpeg":                 "a video stream loses pictures unseen",
		"test:belt":                             "add line=1",
		"test:belt?size=64x64&line=0":           "add line=1",
		"test:belt?line=1":                      "",
		"gige:EDGED1?Height=64":                 "",
		"/dev/video7?width=640&height=64":       "",
		dir:                                     "",
		dir + "/strips":                         "",
		dir + "/strips.avi":                     "",
		"videotestsrc ! videoconvert ! appsink": "",
	} {
		err := Parse("a.toml", []byte("[[camera]]\nname = \"a\"\nmodel = \"m\"\nsource = \""+source+"\"\n[camera.line]\n"), engines).Err()
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", source, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a.toml:4:1: source") || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: %v", source, err)
		}
	}
	for source, ok := range map[string]bool{dir: true, dir + "/later": true, dir + "/clip.avi": false, "gige:X": false} {
		err := Parse("a.toml", []byte("[[camera]]\nname = \"a\"\nmodel = \"m\"\nsource = \""+source+"\"\n[camera.line]\npart = \"trigger\"\n"), engines).Err()
		if (err == nil) != ok {
			t.Errorf("part trigger of %s: %v", source, err)
		}
	}
}
