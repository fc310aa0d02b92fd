package vec

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// randomPair draws scales such that results spread over the type, and now and
// then equal ones, of which halves are exact.
func randomPair(r *rand.Rand) *PairBytes {
	p := &PairBytes{Op: []PairF32{AddPair, SubPair, MulPair}[r.IntN(3)], Signed: r.IntN(2) == 0,
		ZeroX: r.Int32N(256), ZeroY: r.Int32N(256), Zero: r.Int32N(256), Lo: r.Int32N(20), Hi: 255 - r.Int32N(20)}
	if p.Signed {
		p.ZeroX, p.ZeroY, p.Zero, p.Lo, p.Hi = p.ZeroX-128, p.ZeroY-128, p.Zero-128, p.Lo-128, p.Hi-128
	}
	x, y, out := 0.001+r.Float64(), 0.001+r.Float64(), 0.1+2*r.Float64()
	if r.IntN(3) == 0 {
		x, y, out = 0.5, []float64{0.5, 0.25, 0.125}[r.IntN(3)], []float64{0.5, 1, 2}[r.IntN(3)]
	}
	twice := 2 * max(x, y)
	p.X, p.Y, p.Result = fixed(x/twice), fixed(y/twice), fixed(twice/(out*(1<<SumShift)))
	if p.Op == MulPair {
		p.Result = fixed(x * y / (out * float64(uint(1)<<r.IntN(8))))
	}
	return p
}

func fixed(factor float64) Fixed {
	m, s := QuantizeMultiplier(factor)
	return Fixed{m, s}
}

// TestPairBytes: all pairs of values.
func TestPairBytes(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(71, 72))
		vectors := 0
		for range kerneltest.Cases(120) {
			p := randomPair(r)
			if k.Vector(p) {
				vectors++
			}
			x, y := make([]byte, 256), make([]byte, 256)
			for a := range 256 {
				for i := range x {
					x[i], y[i] = byte(a), byte(i)
				}
				dst, check := kerneltest.Guarded(t, len(x), byte(77))
				p.Run(dst, x, y)
				check()
				for i := range dst {
					u, v := int32(x[i]), int32(y[i])
					if p.Signed {
						u, v = int32(int8(u)), int32(int8(v))
					}
					if want := byte(p.Value(u, v)); dst[i] != want {
						t.Fatalf("%+v of %d and %d gives %d, want %d", *p, u, v, dst[i], want)
					}
				}
			}
		}
		if k.addBytesI8.size > 0 && vectors == 0 {
			t.Error("no case ran in vectors")
		}
	})
}

// TestPairBytesLengths: every length around the blocks, in place.
func TestPairBytesLengths(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(73, 74))
		for n := range 70 {
			p := randomPair(r)
			k.Vector(p)
			x, y := kerneltest.RandomBytes(r, n+1)[1:], kerneltest.RandomBytes(r, n)
			dst, check := kerneltest.Guarded(t, n, byte(77))
			p.Run(dst, x, y)
			check()
			p.Run(x, x, y)
			if string(x) != string(dst) {
				t.Fatalf("%d bytes in place differ", n)
			}
		}
	})
}

func BenchmarkPairBytes(b *testing.B) {
	x, dst := kerneltest.RandomBytes(rand.New(rand.NewPCG(1, 1)), 4096), make([]byte, 4096)
	for name, op := range map[string]PairF32{"sum": AddPair, "product": MulPair} {
		p := &PairBytes{Op: op, Signed: true, X: fixed(0.5), Y: fixed(0.3), Result: fixed(0.8 / (1 << SumShift)), Lo: -128, Hi: 127}
		b.Run(name, func(b *testing.B) {
			kerneltest.Bench(b, For, len(x), func(k *Routines) func() {
				p := *p
				k.Vector(&p)
				return func() { p.Run(dst, x, x) }
			})
		})
	}
}
