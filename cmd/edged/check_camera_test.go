package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"edged/capture"
	"edged/internal/daemontest"
	"edged/model"
	"edged/train/nets"
)

// pictureFolder writes a grey picture of a size into a folder of its own.
func pictureFolder(t *testing.T, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.png"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checked runs check and doctor on a camera with these lines, on a model of 56x48.
func checked(t *testing.T, node, lines string) (code int, out string, report report) {
	t.Helper()
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	path := filepath.Join(dir, "edged.toml")
	text := fmt.Sprintf("[node]\nname = \"n\"\n%s\n[[camera]]\nname = \"c\"\nmodel = \"dense.tflite\"\nengine = \"go\"\n%s\n", node, lines)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ = runEdged("check", "-c", path)
	_, doctor, _ := runEdged("doctor", "-c", path, "--json")
	if err := json.Unmarshal([]byte(doctor), &report); err != nil {
		t.Fatalf("%v: %s", err, doctor)
	}
	return code, out, report
}

func (r *report) state(name string) string {
	for _, f := range r.Checks {
		if f.Name == name {
			return f.State
		}
	}
	return ""
}

// A kernel that keeps less than a frame of a GigE camera loses packets.
func TestReceiveBuffer(t *testing.T) {
	for text, warned := range map[string]bool{"212992\n": true, "4194304\n": false, "": false} {
		var c checkedCamera
		c.checkReceive(fstest.MapFS{"proc/sys/net/core/rmem_max": {Data: []byte(text)}}, &capture.Info{Width: 1280, Height: 1024})
		if got := len(c.warnings) > 0; got != warned || warned && !strings.Contains(c.warnings[0], "net.core.rmem_max = 5242880") {
			t.Errorf("%q: %q", text, c.warnings)
		}
	}
}

// What the daemon would refuse or do oddly for its whole life is told before.
func TestCheckComparesThePicture(t *testing.T) {
	vga, small, oblong := pictureFolder(t, 96, 80), pictureFolder(t, 50, 80), pictureFolder(t, 200, 40)
	const state = "\n[mqtt]\nspool_dir = \"state\""
	missing := filepath.Join(t.TempDir(), "later")
	for name, c := range map[string]struct {
		source, lines string
		code          int
		state         string // of doctor's line on the camera
		want          string
	}{
		"fits":          {vga, "", exitOK, "ok", "ok    camera c: source: folder, 96x80 Gray, of which the model sees 56x48 at 20, 16"},
		"too small":     {small, "", exitFailed, "FAIL", "50x80 of the frame for a model of 56x48"},
		"small, scaled": {small, "fit = \"resize\"", exitOK, "warn", "distorted by 1.87"},
		"roi outside":   {vga, "roi = [60, 0, 56, 48]", exitFailed, "FAIL", "give x, y, width, height within 96x80"},
		"roi too small": {vga, "roi = [0, 0, 55, 48]", exitFailed, "FAIL", "55x48 of the frame for a model of 56x48"},
		"turned":        {pictureFolder(t, 48, 56), "rotate = 90", exitOK, "ok", ""}, // it fits that way only
		"not turned":    {pictureFolder(t, 48, 56), "", exitFailed, "FAIL", "48x56 of the frame for a model of 56x48"},
		"distorted":     {oblong, "fit = \"resize\"", exitOK, "warn", "fit = \"resize\" makes 200x40 into 56x48: shapes are distorted by 4.29"},
		"a part":        {pictureFolder(t, 640, 480), "", exitOK, "warn", "the model sees the middle 56x48 of 640x480, 0.9 % of it"},
		"empty":         {t.TempDir(), "", exitOK, "warn", "a folder without pictures as yet"},
		"missing":       {missing, "", exitOK, "warn", "a folder that is not there as yet"},
		"missing clip":  {missing + ".avi", "", exitFailed, "FAIL", "later.avi"},
		"it ends":       {"test:belt?size=96x80&frames=9", "", exitOK, "warn", "each start of the daemon plays it and publishes it again"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, r := checked(t, "http = \"\""+state, fmt.Sprintf("source = %q\n%s", c.source, c.lines))
			if code != c.code || !strings.Contains(out, c.want) || r.state("camera c") != c.state {
				t.Errorf("exit %d, doctor %q, want %d, %q and %q in:\n%s", code, r.state("camera c"), c.code, c.state, c.want, out)
			}
		})
	}
	if _, out, _ := checked(t, "http = \"\"", fmt.Sprintf("source = %q", vga)); !strings.Contains(out, "is forgotten at the daemon's end") {
		t.Errorf("without a state folder:\n%s", out)
	}
}

// Zones are held against the picture and what the model sees of it, 56x48 at 20, 16:
// a rule on nothing would always be content.
func TestCheckComparesZones(t *testing.T) {
	vga := pictureFolder(t, 96, 80)
	zone := func(corners string) string {
		return "[[camera.zone]]\nname = \"z\"\npolygon = [" + corners + "]\n"
	}
	const rule = "[[camera.rule]]\nclass = \"scratch\"\nmax_count = 1\nzones = [\"z\"]\n"
	for name, c := range map[string]struct {
		lines string
		code  int
		state string
		want  string
	}{
		"seen":              {zone("[30, 20], [60, 20], [60, 50]") + rule, exitOK, "ok", "ok    camera c: source"},
		"outside":           {zone("[100, 20], [160, 20], [160, 50]") + rule, exitFailed, "FAIL", "zone \"z\": it lies outside of the picture of 96x80: the rules on it would never see anything"},
		"above":             {zone("[10, -90], [60, -20], [60, -9]") + rule, exitFailed, "FAIL", "outside of the picture"},
		"outside, no rule":  {zone("[100, 20], [160, 20], [160, 50]"), exitOK, "warn", "zone \"z\": it lies outside of the picture of 96x80"},
		"not seen":          {zone("[0, 0], [96, 0], [96, 15], [0, 15]") + rule, exitFailed, "FAIL", "outside of what the model sees, 56x48 at 20, 16"},
		"half seen":         {zone("[0, 20], [40, 20], [40, 40], [0, 40]") + rule, exitOK, "warn", "50 % of it lie outside of what the model sees"},
		"over the edge":     {"fit = \"resize\"\n" + zone("[50, 20], [200, 20], [200, 40], [50, 40]") + rule, exitOK, "warn", "over the edge of the picture of 96x80"},
		"between positions": {zone("[44.2, 32.1], [44.4, 32.1], [44.4, 32.3], [44.2, 32.3]") + rule, exitFailed, "FAIL", "zone \"z\": it lies outside"},
		"too small":         {zone("[44.6, 32.6], [45.6, 32.6], [45.6, 33.6], [44.6, 33.6]") + rule, exitFailed, "FAIL", "so small that no position of the mask"},
		"turned":            {"rotate = 180\n" + zone("[30, 20], [60, 20], [60, 50]") + rule, exitOK, "ok", ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, r := checked(t, "http = \"\"\n[mqtt]\nspool_dir = \"state\"", fmt.Sprintf("source = %q\n%s", vga, c.lines))
			if code != c.code || !strings.Contains(out, c.want) || r.state("camera c") != c.state {
				t.Errorf("exit %d, doctor %q, want %d, %q and %q in:\n%s", code, r.state("camera c"), c.code, c.state, c.want, out)
			}
		})
	}
}

// A port that another program has is told; one that an edged has is its own.
func TestCheckLooksAtThePagesPort(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true,"checks":{"camera c":"ok"}}`) }))
	defer ours.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="edged", charset="UTF-8"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer locked.Close()
	for address, want := range map[string]string{other.Addr().String(): "warn", ours.Listener.Addr().String(): "ok", locked.Listener.Addr().String(): "ok", "192.0.2.1:80": "warn"} {
		code, out, r := checked(t, fmt.Sprintf("http = %q", address), "source = \"test:belt?size=96x80\"")
		if code != exitOK || r.state("page") != want || strings.Contains(out, "there would be no page") != (want == "warn") {
			t.Errorf("%s: exit %d, doctor %q, want %q:\n%s", address, code, r.state("page"), want, out)
		}
	}
}

// An output of one channel is cut at one half where nobody says where, and check
// says that nobody did.
func TestCheckSaysWhoseThreshold(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 8, 8, 3)
	w := model.Const(b, "w", []int{1, 1, 1, 3}, []float32{1, 1, 1})
	m, err := b.Build(b.Conv2D(x, w, model.None, model.Conv2DOptions{StrideH: 1, StrideW: 1}))
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one.tflite"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for threshold, want := range map[string]string{
		"": `class "bad" from a probability of 0.5 on (neither its manifest nor output.threshold says another)`, "threshold = 0.7": `class "bad" from a probability of 0.7 on` + "\n",
	} {
		path := filepath.Join(dir, "edged.toml")
		text := "[node]\nname = \"n\"\nhttp = \"\"\n[[camera]]\nname = \"c\"\nmodel = \"one.tflite\"\nengine = \"go\"\nsource = \"test:belt\"\nlabels = [\"good\", \"bad\"]\n" +
			"[camera.prepare]\nchannel_order = \"RGB\"\nmean = [128]\nscale = [0.01]\n[camera.output]\nmeaning = \"logits\"\nstride = [1, 1]\n" + threshold
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := runEdged("check", "-c", path, "--offline"); code != exitOK || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d: %s%s", threshold, code, out, errs)
		}
	}
}
