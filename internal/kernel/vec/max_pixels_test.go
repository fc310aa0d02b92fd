package vec

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

func TestMaxPixels(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, routines *Routines) {
		r := rand.New(rand.NewPCG(19, 20))
		for range 400 {
			n, c, k, signed := r.IntN(20), 1+r.IntN(70), 1+r.IntN(5), r.IntN(2) == 0
			step, tap := c*(1+r.IntN(3)), c*(1+r.IntN(3))
			src := kerneltest.RandomBytes(r, max(0, (n-1)*step+(k-1)*tap+c))
			dst, intact := kerneltest.Guard(n*c, 1+r.IntN(16), uint8(0xA5))
			routines.MaxPixels(dst, src, n, c, step, tap, k, signed)
			for i, got := range dst {
				want := src[i/c*step+i%c]
				for t := range k {
					v := src[i/c*step+t*tap+i%c]
					if signed && int8(v) > int8(want) || !signed && v > want {
						want = v
					}
				}
				if got != want {
					t.Fatalf("%d pixels of %d, step %d, %d taps of %d, signed %t: byte %d = %d, want %d", n, c, step, k, tap, signed, i, got, want)
				}
			}
			intact(t)
		}
	})
}

func TestMaxPixelsF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, routines *Routines) {
		r := rand.New(rand.NewPCG(21, 20))
		for range 400 {
			n, c, k := r.IntN(20), 1+r.IntN(40), 1+r.IntN(5)
			step, tap := c*(1+r.IntN(3)), c*(1+r.IntN(3))
			src := kerneltest.Normal(r, max(0, (n-1)*step+(k-1)*tap+c))
			dst, intact := kerneltest.Guard(n*c, 1+r.IntN(16), float32(77))
			routines.MaxPixelsF32(dst, src, n, c, step, tap, k)
			for i, got := range dst {
				want := minusInf
				for t := range k {
					want = max(want, src[i/c*step+t*tap+i%c])
				}
				if got != want {
					t.Fatalf("%d pixels of %d, step %d, %d taps of %d: element %d = %g, want %g", n, c, step, k, tap, i, got, want)
				}
			}
			intact(t)
		}
	})
}

func BenchmarkMaxPixels(b *testing.B) {
	src, dst := make([]byte, 2*64*24), make([]byte, 64*24)
	kerneltest.Bench(b, For, len(src), func(routines *Routines) func() {
		return func() { routines.MaxPixels(dst, src, 64, 24, 48, 24, 2, true) }
	})
}
