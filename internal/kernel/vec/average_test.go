package vec

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

func randomPixels(r *rand.Rand) Pixels {
	c := 1 + r.IntN(40)
	return Pixels{N: r.IntN(9), C: c, Step: c * (1 + r.IntN(3)), Tap: c * (1 + r.IntN(2)), K: 1 + r.IntN(5)}
}

func TestAverageBytes(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(31, 32))
		for range kerneltest.Cases(2000) {
			p := randomPixels(r)
			count := 1 + r.IntN(averageCounts[r.IntN(len(averageCounts))])
			acc := make([]int32, max(0, p.reach()))
			for i := range acc {
				acc[i] = int32(r.IntN(2*255*count+1)-255*count) / int32(p.K)
			}
			lo, hi := int32(-128+r.IntN(20)), int32(127-r.IntN(20))
			want := make([]byte, p.N*p.C)
			for i := range want {
				var sum int32
				for k := range p.K {
					sum += acc[i/p.C*p.Step+k*p.Tap+i%p.C]
				}
				want[i] = byte(min(max(roundedQuotient(sum, int32(count)), lo), hi))
			}
			dst, intact := kerneltest.Guard(len(want), r.IntN(20), uint8(0xA5))
			k.AverageBytes(dst, acc, p, count, lo, hi)
			intact(t)
			for i := range want {
				if dst[i] != want[i] {
					t.Fatalf("%+v over %d: byte %d is %d, want %d", p, count, i, int8(dst[i]), int8(want[i]))
				}
			}
		}
	})
}

// averageCounts bounds the numbers of values that are averaged: some above what
// the vectors take.
var averageCounts = []int{4, 10, 100, 1 << 13, 1 << 14, 1 << 17}

func roundedQuotient(v, n int32) int32 {
	if v > 0 {
		return (v + n/2) / n
	}
	return (v - n/2) / n
}

// TestAverageBytesOfEverySum: around every whole number and every half, for
// counts up to the largest that the vectors take.
func TestAverageBytesOfEverySum(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		for _, count := range []int{1, 2, 3, 4, 5, 6, 7, 9, 49, 63, 64, 121, 1000, 4095, 8191, 8192} {
			var acc []int32
			for q := -510; q <= 510; q++ {
				for d := -2; d <= 2; d++ {
					acc = append(acc, int32(max(-255*count, min(255*count, q*count/2+d))))
				}
			}
			dst := make([]byte, len(acc))
			k.AverageBytes(dst, acc, Pixels{N: 1, C: len(acc), K: 1}, count, -255, 255)
			for i, v := range acc {
				if want := byte(roundedQuotient(v, int32(count))); dst[i] != want {
					t.Fatalf("%d over %d gives %d, want %d", v, count, dst[i], want)
				}
			}
		}
	})
}

func TestAverageF32(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(33, 34))
		for range kerneltest.Cases(2000) {
			p := randomPixels(r)
			count, acc := 1+r.IntN(50), kerneltest.Normal(r, max(0, p.reach()))
			dst, intact := kerneltest.Guard(p.N*p.C, r.IntN(20), float32(77))
			k.AverageF32(dst, acc, p, count, -0.5, 0.25)
			intact(t)
			for i, got := range dst {
				var sum float32
				for k := range p.K {
					sum += acc[i/p.C*p.Step+k*p.Tap+i%p.C]
				}
				if want := min(max(sum/float32(count), -0.5), 0.25); got != want {
					t.Fatalf("%+v over %d: element %d is %g, want %g", p, count, i, got, want)
				}
			}
		}
	})
}

func BenchmarkAverageBytes(b *testing.B) {
	p := Pixels{N: 28, C: 64, Step: 128, Tap: 64, K: 2}
	dst, acc := make([]byte, p.N*p.C), make([]int32, p.reach())
	kerneltest.Bench(b, For, len(acc), func(k *Routines) func() { return func() { k.AverageBytes(dst, acc, p, 4, -128, 127) } })
}
