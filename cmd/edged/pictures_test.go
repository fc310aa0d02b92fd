package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/npy"
	"edged/model"
)

// pixelNet hands its 4x4 input through, prepared as order says: (pixel-8)*2.
func pixelNet(t *testing.T, order string) string {
	t.Helper()
	b := model.NewBuilder()
	channels := 3
	if order == "GRAY" {
		channels = 1
	}
	m := b.Model(b.Name(b.Relu(b.Input("x", model.TypeFloat32, 1, 4, 4, channels)), "map"))
	err := m.SetManifest(&model.Manifest{
		Schema: model.ManifestSchema, Labels: []string{"a", "b", "c"}[:max(channels, 2)],
		Input:  model.Input{ChannelOrder: order, Mean: []float64{8}, Scale: []float64{2}},
		Output: model.Output{Tensor: "map", Meaning: map[bool]string{true: "sigmoid", false: "logits"}[channels == 1], Threshold: 0.5},
		Grid:   model.Grid{Stride: [2]float64{1, 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return save(t, m)
}

// framed is a 6x6 picture whose middle 4x4, all that a crop takes, is of c.
func framed(dst draw.Image, c color.Color) image.Image {
	draw.Draw(dst, dst.Bounds(), image.NewUniform(color.Gray{Y: 255}), image.Point{}, draw.Src)
	draw.Draw(dst, image.Rect(1, 1, 5, 5), image.NewUniform(c), image.Point{}, draw.Src)
	return dst
}

// A picture of any kind gets into the input in the manifest's channel order,
// less the mean, times the scale, and cropped around its centre.
func TestInferPreparesPictures(t *testing.T) {
	r := image.Rect(0, 0, 6, 6)
	c := color.NRGBA{R: 200, G: 100, B: 50, A: 255}
	for name, p := range map[string]struct {
		img   image.Image
		order string
		want  []float32 // of each pixel
	}{
		"rgb":     {framed(image.NewNRGBA(r), c), "RGB", []float32{384, 184, 84}},
		"bgr":     {framed(image.NewNRGBA(r), c), "BGR", []float32{84, 184, 384}},
		"grey":    {framed(image.NewGray(r), color.Gray{Y: 108}), "RGB", []float32{200, 200, 200}},
		"to grey": {framed(image.NewGray(r), color.Gray{Y: 108}), "GRAY", []float32{200}},
		"sixteen": {framed(image.NewNRGBA64(r), c), "RGB", []float32{384, 184, 84}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.npy")
			writePNG(t, in, p.img)
			if code, _, errs := runEdged("infer", pixelNet(t, p.order), "--in", in, "--out", out, "--engine", engineGo); code != exitOK {
				t.Fatalf("exit %d: %s", code, errs)
			}
			got := edged.View[float32](readArray(t, out).Data)
			for i := 0; i < len(got); i += len(p.want) {
				if pixel := got[i:][:len(p.want)]; !slices.Equal(pixel, p.want) {
					t.Fatalf("pixel %d is %v, want %v", i/len(p.want), pixel, p.want)
				}
			}
		})
	}
}

func TestInferTakesJPEG(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.jpg"), filepath.Join(dir, "out.npy")
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = 108
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, nil); err != nil {
		t.Fatal(err)
	}
	writeFile(t, in, file.Bytes())
	if code, _, errs := runEdged("infer", pixelNet(t, "RGB"), "--in", in, "--out", out, "--engine", engineGo); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for i, v := range edged.View[float32](readArray(t, out).Data) {
		if v < 196 || v > 204 { // a flat picture survives JPEG but for its rounding
			t.Fatalf("value %d is %v, want about 200", i, v)
		}
	}
}

// A dimension that the model leaves open takes what the array has; the others
// keep what they are.
func TestInferFillsOpenDimensions(t *testing.T) {
	b := model.NewBuilder()
	m := b.Model(b.Name(b.Relu(b.Input("x", model.TypeFloat32, 1, 3)), "y"))
	for _, tensor := range m.Subgraphs[0].Tensors {
		tensor.ShapeSignature = []int32{-1, 3}
	}
	net, dir := save(t, m), t.TempDir()
	in, out := filepath.Join(dir, "in.npy"), filepath.Join(dir, "out.npy")
	for _, engine := range linkedEngines() {
		writeArray(t, in, &npy.Array{Type: npy.Float32, Shape: []int{2, 3}, Data: floatBytes(1, -2, 3, -4, 5, -6)})
		if code, _, errs := runEdged("infer", net, "--in", in, "--out", out, "--engine", engine); code != exitOK {
			t.Fatalf("%s: exit %d: %s", engine, code, errs)
		}
		if a := readArray(t, out); !slices.Equal(a.Shape, []int{2, 3}) || !bytes.Equal(a.Data, floatBytes(1, 0, 3, 0, 5, 0)) {
			t.Errorf("%s: %v %v", engine, a.Shape, edged.View[float32](a.Data))
		}
		for _, shape := range [][]int{{2, 4}, {3}, {1, 3, 1}, {0, 3}} {
			n := 1
			for _, d := range shape {
				n *= d
			}
			writeArray(t, in, &npy.Array{Type: npy.Float32, Shape: shape, Data: make([]byte, 4*n)})
			want := fmt.Sprintf("the array has shape %v, input 0 (x) takes [1 3]", shape)
			if code, _, errs := runEdged("infer", net, "--in", in, "--out", out, "--engine", engine); code != exitFailed || !strings.Contains(errs, want) {
				t.Errorf("%s, shape %v: exit %d: %s", engine, shape, code, errs)
			}
		}
	}
}
