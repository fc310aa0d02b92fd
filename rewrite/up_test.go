package rewrite

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// ups are the ways to make a grid of 6x6 finer.
var ups = map[string]func(b *maker, x model.Ref) model.Ref{
	"half pixel centres": func(b *maker, x model.Ref) model.Ref {
		return b.ResizeBilinear(x, 24, 24, model.ResizeBilinearOptions{HalfPixelCenters: true})
	},
	"corners aligned": func(b *maker, x model.Ref) model.Ref {
		return b.ResizeBilinear(x, 21, 21, model.ResizeBilinearOptions{AlignCorners: true})
	},
	"neither": func(b *maker, x model.Ref) model.Ref {
		return b.ResizeBilinear(x, 24, 24, model.ResizeBilinearOptions{})
	},
	"nearest": func(b *maker, x model.Ref) model.Ref {
		return b.Op(model.OpResizeNearestNeighbor, &model.ResizeNearestNeighborOptions{}, x, b.Ints(12, 12))
	},
	"depth to space": func(b *maker, x model.Ref) model.Ref {
		return b.Op(model.OpDepthToSpace, &model.DepthToSpaceOptions{BlockSize: 2}, b.Concat(3, x, x, x, x))
	},
	"transposed, 2 taps": transposedBy([]float32{1, 1}, model.PaddingSame, 12),
	"transposed, 3 taps": transposedBy([]float32{0.5, 1, 0.5}, model.PaddingSame, 12),
	"transposed, 4 taps": transposedBy([]float32{0.25, 0.75, 0.75, 0.25}, model.PaddingSame, 12),
	"transposed, valid":  transposedBy([]float32{0.5, 1, 0.5}, model.PaddingValid, 13),
}

// transposedBy is a TRANSPOSE_CONV of stride 2 whose taps interpolate.
func transposedBy(taps []float32, pad model.Padding, n int) func(b *maker, x model.Ref) model.Ref {
	return func(b *maker, x model.Ref) model.Ref {
		var w []float32
		for _, y := range taps {
			for _, x := range taps {
				w = append(w, y*x)
			}
		}
		f := model.Const(b.Builder, "taps", []int{1, len(taps), len(taps), 1}, w)
		bias := model.Const(b.Builder, "bias", []int{1}, []float32{0})
		return b.TransposeConv(x, f, bias, n, n, model.TransposeConvOptions{Padding: pad, StrideH: 2, StrideW: 2})
	}
}

// TestPlacesBehindDecoders: of a picture whose pixels are 3y + 5x, means and what
// is interpolated between them are that number at the place where they lie. The
// grid that a rewriting tells must be that place, at the compiled size and at
// another one.
func TestPlacesBehindDecoders(t *testing.T) {
	for name, up := range ups {
		b := newMaker(1, model.TypeFloat32)
		x := b.avgPool(b.avgPool(b.input(24, 24, 1), square(2, 2)), square(2, 2))
		m := b.Model(b.Name(up(b, x), "map"))
		for _, size := range [][2]int{{}, {32, 40}} {
			r, err := Rewrite(m, "00", Options{Input: size, Form: Shifts})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if why := misplaced(t, r); why != "" {
				t.Errorf("%s, input %v: %s", name, size, why)
			}
			verifiedAs(t, m, r)
		}
	}
}

// misplaced runs r on the ramp, and holds means over four by four positions
// against the ramp where the grid says that they lie.
func misplaced(t *testing.T, r *Result) string {
	t.Helper()
	e, err := fallback.Open(fileOfNet(t, r.Model), proofOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in := e.Inputs()[0].Shape
	f := edged.View[float32](e.Input(0))
	for i := range f {
		f[i] = float32(3*(i/in[2]) + 5*(i%in[2]))
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	out, g := edged.View[float32](e.Output(0)), r.Outputs[0]
	const block, border = 4, 4
	looked := 0
	for y := border; y+block+border <= g.Size[0]; y += block {
		for x := border; x+block+border <= g.Size[1]; x += block {
			looked++
			got, want := 0.0, 0.0
			for i := range block * block {
				yy, xx := y+i/block, x+i%block
				got += float64(out[yy*g.Size[1]+xx]) / (block * block)
				want += (3*(g.Centre[0]+float64(yy*g.Stride[0])) + 5*(g.Centre[1]+float64(xx*g.Stride[1]))) / (block * block)
			}
			if math.Abs(got-want) > 1e-3 {
				return fmt.Sprintf("at (%d, %d) of %v the net sees %g, its grid (centre %v, stride %v) says %g", y, x, g.Size, got, g.Centre, g.Stride, want)
			}
		}
	}
	if looked == 0 {
		return "no position to look at"
	}
	return ""
}

func fileOfNet(t *testing.T, m *model.Model) []byte {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestResizesThatAreNoGrid: the outputs of such lie at places that no origin and
// stride tell, and at others on another frame.
func TestResizesThatAreNoGrid(t *testing.T) {
	for name, x := range map[string]struct {
		to   int
		o    model.ResizeBilinearOptions
		says string
	}{
		"corners of twice the size": {12, model.ResizeBilinearOptions{AlignCorners: true}, "from corner to corner"},
		"corners made one":          {1, model.ResizeBilinearOptions{AlignCorners: true}, "not by a whole factor"},
		"smaller corners":           {3, model.ResizeBilinearOptions{AlignCorners: true}, "not by a whole factor"},
		"half as much again":        {9, model.ResizeBilinearOptions{HalfPixelCenters: true}, "not by a whole factor"},
		"to the size less one":      {11, model.ResizeBilinearOptions{}, "not by a whole factor"},
	} {
		b := newMaker(2, model.TypeFloat32)
		y := b.conv(b.avgPool(b.input(12, 12, 2), square(2, 2)), 3, square(1, 1).bare())
		m := b.Model(b.Name(b.ResizeBilinear(y, x.to, x.to, x.o), "map"))
		_, err := Rewrite(m, "00", Options{})
		why := asRefusal(err)
		if why == nil || !strings.Contains(why.Reason, x.says) || !strings.Contains(why.Instead, "--cut") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeepLabsEnd: an input of 2^n + 1, padded strides, and a last resize that
// keeps the corners.
func TestDeepLabsEnd(t *testing.T) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		b := newMaker(3, typ)
		x := b.conv(b.conv(b.input(33, 33, 3), 8, square(3, 2).same()), 4, square(3, 2).same().bare())
		z := b.zero[x]
		y := b.ResizeBilinear(x, 33, 33, model.ResizeBilinearOptions{AlignCorners: true})
		b.zero[y] = z
		m := b.Model(b.Name(y, "map"))
		for _, size := range [][2]int{{}, {49, 65}} {
			r, err := Rewrite(m, "00", Options{Input: size})
			if err != nil {
				t.Fatal(err)
			}
			if g := r.Outputs[0]; g.Stride != [2]int{1, 1} || g.Centre != [2]float64{0, 0} || size[0] > 0 && g.Size != size || slices.Contains(g.Size[:], 0) {
				t.Errorf("%s, input %v: %+v", typ, size, g)
			}
			verifiedAs(t, m, r)
		}
	}
}
