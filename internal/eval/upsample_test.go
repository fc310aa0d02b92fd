package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged"
)

// Two outputs, at pixels 1 and 5 of a row, that say class 0 and class 1.
func row() *scores {
	return &scores{
		data: []float32{2, 0, 0, 1}, h: 1, w: 2, c: 2,
		grid: edged.Grid{Stride: [2]float64{4, 4}, Origin: [2]float64{0, 1}},
	}
}

func masked(s *scores, w, h int, r Region, how Upsampling) []uint8 {
	m := &edged.Mask{Pix: make([]uint8, w*h), Stride: w, W: w, H: h}
	for i := range m.Pix {
		m.Pix[i] = 9
	}
	s.mask(m, r, how)
	return m.Pix
}

func TestUpsampleByHand(t *testing.T) {
	s := row()
	r := span(s.grid, s.h, s.w)
	if want := (Region{1, 0, 6, 1}); r != want {
		t.Fatalf("span %v, want %v", r, want)
	}
	// Nearest changes halfway, at pixel 3.
	if d := cmp.Diff([]uint8{9, 0, 0, 1, 1, 1, 9}, masked(s, 7, 1, r, Nearest)); d != "" {
		t.Error("nearest:", d)
	}
	// Bilinear: 2(1-a) against a: class 1 wins where a > 2/3, from pixel 4 on.
	if d := cmp.Diff([]uint8{9, 0, 0, 0, 1, 1, 9}, masked(s, 7, 1, r, Bilinear)); d != "" {
		t.Error("bilinear:", d)
	}
}

func TestBilinearInBothAxes(t *testing.T) {
	// One score with threshold 0.5 at the corners of a 5x5 square: 0 0 / 0 1. The
	// interpolated value is (x/4)*(y/4).
	s := &scores{
		data: []float32{0, 0, 0, 1}, h: 2, w: 2, c: 1, threshold: 0.5,
		grid: edged.Grid{Stride: [2]float64{4, 4}},
	}
	got := masked(s, 5, 5, span(s.grid, 2, 2), Bilinear)
	for y := range 5 {
		for x := range 5 {
			want := uint8(0)
			if x*y > 8 {
				want = 1
			}
			if got[y*5+x] != want {
				t.Errorf("(%d,%d): %d, by hand %d", x, y, got[y*5+x], want)
			}
		}
	}
}

// At stride 1 both ways are the net's own classes.
func TestStrideOneIsTheNetItself(t *testing.T) {
	s := &scores{h: 3, w: 4, c: 3, grid: edged.Grid{Stride: [2]float64{1, 1}, Origin: [2]float64{2, 1}}}
	var want []uint8
	for i := range 12 {
		v := []float32{0, 0, 0}
		v[i*7%3] = 1
		s.data = append(s.data, v...)
		want = append(want, uint8(i*7%3))
	}
	r := span(s.grid, 3, 4)
	for _, how := range []Upsampling{Nearest, Bilinear} {
		pix := masked(s, 6, 6, r, how)
		var got []uint8
		for y := r.Y0; y < r.Y1; y++ {
			got = append(got, pix[y*6+r.X0:y*6+r.X1]...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v: %s", how, d)
		}
	}
}

func TestSpanOfHalfPixels(t *testing.T) {
	grid := edged.Grid{Stride: [2]float64{8, 8}, Origin: [2]float64{18.5, 18.5}}
	if got, want := span(grid, 3, 2), (Region{19, 19, 27, 35}); got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestDequantise(t *testing.T) {
	spec := edged.Spec{Shape: []int{1, 1, 1, 3}, Type: edged.Int8, Quant: edged.Quant{Scale: 0.5, ZeroPoint: -2}}
	var s scores
	if err := s.decode(spec, []byte{0xFE, 0, 0x7F}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float32{0, 1, 64.5}, s.data); d != "" {
		t.Error(d)
	}
	spec.Type = edged.Int64
	if err := s.decode(spec, make([]byte, 24)); err == nil {
		t.Error("int64 scores were taken")
	}
	spec.Shape = []int{1, 5}
	if err := s.decode(spec, nil); err == nil {
		t.Error("an output that is no grid was taken")
	}
}
