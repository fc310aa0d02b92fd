package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/daemontest"
	"edged/internal/noise"
	"edged/internal/npy"
	"edged/internal/stage"
	"edged/model"
	"edged/train/nets"
)

func readArray(t *testing.T, path string) *npy.Array {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func writeArray(t *testing.T, path string, a *npy.Array) {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, a); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, b.Bytes())
}

// writeNoise writes an input for a model.
func writeNoise(t *testing.T, path, model string) {
	t.Helper()
	file, err := stage.Read(model)
	if err != nil {
		t.Fatal(err)
	}
	e, err := openEngine(engineGo, file.Data, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in := e.Inputs()[0]
	noise.Fill(e.Input(0), in.Type)
	writeArray(t, path, &npy.Array{Type: npy.Type(in.Type.String()), Shape: in.Shape, Data: e.Input(0)})
}

// sumAndDifference has two inputs and two outputs.
func sumAndDifference(t *testing.T) string {
	t.Helper()
	b := model.NewBuilder()
	x, y := b.Input("x", model.TypeFloat32, 1, 3), b.Input("y", model.TypeFloat32, 1, 3)
	return save(t, b.Model(b.Name(b.Add(x, y, model.ActNone), "sum"), b.Name(b.Sub(x, y, model.ActNone), "difference")))
}

// Inputs are taken in the order given; several outputs go to PREFIX_0.npy,
// PREFIX_1.npy, and each holds what the model computed.
func TestInferSeveralInputsAndOutputs(t *testing.T) {
	dir := t.TempDir()
	net := sumAndDifference(t)
	x, y := filepath.Join(dir, "x.npy"), filepath.Join(dir, "y.npy")
	writeArray(t, x, &npy.Array{Type: npy.Float32, Shape: []int{1, 3}, Data: floatBytes(5, 7, -1)})
	writeArray(t, y, &npy.Array{Type: npy.Float32, Shape: []int{1, 3}, Data: floatBytes(2, 10, 0.5)})
	for _, engine := range linkedEngines() {
		code, out, errs := runEdged("infer", net, "--in", x, "--in", y, "--out", filepath.Join(dir, engine+".npy"), "--engine", engine)
		if code != exitOK || strings.Count(out, "\n") != 2 {
			t.Fatalf("%s: exit %d, %q, %s", engine, code, out, errs)
		}
		for file, want := range map[string][]byte{"_0.npy": floatBytes(7, 17, -0.5), "_1.npy": floatBytes(3, -3, -1.5)} {
			a := readArray(t, filepath.Join(dir, engine+file))
			if a.Type != npy.Float32 || !slices.Equal(a.Shape, []int{1, 3}) || !bytes.Equal(a.Data, want) {
				t.Errorf("%s: %s holds %s %v %x, want %x", engine, file, a.Type, a.Shape, a.Data, want)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, engine+".npy")); err == nil {
			t.Errorf("%s: a file with the bare name beside the numbered ones", engine)
		}
	}
	code, _, errs := runEdged("infer", net, "--in", x, "--out", y, "--engine", engineGo)
	if code != exitUsage || !strings.Contains(errs, "1 --in for a model with 2 inputs") {
		t.Errorf("one input for two: exit %d, %s", code, errs)
	}
}

func floatBytes(values ...float32) []byte {
	b := make([]byte, 4*len(values))
	copy(edged.View[float32](b), values)
	return b
}

// The mask holds the class of the largest logit, first of equals, and keeps its
// ids: a greyscale PNG.
func TestInferMaskIsTheLargestLogit(t *testing.T) {
	dir := t.TempDir()
	net := daemontest.DenseFile(t, dir, nets.Valid, 96, 128)
	writeBelt(t, dir, "test:belt?size=128x96&seed=3", 1)
	mask, logits := filepath.Join(dir, "mask.png"), filepath.Join(dir, "logits.npy")
	for _, out := range []string{mask, logits} {
		if code, _, errs := runEdged("infer", net, "--in", filepath.Join(dir, "a.png"), "--out", out, "--engine", engineGo); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	data, err := os.ReadFile(mask)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	grey, ok := img.(*image.Gray)
	a := readArray(t, logits)
	if !ok || grey.Rect.Dy() != a.Shape[1] || grey.Rect.Dx() != a.Shape[2] {
		t.Fatalf("%T of %v for logits of %v", img, img.Bounds(), a.Shape)
	}
	classes := a.Shape[3]
	values := edged.View[float32](a.Data)
	seen := map[byte]bool{}
	for i, got := range grey.Pix {
		scores := values[i*classes:][:classes]
		if want := slices.Index(scores, slices.Max(scores)); int(got) != want {
			t.Fatalf("pixel %d is %d, the logits are %v", i, got, scores)
		}
		seen[got] = true
	}
	if len(seen) < 2 {
		t.Errorf("a mask of one class proves nothing")
	}
}

// The way back gives the baseline's file, byte for byte, from every form.
func TestInverseIsTheBaselineByteForByte(t *testing.T) {
	dir := t.TempDir()
	dense, back := filepath.Join(dir, "dense.tflite"), filepath.Join(dir, "back.tflite")
	for _, net := range []string{nets.Valid, nets.ValidInt8, nets.Same, nets.SameInt8} {
		base := bundledNet(t, net)
		want, err := os.ReadFile(base)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"dilated", "fragments", "shifts"} {
			code, out, errs := runEdged("rewrite", base, "-o", dense, "--form", form, "--input", "96x104", "--contract", "frame", "--engine", engineGo)
			if code != exitOK || !strings.Contains(out, "form "+form) {
				t.Errorf("%s, %s: exit %d, %q, %s", net, form, code, out, errs)
				continue
			}
			if code, _, errs := runEdged("rewrite", "--inverse", dense, "-o", back); code != exitOK {
				t.Errorf("%s from %s: exit %d, %s", net, form, code, errs)
				continue
			}
			if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s from %s: %d bytes differ from the baseline's %d, %v", net, form, len(got), len(want), err)
			}
		}
	}
}

// What eval has measured is printed even where the plot cannot be written.
func TestEvalPrintsBeforeItPlots(t *testing.T) {
	plot := filepath.Join(t.TempDir(), "absent", "cost.svg")
	code, out, errs := runEdged("eval", bundledNet(t, nets.ValidInt8), "--source", "test:belt?size=64x64", "--frames", "1",
		"--patches", "1", "--engine", engineGo, "--plot", plot)
	if code != exitFailed || !strings.Contains(out, "naive") || !strings.Contains(errs, plot) {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
}
