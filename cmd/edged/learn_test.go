package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/capture/belt"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/internal/quality"
	"edged/train/nets"
)

// goodPictures are n of the belt, in a folder.
func goodPictures(t *testing.T, n int) (dir string, frames []edged.Frame) {
	t.Helper()
	dir = t.TempDir()
	c := belt.Default()
	c.W, c.H = 96, 80
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var f edged.Frame
		scene.Render(uint64(7*i), &f, nil)
		f.Pix = bytes.Clone(f.Pix)
		frames = append(frames, f)
		var b bytes.Buffer
		if err := png.Encode(&b, pictureOf(&f)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.png", i)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, frames
}

// What is learnt is a table that the config takes, with which the good pictures pass
// and a black one does not; with a config it is of what the model sees.
func TestLearnQuality(t *testing.T) {
	dir, frames := goodPictures(t, 25)
	work := t.TempDir()
	daemontest.DenseFile(t, work, nets.Valid, 48, 56)
	camera := "[node]\nname = \"n\"\n[[camera]]\nname = \"c\"\nsource = \"test:belt?size=96x80\"\nmodel = \"dense.tflite\"\n"
	path := filepath.Join(work, "edged.toml")
	if err := os.WriteFile(path, []byte(camera), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		part quality.Rect
	}{{nil, quality.Rect{W: 96, H: 80}}, {[]string{"-c", path}, quality.Rect{X: 20, Y: 16, W: 56, H: 48}}} {
		code, out, errs := runEdged(append([]string{"doctor", "--learn-quality", dir}, c.args...)...)
		if code != exitOK || errs != "" || !strings.Contains(out, "learnt from 25 pictures") || (c.args == nil) != strings.Contains(out, "whole pictures") {
			t.Fatalf("exit %d: %s%s", code, out, errs)
		}
		cfg := config.Parse("x.toml", []byte(camera+out[strings.Index(out, "[camera.quality]"):]), configEngines)
		if err := cfg.Err(); err != nil {
			t.Fatal(err)
		}
		limits := cfg.Cameras[0].Quality.Limits()
		var m quality.Meter
		for i := range frames {
			q := m.Measure(&frames[i], c.part)
			if why := limits.Outside(nil, &q); len(why) > 0 {
				t.Errorf("good picture %d: %+v", i, why)
			}
		}
		clear(frames[0].Pix)
		q := m.Measure(&frames[0], c.part)
		if why := limits.Outside(nil, &q); len(why) < 3 {
			t.Errorf("a black picture: %+v of %+v", why, q)
		}
		frames[0].Pix = bytes.Clone(frames[1].Pix)
	}
	code, out, _ := runEdged("doctor", "--learn-quality", dir, "--json")
	var l learnt
	if err := json.Unmarshal([]byte(out), &l); code != exitOK || err != nil || l.Pictures != 25 || len(l.Limits) != 4 {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

func TestLearnQualitySaysWhatIsWrong(t *testing.T) {
	few, _ := goodPictures(t, 2)
	os.WriteFile(filepath.Join(few, "x.png"), []byte("none"), 0o600)
	bad := t.TempDir()
	os.WriteFile(filepath.Join(bad, "x.png"), []byte("none"), 0o600)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{few}, exitOK, []string{"2 pictures are few", "1 files did not decode"}},
		{[]string{bad}, exitFailed, []string{"no picture could be read"}},
		{[]string{t.TempDir()}, exitFailed, []string{"holds no .png"}},
		{[]string{filepath.Join(bad, "none")}, exitFailed, []string{"no file or folder"}},
	} {
		code, out, errs := runEdged(append([]string{"doctor", "--learn-quality"}, c.args...)...)
		for _, want := range c.want {
			if code != c.code || !strings.Contains(out+errs, want) {
				t.Errorf("%q: exit %d: %s%s; want %d and %q", c.args, code, out, errs, c.code, want)
			}
		}
	}
	if code, _, errs := runEdged("doctor", "--camera", "c"); code != exitUsage || !strings.Contains(errs, "--learn-quality") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
