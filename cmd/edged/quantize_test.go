package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/model"
	"edged/train/nets"
)

// quantize writes a file that the engine runs, which agrees with the float net by
// another command's measure too.
func TestQuantize(t *testing.T) {
	dir := t.TempDir()
	pictures, _ := goodPictures(t, 6)
	dense := filepath.Join(dir, "float.tflite")
	if err := os.Rename(daemontest.DenseFile(t, dir, nets.Valid, 48, 56), dense); err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(dir, "int8.tflite")
	code, out, errs := runEdged("quantize", dense, "--images", pictures, "-o", small, "--json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r quantised
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Agreement < 0.99 || r.Kept != 1 || r.Pictures != 5 || len(r.Layers) == 0 || r.Bytes >= r.Before || len(r.Engines) == 0 {
		t.Errorf("%+v", r)
	}
	code, out, errs = runEdged("compare", dense, small, "--engine", "go", "--images", pictures, "--json")
	var c compared
	if err := json.Unmarshal([]byte(out), &c); code != exitOK || err != nil || c.Share < 0.99 {
		t.Errorf("exit %d, %v, %+v: %s", code, err, c, errs)
	}
	code, out, errs = runEdged("quantize", dense, "--images", pictures, "-o", small, "--io", "uint8")
	if code != exitOK || !strings.Contains(out, "kept back") || !strings.Contains(out, "suggestion: ranges were learnt from 5") || !strings.Contains(out, "dB") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// What is wrong is told in a line, and nothing is written.
func TestQuantizeRefuses(t *testing.T) {
	dir := t.TempDir()
	pictures, _ := goodPictures(t, 2)
	bad := t.TempDir()
	writeFile(t, filepath.Join(bad, "x.png"), []byte("no picture"))
	net := filepath.Join(dir, "net.tflite")
	write := func(name, as string) {
		b, err := nets.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, as), b)
	}
	write(nets.Valid, "net.tflite")
	write(nets.ValidInt8, "int8.tflite")
	b := model.NewBuilder()
	exp := b.Model(b.Unary(model.OpExp, b.Input("x", model.TypeFloat32, 1, 8, 8, 3)))
	f := &model.Manifest{Schema: model.ManifestSchema}
	f.Input = model.Input{ChannelOrder: "RGB", Mean: []float64{0}, Scale: []float64{1}}
	if err := exp.SetManifest(f); err != nil {
		t.Fatal(err)
	}
	if err := writeModel(filepath.Join(dir, "exp.tflite"), exp); err != nil {
		t.Fatal(err)
	}
	if err := exp.SetManifest(nil); err != nil {
		t.Fatal(err)
	}
	if err := writeModel(filepath.Join(dir, "bare.tflite"), exp); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.tflite")
	for _, c := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{net, "--images", pictures}, exitUsage, "output"},
		{[]string{net, "-o", out}, exitUsage, "images"},
		{[]string{net, "--images", pictures, "-o", net}, exitUsage, "never overwritten"},
		{[]string{net, "--images", pictures, "-o", out, "--io", "int4"}, exitUsage, "float32"},
		{[]string{net, "--images", t.TempDir(), "-o", out}, exitFailed, "no PNG"},
		{[]string{net, "--images", filepath.Join(dir, "none"), "-o", out}, exitFailed, "no such file"},
		{[]string{net, "--images", bad, "-o", out}, exitFailed, "x.png"},
		{[]string{filepath.Join(dir, "int8.tflite"), "--images", pictures, "-o", out}, exitRefused, "quantised already"},
		{[]string{filepath.Join(dir, "exp.tflite"), "--images", pictures, "-o", out}, exitRefused, "EXP (operator 0"},
		{[]string{filepath.Join(dir, "bare.tflite"), "--images", pictures, "-o", out}, exitFailed, "edged manifest"},
		{[]string{net, "--images", pictures, "-o", filepath.Join(dir, "none", "out.tflite")}, exitFailed, "folder exist"},
		{[]string{net, "--images", pictures, "-o", dir}, exitFailed, "is a folder"},
	} {
		code, _, errs := runEdged(append([]string{"quantize"}, c.args...)...)
		last := strings.Split(strings.TrimSpace(errs), "\n")
		if code != c.want || !strings.Contains(errs, c.says) || c.want != exitUsage && strings.Count(last[len(last)-1], "edged:") != 1 {
			t.Errorf("%q: exit %d, want %d: %s", c.args, code, c.want, errs)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q: a file was written", c.args)
		}
	}
}
