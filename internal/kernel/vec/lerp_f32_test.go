package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestLerpF32 compares every variant with the definition in float64. The
// sources end with the last channel read.
func TestLerpF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(6, 6))
		for range kerneltest.Cases(200) {
			c, n, width := 1+r.IntN(20), 1+r.IntN(9), 1+r.IntN(6)
			pix := c + r.IntN(2)*r.IntN(5)
			lo, hi, u := make([]int, n), make([]int, n), kerneltest.Uniform(r, n)
			for i := range lo {
				lo[i], hi[i] = r.IntN(width), r.IntN(width)
			}
			size := (width-1)*pix + c
			top, bottom, share := kerneltest.Uniform(r, size), kerneltest.Uniform(r, size), r.Float32()
			dst, intact := kerneltest.Guard(n*c, 1+r.IntN(8), float32(-12345))
			k.NewLerpF32(lo, hi, u, c, pix).Run(dst, top, bottom, share)
			intact(t)
			for i, v := range dst {
				at := func(row []float32, x int) float64 { return float64(row[x*pix+i%c]) }
				s, w := float64(share), float64(u[i/c])
				want := (1-s)*((1-w)*at(top, lo[i/c])+w*at(top, hi[i/c])) + s*((1-w)*at(bottom, lo[i/c])+w*at(bottom, hi[i/c]))
				if d := math.Abs(float64(v) - want); !(d < 1e-5) {
					t.Fatalf("%d channels %d apart, element %d = %g, want %g", c, pix, i, v, want)
				}
			}
		}
	})
}

func BenchmarkLerpF32(b *testing.B) {
	lo, hi, u := make([]int, 256), make([]int, 256), make([]float32, 256)
	for i := range lo {
		lo[i], hi[i], u[i] = i/2, min(i/2+1, 127), 0.25
	}
	top, bottom, dst := make([]float32, 1024), make([]float32, 1024), make([]float32, 2048)
	kerneltest.Bench(b, For, len(dst), func(k *Routines) func() {
		l := k.NewLerpF32(lo, hi, u, 8, 8)
		return func() { l.Run(dst, top, bottom, 0.25) }
	})
}
