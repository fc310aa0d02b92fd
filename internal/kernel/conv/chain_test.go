package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestBetween: what passes at once is all columns of a small result, whole steps
// of a large one, and of that few enough.
func TestBetween(t *testing.T) {
	for _, b := range []Between{{5, 1, 1, 1}, {16, 4, 100, 1}, {32, 8, 602, 1}, {32, 32, 602, 32}, {128, 32, 189, 32}, {600, 250, 300, 250}} {
		for _, elem := range []int{1, 4} {
			cols := b.Columns(elem)
			if cols%b.Step != 0 || cols < b.Step {
				t.Errorf("%+v: %d columns at once", b, cols)
			}
			if n := b.size(elem) * elem; n > betweenBytes && cols > b.Step {
				t.Errorf("%+v: %d bytes at once", b, n)
			}
			if all := b.Rows * b.Cols * b.Channels * elem; all <= betweenBytes && cols < b.Cols {
				t.Errorf("%+v: %d columns at once, all are %d bytes", b, cols, all)
			}
		}
	}
}

// TestStripsThen compares strips that have a 1x1 convolution behind them with
// that of the whole result, bit for bit, with guard values around each pixel.
func TestStripsThen(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		r := rand.New(rand.NewPCG(17, 10))
		for range kerneltest.Cases(60) {
			c := newStripCase(on.poolF32, r)
			s := ConvShape{KH: 1, KW: 1, IC: c.shape.OC, OC: 1 + r.IntN(20)}
			then := on.NewConvF32(s, kerneltest.Uniform(r, s.OC*s.IC), kerneltest.Uniform(r, s.OC), -2, 5)
			for _, g := range []StripsF32{
				on.NewWinogradF32(c.shape, c.w, c.bias, -3, 6),
				on.NewDirectStripsF32(c.shape, c.cols, c.w, c.bias, -3, 6),
			} {
				c.sameThen(t, r, g, then)
			}
		}
	})
}

func (c stripCase) sameThen(t *testing.T, r *rand.Rand, g StripsF32, then *ConvF32) {
	t.Helper()
	worker, all := new(Worker), c.shape.Strips(c.rows)
	between := Plane[float32]{make([]float32, c.rows*c.cols*c.shape.OC), c.cols * c.shape.OC, c.shape.OC}
	g.RunStrips(worker, between, c.src, Plane[float32]{}, c.rows, c.cols, 0, all)
	got, res, intact := thenPlanes(r, then.shape.OC, c.rows, c.cols)
	want := Plane[float32]{slices.Clone(got.P), got.Row, got.Pix}
	then.Run(worker, want, between, res, c.rows, c.cols)
	g.Then(then)
	for lo, hi := 0, 0; lo < all; lo = hi {
		hi = min(lo+1+r.IntN(7), all)
		g.RunStrips(worker, got, c.src, res, c.rows, c.cols, lo, hi)
	}
	if intact(t); !slices.Equal(got.P, want.P) {
		t.Fatalf("%T %+v, %dx%d: other bits than one after the other", g, c.shape, c.rows, c.cols)
	}
}

// thenPlanes are a destination with guards, and a residual or none.
func thenPlanes(r *rand.Rand, oc, rows, cols int) (dst, res Plane[float32], intact func(t *testing.T)) {
	dst.Pix = oc + r.IntN(9)
	dst.Row = cols*dst.Pix + r.IntN(9)
	dst.P, intact = kerneltest.Guard(rows*dst.Row, 1+r.IntN(16), float32(-12345))
	if r.IntN(2) == 0 {
		res = Plane[float32]{kerneltest.Uniform(r, rows*cols*oc), cols * oc, oc}
	}
	return dst, res, intact
}

// TestChainF32 compares two convolutions in pieces with one after the other.
func TestChainF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		r, worker := rand.New(rand.NewPCG(17, 11)), new(Worker)
		for range kerneltest.Cases(40) {
			rows, cols := 1+r.IntN(9), 1+r.IntN(99)
			s := ConvShape{KH: 3, KW: 2, DY: 1, DX: 2, IC: 1 + r.IntN(9), OC: 1 + r.IntN(99)}
			s.Pix = s.IC
			s.Row = (cols + 2) * s.IC
			mix := ConvShape{KH: 1, KW: 1, IC: s.OC, OC: 1 + r.IntN(20)}
			first := on.NewConvF32(s, kerneltest.Uniform(r, s.OC*6*s.IC), kerneltest.Uniform(r, s.OC), -3, 6)
			then := on.NewConvF32(mix, kerneltest.Uniform(r, mix.OC*mix.IC), kerneltest.Uniform(r, mix.OC), -2, 5)
			src := Plane[float32]{kerneltest.Uniform(r, (rows+2)*s.Row), s.Row, s.Pix}
			between := Plane[float32]{make([]float32, rows*cols*s.OC), cols * s.OC, s.OC}
			got, res, intact := thenPlanes(r, mix.OC, rows, cols)
			want := Plane[float32]{slices.Clone(got.P), got.Row, got.Pix}
			first.Run(worker, between, src, Plane[float32]{}, rows, cols)
			then.Run(worker, want, between, res, rows, cols)
			NewChainF32(Between{s.OC, rows, cols, 1 + r.IntN(9)}, first, then).Run(worker, got, src, res, rows, cols)
			if intact(t); !slices.Equal(got.P, want.P) {
				t.Fatalf("%+v, %dx%d: other bits than one after the other", s, rows, cols)
			}
		}
	})
}

// TestChainI8 is TestChainF32 for 8-bit convolutions.
func TestChainI8(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, on *Routines) {
		r, worker := rand.New(rand.NewPCG(17, 12)), new(Worker)
		for range kerneltest.Cases(40) {
			d := 1 + r.IntN(4)
			rows, cols := 1+r.IntN(20), 1+r.IntN(99)
			s := ConvShape{KH: 3, KW: 3, DY: d, DX: d, IC: 1 + r.IntN(9), OC: 1 + r.IntN(99)}
			s.Pix = s.IC
			s.Row = (cols + 2*d) * s.IC
			mix := ConvShape{KH: 1, KW: 1, IC: s.OC, OC: 1 + r.IntN(20)}
			first := on.NewWinogradI8(s, randomI8(r, s.OC*9*s.IC), nil, ConvI8Params{Signed: true, Lo: -128, Hi: 127, Factors: randomFactors(r, s.OC)})
			then := on.NewConvI8(mix, randomI8(r, mix.OC*mix.IC), nil, ConvI8Params{Signed: true, SrcZero: 3, Lo: -128, Hi: 127, Factors: randomFactors(r, mix.OC)})
			src := Plane[uint8]{kerneltest.RandomBytes(r, (rows+2*d)*s.Row+Slack), s.Row, s.Pix}
			between := Plane[uint8]{make([]uint8, rows*cols*s.OC+Slack), cols * s.OC, s.OC}
			dst, intact := kerneltest.Guard(rows*cols*mix.OC, 1+r.IntN(16), uint8(0xA5))
			want := slices.Clone(dst)
			plane := func(p []uint8) Plane[uint8] { return Plane[uint8]{p, cols * mix.OC, mix.OC} }
			first.Run(worker, between, src, rows, cols)
			then.Run(worker, plane(want), between, rows, cols)
			NewChainI8(Between{s.OC, rows, cols, 4 * d}, first, then).Run(worker, plane(dst), src, rows, cols)
			if intact(t); !slices.Equal(dst, want) {
				t.Fatalf("%+v, %dx%d: other bytes than one after the other", s, rows, cols)
			}
		}
	})
}
