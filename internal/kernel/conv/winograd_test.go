package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestWinogradF32 compares every variant with the definition: any dilation, any
// size, ends that are no multiple of a tile.
func TestWinogradF32(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.winograd }) {
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			for range kerneltest.Cases(150) {
				checkWinogradF32(t, worker, on, r)
			}
		})
	}
}

func checkWinogradF32(t *testing.T, worker *Worker, on *Routines, r *rand.Rand) {
	s := ConvShape{KH: 3, KW: 3, DY: 1 + r.IntN(4), DX: 1 + r.IntN(4), IC: 1 + r.IntN(40), OC: 1 + r.IntN(40)}
	rows, cols := 1+r.IntN(21), 1+r.IntN(33)
	s.Pix = s.IC + r.IntN(2)*r.IntN(9)
	s.Row = (cols + 2*s.DX) * s.Pix
	src := kerneltest.Uniform(r, (rows+2*s.DY)*s.Row-s.Pix+s.IC)
	w, bias := kerneltest.Uniform(r, s.OC*9*s.IC), kerneltest.Uniform(r, s.OC)
	var res []float32
	if r.IntN(2) == 0 {
		res = kerneltest.Uniform(r, rows*cols*s.OC)
	}
	want := naiveConvF32(s, w, bias, -3, 6, src, res, 1, 1, rows, cols)
	pix := s.OC + r.IntN(20)
	dst, intact := kerneltest.Guard(rows*cols*pix, 1+r.IntN(16), float32(-12345))
	g := on.NewWinogradF32(s, w, bias, -3, 6)
	g.Run(worker, Plane[float32]{dst, cols * pix, pix}, Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{res, cols * s.OC, s.OC}, rows, cols)
	tol := 2e-5 * math.Sqrt(float64(9*s.IC))
	for i, v := range dst {
		expect := -12345.0
		if i%pix < s.OC {
			expect = want[i/pix*s.OC+i%pix]
		}
		if d := math.Abs(float64(v) - expect); !(d <= tol) {
			t.Fatalf("%+v %dx%d: pixel %d channel %d = %g, want %g", s, rows, cols, i/pix, i%pix, v, expect)
		}
	}
	intact(t)
}

func BenchmarkWinogradF32(b *testing.B) {
	for _, on := range distinct(func(r *Routines) any { return r.winograd }) {
		for _, c := range []struct{ size, ic, oc, d int }{{56, 64, 64, 1}, {112, 32, 32, 4}, {112, 16, 16, 2}, {112, 8, 8, 2}, {112, 24, 24, 2}, {56, 128, 128, 1}} {
			b.Run(fmt.Sprintf("%s/%dx%d_%dto%d_d%d", on.variant, c.size, c.size, c.ic, c.oc, c.d), func(b *testing.B) {
				in := c.size + 2*c.d
				s := ConvShape{KH: 3, KW: 3, DY: c.d, DX: c.d, IC: c.ic, OC: c.oc, Row: in * c.ic, Pix: c.ic}
				r := rand.New(rand.NewPCG(1, 2))
				g := on.NewWinogradF32(s, kerneltest.Uniform(r, 9*c.ic*c.oc), nil, 0, 6)
				src, dst, worker := kerneltest.Uniform(r, in*s.Row), kerneltest.Uniform(r, c.size*c.size*c.oc), new(Worker)
				for b.Loop() {
					g.Run(worker, Plane[float32]{dst, c.size * c.oc, c.oc}, Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, c.size, c.size)
				}
				b.ReportMetric(2*9*float64(c.ic*c.oc*c.size*c.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s-direct-equivalent")
			})
		}
	}
}
