package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestDequantise wants the float64 product, rounded once.
func TestDequantise(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(61, 62))
		for n := range 300 {
			src, signed := kerneltest.RandomBytes(r, n+1)[1:], n%2 == 0
			scale, zero := float32(math.Ldexp(0.5+r.Float64()/2, r.IntN(20)-12)), r.Int32N(256)
			if signed {
				zero -= 128
			}
			dst, check := kerneltest.Guarded(t, n, float32(77))
			k.Dequantise(dst, src, scale, zero, signed)
			check()
			for i, b := range src {
				v := int32(b)
				if signed {
					v = int32(int8(b))
				}
				if want := float32(float64(scale) * float64(v-zero)); math.Float32bits(dst[i]) != math.Float32bits(want) {
					t.Fatalf("%d at scale %g, zero point %d, signed %v gives %g, want %g", b, scale, zero, signed, dst[i], want)
				}
			}
		}
	})
}
