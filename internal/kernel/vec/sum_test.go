package vec

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestSumRows: every length around the blocks, few rows and many, among them
// such as hold nothing but the extreme values.
func TestSumRows(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(5, 5))
		for n := range 150 {
			for _, signed := range []bool{true, false} {
				rows, stride := r.IntN(12), n+r.IntN(40)
				if n%10 == 0 {
					rows = 120 + r.IntN(200)
				}
				src := kerneltest.RandomBytes(r, max(0, (rows-1)*stride+n)+3)[3:]
				if n%4 == 0 {
					for i := range src {
						src[i] = byte(n%8*32 + 127 + n%8/4)
					}
				}
				acc, check := kerneltest.Guarded(t, n, int32(1000))
				k.SumRows(acc, src, rows, stride, signed)
				check()
				want := make([]int32, n)
				sumRowsGeneric(want, src, rows, stride, signed)
				for i := range want {
					if acc[i] != 1000+want[i] {
						t.Fatalf("%d columns, %d rows, signed %v: column %d gives %d, want %d", n, rows, signed, i, acc[i], 1000+want[i])
					}
				}
			}
		}
	})
}

func BenchmarkSumRows(b *testing.B) {
	acc, src := make([]int32, 1024), make([]byte, 49*1024)
	kerneltest.Bench(b, For, len(src), func(k *Routines) func() { return func() { k.SumRows(acc, src, 49, 1024, true) } })
}

// TestSumRowsF32: every variant gives the same bits.
func TestSumRowsF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(6, 5))
		for n := 2; n < 70; n++ {
			rows, stride := r.IntN(40), n+r.IntN(10)
			src := kerneltest.Normal(r, max(0, (rows-1)*stride+n)+1)[1:]
			acc, check := kerneltest.Guarded(t, n, 0.25)
			k.SumRowsF32(acc, src, rows, stride)
			check()
			for i, got := range acc {
				want := 0.25
				for k := range rows {
					want += float64(src[k*stride+i])
				}
				if got != want {
					t.Fatalf("%d columns, %d rows: column %d gives %g, want %g", n, rows, i, got, want)
				}
			}
		}
	})
}

func TestSumRowsF32OfOneColumn(t *testing.T) {
	src := make([]float32, 100)
	for i := range src {
		src[i] = float32(i)
	}
	for rows := range 34 {
		acc := []float64{1000}
		portable.SumRowsF32(acc, src, rows, 3)
		if want := 1000 + 3*float64(rows*(rows-1)/2); acc[0] != want {
			t.Errorf("%d rows give %g, want %g", rows, acc[0], want)
		}
	}
}

func BenchmarkSumRowsF32(b *testing.B) {
	acc, src := make([]float64, 1024), make([]float32, 49*1024)
	kerneltest.Bench(b, For, len(src), func(k *Routines) func() { return func() { k.SumRowsF32(acc, src, 49, 1024) } })
}
