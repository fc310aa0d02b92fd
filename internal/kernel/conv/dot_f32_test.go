package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestDotF32 runs every variant over generated shapes; the source ends with the
// last element that a window holds.
func TestDotF32(t *testing.T) {
	worker := new(Worker)
	for _, on := range distinct(func(r *Routines) any { return r.dotF32 }) {
		k := on.dotF32
		t.Run(string(on.variant), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for range kerneltest.Cases(400) {
				checkDotF32(t, worker, k, r)
			}
		})
	}
}

func checkDotF32(t *testing.T, worker *Worker, k *dotKernel, r *rand.Rand) {
	s := ConvShape{KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), DY: 1 + r.IntN(3), DX: 1 + r.IntN(2), IC: 1 + r.IntN(40), OC: 1}
	sy, sx, rows, cols := 1+r.IntN(2), 1+r.IntN(2), 1+r.IntN(3), 1+r.IntN(37)
	s.Pix = s.IC + r.IntN(2)*r.IntN(5)
	s.Row = ((cols-1)*sx + (s.KW-1)*s.DX + 1) * s.Pix
	src := kerneltest.Uniform(r, ((rows-1)*sy+(s.KH-1)*s.DY+1)*s.Row-s.Pix+s.IC)
	w, bias := kerneltest.Uniform(r, s.KH*s.KW*s.IC), kerneltest.Uniform(r, 1)
	var res []float32
	if r.IntN(2) == 0 {
		res = kerneltest.Uniform(r, rows*cols)
	}
	want := naiveConvF32(s, w, bias, -1, 2, src, res, sy, sx, rows, cols)
	row := cols + r.IntN(9)
	dst, intact := kerneltest.Guard(rows*row, 1+r.IntN(16), float32(-12345))
	newDotF32(k, s, w, bias, -1, 2).Run(worker, Plane[float32]{dst, row, 1}, Plane[float32]{src, sy * s.Row, sx * s.Pix}, Plane[float32]{res, cols, 1}, rows, cols)
	for i, v := range dst {
		expect := -12345.0
		if i%row < cols {
			expect = want[i/row*cols+i%row]
		}
		if d := math.Abs(float64(v) - expect); !(d < 1e-4) {
			t.Fatalf("%+v: element %d of rows of %d = %g, want %g", s, i, row, v, expect)
		}
	}
	intact(t)
}

// TestDotF32Alone: a pixel's bits do not depend on its neighbours.
func TestDotF32Alone(t *testing.T) {
	for _, on := range distinct(func(r *Routines) any { return r.dotF32 }) {
		k := on.dotF32
		r := rand.New(rand.NewPCG(5, 5))
		s := ConvShape{KH: 2, KW: 3, DY: 1, DX: 1, IC: 7, OC: 1, Pix: 7, Row: 7 * 23}
		src, dst, worker := kerneltest.Uniform(r, 2*s.Row), make([]float32, 21), new(Worker)
		d := newDotF32(k, s, kerneltest.Uniform(r, 42), kerneltest.Uniform(r, 1), -9, 9)
		d.Run(worker, Plane[float32]{dst, 21, 1}, Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, 1, 21)
		for x, v := range dst {
			var one [1]float32
			d.Run(worker, Plane[float32]{one[:], 1, 1}, Plane[float32]{src[x*s.Pix:], s.Row, s.Pix}, Plane[float32]{}, 1, 1)
			if one[0] != v {
				t.Errorf("%s: pixel %d is %g, alone %g", on.variant, x, v, one[0])
			}
		}
	}
}

func BenchmarkDotF32(b *testing.B) {
	for _, on := range distinct(func(r *Routines) any { return r.dotF32 }) {
		k := on.dotF32
		b.Run(string(on.variant), func(b *testing.B) {
			s := ConvShape{KH: 3, KW: 3, DY: 1, DX: 1, IC: 8, OC: 1, Row: 258 * 8, Pix: 8}
			r := rand.New(rand.NewPCG(1, 2))
			d := newDotF32(k, s, kerneltest.Uniform(r, 72), nil, 0, 6)
			src, dst, worker := kerneltest.Uniform(r, 10*s.Row), make([]float32, 8*256), new(Worker)
			for b.Loop() {
				d.Run(worker, Plane[float32]{dst, 256, 1}, Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, 8, 256)
			}
			b.ReportMetric(2*72*8*256*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
