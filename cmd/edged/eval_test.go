package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged"
	"edged/capture/belt"
	"edged/internal/eval"
	"edged/train/nets"
)

// bundledNet writes one of the bundled nets into a file.
func bundledNet(t *testing.T, name string) string {
	t.Helper()
	tfl, err := nets.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, tfl, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func evaluate(t *testing.T, args ...string) eval.Report {
	t.Helper()
	var out, diag bytes.Buffer
	if code := run(t.Context(), append([]string{"eval", "--json"}, args...), &out, &diag); code != exitOK {
		t.Fatalf("exit %d: %s", code, diag.String())
	}
	var r eval.Report
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() {
		t.Fatalf("stdout is not one JSON document: %v", err)
	}
	if !strings.Contains(diag.String(), "100%") && !strings.Contains(diag.String(), "/") {
		t.Errorf("no progress on stderr: %q", diag.String())
	}
	return r
}

// The paper's claim on our data, with the bundled weights and no training: the
// equivalent net at stride 1 beats the upsampled baseline clearly, in mIoU and at
// borders, and the naive net is worse than all of them. In full: edged eval.
func TestEvalShowsTheClaim(t *testing.T) {
	plot := filepath.Join(t.TempDir(), "cost.svg")
	r := evaluate(t, bundledNet(t, nets.ValidInt8), bundledNet(t, nets.SameInt8),
		"--source", "test:belt?size=480x240&seed=424242", "--frames", "5", "--patches", "150", "--plot", plot)
	if len(r.Models) != 2 || r.Images != 5 {
		t.Fatalf("%d models, %d images", len(r.Models), r.Images)
	}
	for _, m := range r.Models {
		dense := m.Ways[len(m.Ways)-1]
		if dense.Way != "equivalent" || dense.OutputStride != 1 {
			t.Fatalf("%s: the last way is %+v", m.Model, dense)
		}
		for _, w := range m.Ways {
			t.Logf("%s %s %d %s: mIoU %.3f", m.Model, w.Way, w.OutputStride, w.Upsample, *w.MIoU)
			switch {
			case w.Way == "baseline" && (*dense.MIoU < *w.MIoU+0.05 || *dense.BoundaryF < *w.BoundaryF+0.05):
				t.Errorf("%s: baseline %s has mIoU %.3f, boundary F %.3f; the equivalent net %.3f, %.3f",
					m.Model, w.Upsample, *w.MIoU, *w.BoundaryF, *dense.MIoU, *dense.BoundaryF)
			case w.Way == "naive" && *w.MIoU > *m.Ways[0].MIoU-0.05:
				t.Errorf("%s: naive mIoU %.3f, baseline %.3f", m.Model, *w.MIoU, *m.Ways[0].MIoU)
			}
		}
	}
	// Under the patch contract int8 is exact: every patch has the class that the
	// equivalent net gives at its place.
	if p := r.Models[0].Ways[3]; p.Way != "patches" || *p.EqualToDense != 1 {
		t.Errorf("patch by patch: %+v, equal to dense %v", p, *p.EqualToDense)
	}
	if b, err := os.ReadFile(plot); err != nil || !bytes.Contains(b, []byte("patch by patch")) {
		t.Errorf("plot: %v", err)
	}
}

// A folder with the belt's own frames gives the same scores as the belt.
func TestEvalOfAFolder(t *testing.T) {
	const source = "test:belt?size=200x160&seed=31"
	net := bundledNet(t, nets.ValidInt8)
	dir := t.TempDir()
	writeBelt(t, dir, source, 2)
	args := []string{"--patches", "40", "--engine", engineGo}
	a := evaluate(t, append(args, net, "--source", source, "--frames", "2")...)
	b := evaluate(t, append(args, net, "--images", dir)...)
	forgetTimes(&a)
	forgetTimes(&b)
	b.Source = a.Source
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("belt against folder: %s", d)
	}
}

// Pictures that get worse: every step of every perturbation is there for each net
// in both ways, the unchanged picture scores alike in all of them, and a dense net
// counts as its baseline.
func TestEvalPerturb(t *testing.T) {
	net, dir := bundledNet(t, nets.ValidInt8), t.TempDir()
	dense := filepath.Join(dir, "dense.tflite")
	if code, _, errs := runEdged("rewrite", net, "-o", dense, "--input", "80x96", "--output-stride", "2"); code != exitOK {
		t.Fatal(errs)
	}
	plot := filepath.Join(dir, "robust.svg")
	args := []string{"eval", net, dense, "--perturb", "--source", "test:belt?size=96x80&seed=31", "--frames", "1", "--engine", engineGo, "--plot", plot}
	code, out, errs := runEdged(append(args, "--json")...)
	var r eval.Robustness
	if err := json.Unmarshal([]byte(out), &r); code != exitOK || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	steps := 0
	for _, p := range eval.Perturbations() {
		steps += len(p.Steps)
	}
	if len(r.Steps) != steps || len(r.Curves) != 4 || r.Images != 1 || r.Engine == "" {
		t.Fatalf("%d steps, %d curves: %+v", len(r.Steps), len(r.Curves), r)
	}
	for k, c := range r.Curves {
		if d := cmp.Diff(r.Curves[k%2].MIoU, c.MIoU); d != "" {
			t.Errorf("%s %s: %s", c.Model, c.Way, d)
		}
		var none []float64
		for i, s := range r.Steps {
			if s.None {
				none = append(none, *c.MIoU[i])
			}
		}
		for _, v := range none {
			if v != none[0] || v < 0.5 {
				t.Errorf("%s %s: the unchanged picture scores %v", c.Model, c.Way, none)
			}
		}
	}
	if b, err := os.ReadFile(plot); err != nil || !bytes.Contains(b, []byte("gamma")) {
		t.Errorf("plot: %v", err)
	}
	code, out, errs = runEdged(args...)
	if code != exitOK || !strings.Contains(out, "| gamma (exponent) |") || !strings.Contains(out, "*") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func forgetTimes(r *eval.Report) {
	for i := range r.Models {
		for k := range r.Models[i].Ways {
			r.Models[i].Ways[k].LatencyMS = 0
		}
	}
}

func writeBelt(t *testing.T, dir, source string, n int) {
	t.Helper()
	samples, err := eval.OpenBelt(source, n)
	if err != nil {
		t.Fatal(err)
	}
	var s eval.Sample
	for i := range n {
		if err := samples.At(i, &s); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, string(rune('a'+i)))
		writePNG(t, name+".png", picture(&s.Frame))
		writePNG(t, name+"_mask.png", &image.Gray{Pix: s.Truth.Pix, Stride: s.Truth.Stride, Rect: image.Rect(0, 0, s.Truth.W, s.Truth.H)})
	}
}

func picture(f *edged.Frame) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		for x := range f.W {
			p := f.Pix[y*f.Stride+3*x:]
			img.SetRGBA(x, y, color.RGBA{p[2], p[1], p[0], 255})
		}
	}
	return img
}

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func TestEvalTables(t *testing.T) {
	var out, diag bytes.Buffer
	code := run(t.Context(), []string{"eval", bundledNet(t, nets.ValidInt8), "--source", "test:belt?size=100x90", "--frames", "1", "--markdown"}, &out, &diag)
	if code != exitOK {
		t.Fatal(diag.String())
	}
	for _, want := range append(belt.Labels(), "| way |", "naive", "patch by patch", "Scored:") {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestEvalExitCodes(t *testing.T) {
	net := bundledNet(t, nets.ValidInt8)
	for _, c := range []struct {
		want int
		says string
		args []string
	}{
		{exitUsage, "either --images", []string{net}},
		{exitUsage, "either --images", []string{net, "--images", ".", "--source", "test:belt"}},
		{exitUsage, "--help", []string{"--source", "test:belt"}},
		{exitUsage, "at least one", []string{net, "--source", "test:belt", "--frames", "0"}},
		{exitUsage, "no such engine", []string{net, "--source", "test:belt?size=64x64", "--frames", "1", "--engine", "steam"}},
		{exitUsage, ".png or .svg", []string{net, "--source", "test:belt", "--plot", "a.pdf"}},
		{exitFailed, "no such file", []string{net + "x", "--source", "test:belt"}},
		{exitFailed, "unknown option", []string{net, "--source", "test:belt?colour=red"}},
		{exitFailed, "no picture", []string{net, "--images", t.TempDir()}},
		{exitFailed, "looks at 39x39", []string{net, "--source", "test:belt?size=32x32"}},
	} {
		var out, diag bytes.Buffer
		if got := run(t.Context(), append([]string{"eval"}, c.args...), &out, &diag); got != c.want || !strings.Contains(diag.String(), c.says) {
			t.Errorf("%q: exit %d, want %d; %s", c.args, got, c.want, diag.String())
		}
	}
}
