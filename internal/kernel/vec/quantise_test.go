package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestQuantise compares every variant with the portable one: halves and their
// neighbours, values far outside, infinities, NaN and any bits.
func TestQuantise(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(21, 22))
		for n := range 300 {
			src := make([]float32, n)
			scale := float32(math.Ldexp(0.5+r.Float64()/2, r.IntN(20)-12))
			if n%3 == 0 {
				scale = 0.25 // halves are exact
			}
			for i := range src {
				src[i] = oddReal(r, scale)
			}
			zero, lo, hi := r.Int32N(256), int32(0), int32(255)
			if n%2 == 0 {
				zero, lo, hi = zero-128, -128, 127
			}
			want := make([]byte, n)
			quantiseGeneric(want, src, scale, zero, lo, hi)
			dst, check := kerneltest.Guarded(t, n, byte(77))
			k.Quantise(dst, src, scale, zero, lo, hi)
			check()
			for i, v := range src {
				if dst[i] != want[i] {
					t.Fatalf("%g at scale %g, zero point %d gives %d, want %d", v, scale, zero, dst[i], want[i])
				}
			}
		}
	})
}

func oddReal(r *rand.Rand, scale float32) float32 {
	half := (float32(r.IntN(600)-300) + 0.5) * scale
	switch r.IntN(6) {
	case 0:
		return math.Float32frombits(r.Uint32())
	case 1:
		return half
	case 2:
		return math.Nextafter32(half, float32(r.IntN(3)-1)*1e9)
	case 3:
		return []float32{plusInf, minusInf, float32(math.NaN()), 0, -scale / 2, math.MaxFloat32}[r.IntN(6)]
	}
	return (r.Float32()*300 - 150) * scale
}

func BenchmarkQuantise(b *testing.B) {
	src, dst := make([]float32, 4096), make([]byte, 4096)
	for i := range src {
		src[i] = float32(i%256) / 128
	}
	kerneltest.Bench(b, For, len(src), func(k *Routines) func() { return func() { k.Quantise(dst, src, 1.0/128, 0, -128, 127) } })
}
