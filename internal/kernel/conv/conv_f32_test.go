package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/kerneltest"
)

// naiveConvF32 is the definition, summed in float64.
func naiveConvF32(s ConvShape, w, bias []float32, lo, hi float32, src, res []float32, sy, sx, rows, cols int) []float64 {
	out := make([]float64, rows*cols*s.OC)
	for y := range rows {
		for x := range cols {
			for o := range s.OC {
				acc := float64(bias[o])
				for ky := range s.KH {
					for kx := range s.KW {
						for i := range s.depth() {
							acc += float64(src[(y*sy+ky*s.DY)*s.Row+(x*sx+kx*s.DX)*s.Pix+s.input(o)+i]) * float64(w[((o*s.KH+ky)*s.KW+kx)*s.depth()+i])
						}
					}
				}
				if res != nil {
					acc += float64(res[(y*cols+x)*s.OC+o])
				}
				out[(y*cols+x)*s.OC+o] = min(max(acc, float64(lo)), float64(hi))
			}
		}
	}
	return out
}

// input is the first input channel of output channel o's group.
func (s ConvShape) input(o int) int { return o / (s.OC / max(1, s.Groups)) * s.depth() }

// grouped makes up to five groups of s in a quarter of the cases.
func grouped(r *rand.Rand, s ConvShape) ConvShape {
	if r.IntN(4) == 0 {
		s.Groups = 2 + r.IntN(4)
		s.IC, s.OC = s.Groups*(1+s.IC/4), s.Groups*(1+s.OC/4)
	}
	return s
}

// TestConvF32 runs every variant of this machine over generated shapes, with
// guard values between and around the destination's pixels.
func TestConvF32(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.convF32 }) {
		k := on.convF32
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for i := range kerneltest.Cases(400) {
				checkConvF32(t, worker, k, r, i)
			}
		})
	}
}

func checkConvF32(t *testing.T, worker *Worker, k *convKernel, r *rand.Rand, n int) {
	s := ConvShape{KH: 1 + r.IntN(5), KW: 1 + r.IntN(5), DY: 1 + r.IntN(4), DX: 1 + r.IntN(4), IC: 1 + r.IntN(40), OC: 1 + r.IntN(70)}
	if s = grouped(r, s); n%3 == 0 {
		s.DX = 1
	}
	sy, sx := 1+r.IntN(3), 1+r.IntN(3)
	rows, cols := 1+r.IntN(4), 1+r.IntN(33)
	s.Pix = s.IC + r.IntN(2)*r.IntN(9)
	width := (cols-1)*sx + (s.KW-1)*s.DX + 1
	s.Row = width*s.Pix + r.IntN(5)
	height := (rows-1)*sy + (s.KH-1)*s.DY + 1
	src := kerneltest.Uniform(r, height*s.Row)
	w, bias := kerneltest.Uniform(r, s.OC*s.KH*s.KW*s.depth()), kerneltest.Uniform(r, s.OC)
	lo, hi := float32(math.Inf(-1)), float32(math.Inf(1))
	if r.IntN(2) == 0 {
		lo, hi = 0, 6
	}
	var res []float32
	if r.IntN(2) == 0 {
		res = kerneltest.Uniform(r, rows*cols*s.OC)
	}
	want := naiveConvF32(s, w, bias, lo, hi, src, res, sy, sx, rows, cols)

	const guard = -12345
	pix := s.OC + r.IntN(2)*r.IntN(20)
	row := cols*pix + r.IntN(20)
	buf := make([]float32, rows*row+64)
	for i := range buf {
		buf[i] = guard
	}
	off := r.IntN(32)
	c := newConvF32(k, s, w, bias, lo, hi)
	c.Run(worker, Plane[float32]{buf[off:], row, pix}, Plane[float32]{src, sy * s.Row, sx * s.Pix}, Plane[float32]{res, cols * s.OC, s.OC}, rows, cols)
	tol := 1e-6 * float64(s.KH*s.KW*s.IC+2)
	for y := range rows {
		for x := range cols {
			for o := range s.OC {
				p := &buf[off+y*row+x*pix+o]
				if d := math.Abs(float64(*p) - want[(y*cols+x)*s.OC+o]); !(d <= tol) {
					t.Fatalf("case %d %+v: (%d,%d,%d) = %g, want %g", n, s, y, x, o, *p, want[(y*cols+x)*s.OC+o])
				}
				*p = guard
			}
		}
	}
	for i, v := range buf {
		if v != guard {
			t.Fatalf("case %d %+v: wrote outside its pixels at %d", n, s, i-off)
		}
	}
}

// TestConvF32Alone: a pixel's bits do not depend on the tile it is in.
func TestConvF32Alone(t *testing.T) {
	const cols, ic, oc = 33, 7, 21
	s := ConvShape{KH: 2, KW: 3, DY: 1, DX: 1, IC: ic, OC: oc, Pix: ic, Row: ic * (cols + 2)}
	r := rand.New(rand.NewPCG(5, 5))
	src, w, bias := kerneltest.Uniform(r, 2*s.Row), kerneltest.Uniform(r, 6*ic*oc), kerneltest.Uniform(r, oc)
	for _, on := range distinct(func(r *Routines) any { return r.convF32 }) {
		k := on.convF32
		testAlone(t, on.variant, newConvF32(k, s, w, bias, -9, 9), s, src, cols)
	}
	s.OC, s.IC = ic, ic
	for _, on := range distinct(func(r *Routines) any { return r.depthwiseF32 }) {
		k := on.depthwiseF32
		testAlone(t, on.variant, newDepthwiseF32(k, s, w[:6*ic], bias[:ic], -9, 9), s, src, cols)
	}
}

type runner interface {
	Run(k *Worker, dst, src, res Plane[float32], rows, cols int)
}

// testAlone computes a row of pixels together and each by itself.
func testAlone(t *testing.T, v cpu.Variant, c runner, s ConvShape, src []float32, cols int) {
	worker, row, one := new(Worker), make([]float32, cols*s.OC), make([]float32, s.OC)
	c.Run(worker, Plane[float32]{row, len(row), s.OC}, Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, 1, cols)
	for x := range cols {
		c.Run(worker, Plane[float32]{one, s.OC, s.OC}, Plane[float32]{src[x*s.Pix:], s.Row, s.Pix}, Plane[float32]{}, 1, 1)
		if want := row[x*s.OC:][:s.OC]; !slices.Equal(one, want) {
			t.Errorf("%s %T: pixel %d is %g, alone %g", v, c, x, want, one)
		}
	}
}

func BenchmarkConvF32(b *testing.B) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.convF32 }) {
		k := on.convF32
		for _, c := range []struct{ size, ic, oc, d int }{{56, 64, 64, 1}, {112, 32, 32, 4}, {112, 16, 16, 2}, {112, 8, 8, 2}, {112, 24, 24, 2}, {112, 3, 16, 1}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%dto%d_d%d", on.variant, c.size, c.size, c.ic, c.oc, c.d), func(b *testing.B) {
				in := c.size + 2*c.d
				s := ConvShape{KH: 3, KW: 3, DY: c.d, DX: c.d, IC: c.ic, OC: c.oc, Row: in * c.ic, Pix: c.ic}
				r := rand.New(rand.NewPCG(1, 2))
				conv := newConvF32(k, s, kerneltest.Uniform(r, 9*c.ic*c.oc), kerneltest.Uniform(r, c.oc), 0, 6)
				src, dst := kerneltest.Uniform(r, in*s.Row), kerneltest.Uniform(r, c.size*c.size*c.oc)
				b.ResetTimer()
				for b.Loop() {
					for y := 0; y < c.size; y += 8 {
						n := min(8, c.size-y)
						conv.Run(worker, Plane[float32]{dst[y*c.size*c.oc:], c.size * c.oc, c.oc}, Plane[float32]{src[y*s.Row:], s.Row, s.Pix}, Plane[float32]{}, n, c.size)
					}
				}
				flop := 2 * 9 * float64(c.ic*c.oc*c.size*c.size)
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
