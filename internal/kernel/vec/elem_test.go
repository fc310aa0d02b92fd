package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// testElem runs f on every length around the block sizes, at odd offsets.
func testElem[T float32 | int8 | uint8](t *testing.T, f func(k *Routines, dst, src []T), want func(a, b T) T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(9, 9))
		for n := range 140 {
			src := make([]T, n+1)[1:]
			before := make([]T, n)
			dst, check := kerneltest.Guarded(t, n, T(77))
			for i := range n {
				src[i], dst[i] = T(r.IntN(100)-50), T(r.IntN(100)-50)
				before[i] = dst[i]
			}
			f(k, dst, src)
			check()
			for i := range n {
				if w := want(before[i], src[i]); dst[i] != w {
					t.Fatalf("length %d element %d: %v and %v give %v, want %v", n, i, before[i], src[i], dst[i], w)
				}
			}
		}
	})
}

func TestMaxF32(t *testing.T) {
	testElem(t, (*Routines).MaxF32, func(a, b float32) float32 { return max(a, b) })
}

// TestMaxF32OfNaN wants what the portable loop gives: a NaN in dst stays, one
// in src is passed over, and so is a zero for a zero of the other sign.
func TestMaxF32OfNaN(t *testing.T) {
	nan, minus := float32(math.NaN()), float32(math.Copysign(0, -1))
	pairs := [][2]float32{{nan, 1}, {1, nan}, {nan, nan}, {minus, 0}, {0, minus}, {minusInf, plusInf}, {plusInf, nan}}
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		for i, p := range pairs {
			dst, src := slices.Repeat(p[:1], 35), slices.Repeat(p[1:], 35)
			k.MaxF32(dst, src)
			want := p[0]
			if p[1] > p[0] {
				want = p[1]
			}
			for j, v := range dst {
				if math.Float32bits(v) != math.Float32bits(want) {
					t.Fatalf("pair %d element %d: %v and %v give %v, want %v", i, j, p[0], p[1], v, want)
				}
			}
		}
	})
}

func TestAddF32(t *testing.T) {
	testElem(t, (*Routines).AddF32, func(a, b float32) float32 { return a + b })
}
func TestMaxI8(t *testing.T) {
	testElem(t, (*Routines).MaxI8, func(a, b int8) int8 { return max(a, b) })
}
func TestMaxU8(t *testing.T) {
	testElem(t, (*Routines).MaxU8, func(a, b uint8) uint8 { return max(a, b) })
}

func BenchmarkMaxF32(b *testing.B) {
	x, y := make([]float32, 4096), make([]float32, 4096)
	kerneltest.Bench(b, For, len(x), func(k *Routines) func() { return func() { k.MaxF32(x, y) } })
}
