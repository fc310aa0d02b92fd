package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestDepthwiseF32 compares every variant with the dense definition, whose
// weights are zero off the diagonal.
func TestDepthwiseF32(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.depthwiseF32 }) {
		k := on.depthwiseF32
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			for range kerneltest.Cases(300) {
				checkDepthwiseF32(t, worker, k, r)
			}
		})
	}
}

func checkDepthwiseF32(t *testing.T, worker *Worker, k *convKernel, r *rand.Rand) {
	n := 1 + r.IntN(40)
	s := ConvShape{KH: 1 + r.IntN(5), KW: 1 + r.IntN(5), DY: 1 + r.IntN(4), DX: 1 + r.IntN(4), IC: n, OC: n}
	sy, sx, rows, cols := 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(4), 1+r.IntN(33)
	if r.IntN(2) == 0 {
		sx = s.DX // neighbours share pixels
	}
	s.Pix = n + r.IntN(2)*r.IntN(9)
	s.Row = ((cols-1)*sx + (s.KW-1)*s.DX + 1) * s.Pix
	// The source ends with the last channel read: a routine that loads past it faults under the guard.
	src := kerneltest.Uniform(r, ((rows-1)*sy+(s.KH-1)*s.DY+1)*s.Row-s.Pix+n)
	taps := s.KH * s.KW
	w, bias := kerneltest.Uniform(r, taps*n), kerneltest.Uniform(r, n)
	dense := make([]float32, n*taps*n)
	for i, v := range w {
		dense[(i%n*taps+i/n)*n+i%n] = v
	}
	want := naiveConvF32(s, dense, bias, 0, 6, src, nil, sy, sx, rows, cols)
	pix := n + r.IntN(20)
	dst, intact := kerneltest.Guard(rows*cols*pix, 1+r.IntN(16), float32(-12345))
	newDepthwiseF32(k, s, w, bias, 0, 6).Run(worker, Plane[float32]{dst, cols * pix, pix}, Plane[float32]{src, sy * s.Row, sx * s.Pix}, Plane[float32]{}, rows, cols)
	for i, v := range dst {
		expect := -12345.0
		if i%pix < n {
			expect = want[i/pix*n+i%pix]
		}
		if d := float64(v) - expect; !(d < 1e-4 && d > -1e-4) {
			t.Fatalf("%+v: pixel %d channel %d = %g, want %g", s, i/pix, i%pix, v, expect)
		}
	}
	intact(t)
}

func BenchmarkDepthwiseF32(b *testing.B) {
	for _, on := range distinct(func(r *Routines) any { return r.depthwiseF32 }) {
		k := on.depthwiseF32
		for _, c := range []struct{ size, c, k int }{{112, 64, 3}, {28, 256, 3}, {14, 512, 3}, {56, 24, 5}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%d_k%d", on.variant, c.size, c.size, c.c, c.k), func(b *testing.B) {
				in := c.size + c.k - 1
				s := ConvShape{KH: c.k, KW: c.k, DY: 1, DX: 1, IC: c.c, OC: c.c, Row: in * c.c, Pix: c.c}
				r := rand.New(rand.NewPCG(1, 2))
				conv := newDepthwiseF32(k, s, kerneltest.Uniform(r, c.k*c.k*c.c), nil, 0, 6)
				src, dst, worker := kerneltest.Uniform(r, in*s.Row), kerneltest.Uniform(r, c.size*c.size*c.c), new(Worker)
				for b.Loop() {
					conv.Run(worker, Plane[float32]{dst, c.size * c.c, c.c}, Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, c.size, c.size)
				}
				b.ReportMetric(2*float64(c.k*c.k*c.c*c.size*c.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
