package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/kerneltest"
)

// oddFloats holds zeros of both signs, infinities, what is no number, and
// values of every size.
func oddFloats(r *rand.Rand, n int) []float32 {
	odd := []float32{0, float32(math.Copysign(0, -1)), plusInf, minusInf, float32(math.NaN()), 1e-42, -1e-42, math.MaxFloat32, -3, 3, 6}
	v := make([]float32, n)
	for i := range v {
		switch r.IntN(8) {
		case 0:
			v[i] = odd[r.IntN(len(odd))]
		case 1:
			v[i] = math.Float32frombits(r.Uint32())
		default:
			v[i] = float32(r.NormFloat64() * 20)
		}
	}
	return v
}

// sameFloats compares bits, but for the sign and content of NaNs.
func sameFloats(t *testing.T, got, want []float32, of string) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
			t.Fatalf("%s: element %d of %d is %g, want %g", of, i, len(want), got[i], want[i])
		}
	}
}

// rowsF32 are the routines of one operand.
var rowsF32 = map[string]func(k *Routines, dst, src []float32){
	"clamp":      func(k *Routines, dst, src []float32) { k.ClampF32(dst, src, -3, 6) },
	"hard swish": (*Routines).HardSwishF32,
	"leaky relu": func(k *Routines, dst, src []float32) { k.LeakyReluF32(dst, src, 0.2) },
	"scale":      func(k *Routines, dst, src []float32) { k.ScaleF32(dst, src, 0.3) },
	"exp":        func(k *Routines, dst, src []float32) { k.ExpF32(dst, src, 0.5, 1.5) },
	"logistic":   (*Routines).LogisticF32,
	"tanh":       (*Routines).TanhF32,
	"elu":        (*Routines).EluF32,
}

// TestRowsF32: every variant gives the bits of the portable one, into its operand
// as well as elsewhere.
func TestRowsF32(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for name, f := range rowsF32 {
		for n := range 100 {
			src := oddFloats(r, n+1)[1:]
			want := make([]float32, n)
			f(portable, want, src)
			kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
				dst, check := kerneltest.Guarded(t, n, float32(77))
				f(k, dst, src)
				check()
				sameFloats(t, dst, want, name)
				copy(dst, src)
				f(k, dst, dst)
				check()
				sameFloats(t, dst, want, name+" in place")
			})
		}
	}
}

// portable is what the others are compared with.
var portable = For(cpu.Generic)

func TestPairF32(t *testing.T) {
	r := rand.New(rand.NewPCG(43, 44))
	for p := range pairs {
		for n := range 70 {
			x, y := oddFloats(r, n+1)[1:], oddFloats(r, n)
			want := make([]float32, n)
			lo, hi := minusInf, plusInf
			if n%3 == 0 {
				lo, hi = -3, 6
			}
			portable.Pair(p)(want, x, y, lo, hi)
			kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
				dst, check := kerneltest.Guarded(t, n, float32(77))
				k.Pair(p)(dst, x, y, lo, hi)
				check()
				sameFloats(t, dst, want, fmt.Sprint("operation ", p))
			})
		}
	}
}

// TestPairF32Defines: what the operations are.
func TestPairF32Defines(t *testing.T) {
	want := map[PairF32]float32{AddPair: 1, SubPair: -5, MulPair: -6, DivPair: float32(-2) / 3, MaxPair: 3, MinPair: -2, PreluPair: -6, SquaredDiffers: 25}
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		for p := range pairs {
			x, y := make([]float32, 9), make([]float32, 9)
			for i := range x {
				x[i], y[i] = -2, 3
			}
			k.Pair(p)(x, x, y, minusInf, plusInf)
			for i, v := range x {
				if v != want[p] {
					t.Errorf("operation %d on -2 and 3, element %d: %g, want %g", p, i, v, want[p])
				}
			}
		}
	})
}

// TestFunctionsF32 measures the functions against float64, in units of the last
// place of the result, or of one where e^x-1 is near zero.
func TestFunctionsF32(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(k *Routines, dst, src []float32)
		want func(x float64) float64
		most float64
	}{
		"exp":      {func(k *Routines, dst, src []float32) { k.ExpF32(dst, src, 0, 1) }, math.Exp, 2},
		"logistic": {(*Routines).LogisticF32, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 4},
		"tanh":     {(*Routines).TanhF32, math.Tanh, 3},
		"elu":      {(*Routines).EluF32, func(x float64) float64 { return max(x, math.Expm1(min(x, 0))) }, 4},
	} {
		worst := 0.0
		for i := range 200000 {
			x := []float32{float32(i-100000) / 1150, math.Float32frombits(uint32(i) * 21474)}[i&1]
			dst := []float32{0}
			c.f(portable, dst, []float32{x})
			want := c.want(float64(x))
			if math.Abs(want) > math.MaxFloat32 || x != x || name == "logistic" && x < -87 { // e^-x is infinite soon
				continue
			}
			_, e := math.Frexp(want)
			if d := math.Abs(float64(dst[0])-want) / math.Ldexp(1, max(e, -125)-24); d > worst {
				worst = d
				if worst > c.most {
					t.Fatalf("%s of %g is %g, want %g: %.1f units of the last place, allowed %g", name, x, dst[0], want, worst, c.most)
				}
			}
		}
		t.Logf("%s: at most %.2f units", name, worst)
	}
}

// TestExpF32Sums: the same sum in every variant, and about what it should be.
func TestExpF32Sums(t *testing.T) {
	r := rand.New(rand.NewPCG(45, 46))
	for n := range 60 {
		src, dst := kerneltest.Normal(r, n), make([]float32, n)
		want := portable.ExpF32(dst, src, 0.5, 1)
		exact := 0.0
		for _, v := range src {
			exact += math.Exp(float64(v - 0.5))
		}
		if math.Abs(float64(want)-exact) > 1e-5*exact {
			t.Errorf("sum of %d: %g, want %g", n, want, exact)
		}
		kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
			if got := k.ExpF32(dst, src, 0.5, 1); got != want {
				t.Errorf("sum of %d: %g, want %g", n, got, want)
			}
		})
	}
}

func TestTopF32(t *testing.T) {
	r := rand.New(rand.NewPCG(47, 48))
	for n := range 60 {
		v := oddFloats(r, n)
		want := minusInf
		for _, x := range v {
			if x > want {
				want = x
			}
		}
		kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
			if got := k.TopF32(v); got != want {
				t.Errorf("greatest of %v: %g, want %g", v, got, want)
			}
		})
	}
}

func BenchmarkRowsF32(b *testing.B) {
	src, dst := kerneltest.Normal(rand.New(rand.NewPCG(1, 1)), 4096), make([]float32, 4096)
	for name, f := range rowsF32 {
		b.Run(name, func(b *testing.B) {
			kerneltest.Bench(b, For, len(src), func(k *Routines) func() { return func() { f(k, dst, src) } })
		})
	}
}

func BenchmarkPairF32(b *testing.B) {
	src, dst := kerneltest.Normal(rand.New(rand.NewPCG(1, 1)), 4096), make([]float32, 4096)
	kerneltest.Bench(b, For, len(src), func(k *Routines) func() {
		prelu := k.Pair(PreluPair)
		return func() { prelu(dst, src, src, minusInf, plusInf) }
	})
}
