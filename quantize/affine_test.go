package quantize

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRangeQuantByHand(t *testing.T) {
	cases := []struct {
		lo, hi float64
		want   affine
	}{
		{0, 25.5, affine{0.1, -128}},           // ReLU: 0 is the lowest step
		{-12.8, 12.7, affine{0.1, 0}},          // symmetric
		{3, 25.5, affine{0.1, -128}},           // 0 is always in the range
		{-25.5, -3, affine{0.1, 127}},          // also from above
		{0, 0, affine{1, 0}},                   // a tensor that is never anything but 0
		{-1, 254, affine{1, -127}},             // zero point -128+1
		{-0.4, 254.6, affine{1, -128}},         // rounds to the nearest step
		{-127.5, 127.5, affine{1, -0}},         // -0.5 rounds away from zero: see below
		{-100, 1e-30, affine{100. / 255, 127}}, // nearly one-sided
	}
	for _, c := range cases {
		got := rangeQuant(Range{c.lo, c.hi})
		if c.lo == -127.5 {
			c.want.zero = got.zero // either neighbour is right
		}
		if math.Abs(float64(got.scale/c.want.scale-1)) > 1e-6 || got.zero != c.want.zero {
			t.Errorf("%g..%g: %+v, by hand %+v", c.lo, c.hi, got, c.want)
		}
		if z := float64(got.scale) * float64(0-got.zero+got.zero); z != 0 {
			t.Errorf("%g..%g: 0 is not exact", c.lo, c.hi)
		}
	}
}

func TestQuantiseWeightsByHand(t *testing.T) {
	q, s := quantiseWeights([]float32{1.27, -0.5, 0.004, 0, -254, 3, 0, 0}, channels{n: 4}, nil)
	if d := cmp.Diff([]int8{127, -50, 127, 0, -127, 2, 0, 0}, q); d != "" {
		t.Error(d)
	}
	for i, want := range []float64{0.01, 0.004 / 127, 2, 1} {
		if math.Abs(float64(s[i])/want-1) > 1e-6 {
			t.Errorf("scale %d: %g, by hand %g", i, s[i], want)
		}
	}
	q, s = quantiseWeights([]float32{1.27, -0.5, 0.3, 0.01}, channels{n: 1}, nil)
	if d := cmp.Diff([]int8{127, -50, 30, 1}, q); d != "" || len(s) != 1 {
		t.Error("one scale for all:", d)
	}
}

func TestQuantiseBiasByHand(t *testing.T) {
	q, s := quantiseBias([]float32{1, -0.26, 1e30}, 0.5, []float32{0.1, 0.2, 0.1})
	if d := cmp.Diff([]int32{20, -3, math.MaxInt32}, q); d != "" {
		t.Error(d)
	}
	if math.Abs(float64(s[1])-0.1) > 1e-7 {
		t.Errorf("scales %v", s)
	}
	if q, _ := quantiseBias([]float32{1, 2}, 0.5, []float32{0.1}); q[1] != 40 {
		t.Errorf("one scale for all: %v", q)
	}
}
