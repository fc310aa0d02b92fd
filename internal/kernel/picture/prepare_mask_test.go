package picture

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/kerneltest"
)

func TestPrepareF32EqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	mean, scale := []float32{123.675, 116.28, 103.53}, []float32{1 / 58.395, 1 / 57.12, 1 / 57.375}
	for _, variant := range cpu.Available() {
		for _, swap := range []bool{false, true} {
			for pixels := range 70 {
				t.Run(fmt.Sprintf("%s/swap=%v/%d", variant, swap, pixels), func(t *testing.T) {
					src, norm := kerneltest.RandomBytes(r, 3*pixels), NewNorm(mean, scale)
					dst, check := kerneltest.Guard[float32](3*pixels, 1+pixels%9, -7)
					For(variant).PrepareF32(dst, src, &norm, swap)
					check(t)
					for i, got := range dst {
						c := i % 3
						j := i
						if swap {
							j = i - c + 2 - c
						}
						if want := (float32(src[j]) - mean[c]) * scale[c]; got != want {
							t.Fatalf("element %d: %v, want %v", i, got, want)
						}
					}
				})
			}
		}
	}
}

func TestPrepareF32OfOneChannel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	norm := NewNorm([]float32{128}, []float32{1.0 / 64})
	for _, variant := range cpu.Available() {
		for n := range 100 {
			t.Run(fmt.Sprintf("%s/%d", variant, n), func(t *testing.T) {
				src := kerneltest.RandomBytes(r, n)
				dst, check := kerneltest.Guard[float32](n, 3, -7)
				For(variant).PrepareF32(dst, src, &norm, false)
				check(t)
				for i, got := range dst {
					if want := (float32(src[i]) - 128) / 64; got != want {
						t.Fatalf("element %d: %v, want %v", i, got, want)
					}
				}
			})
		}
	}
}

// logits makes rows with many ties and some NaN and infinities.
func logits(r *rand.Rand, n int) []float32 {
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1))}
	f := make([]float32, n)
	for i := range f {
		if r.IntN(8) == 0 {
			f[i] = special[r.IntN(len(special))]
			continue
		}
		f[i] = float32(r.IntN(9) - 4)
	}
	return f
}

// argmaxDefinition is the loop of ArgmaxF32's comment, word for word.
func argmaxDefinition[T float32 | uint8 | int8](src []T, classes int) []uint8 {
	dst := make([]uint8, len(src)/classes)
	for p := range dst {
		best := 0
		for k := range classes {
			if src[p*classes+k] > src[p*classes+best] {
				best = k
			}
		}
		dst[p] = uint8(best)
	}
	return dst
}

func TestArgmaxF32EqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, variant := range cpu.Available() {
		for _, classes := range []int{1, 2, 3, 4, 5, 7, 8, 9, 16, 21, 150, 256} {
			for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 64, 101} {
				t.Run(fmt.Sprintf("%s/%dx%d", variant, n, classes), func(t *testing.T) {
					src := logits(r, n*classes)
					dst, check := kerneltest.Guard[uint8](n, n%5, 0xA5)
					For(variant).ArgmaxF32(dst, src, classes)
					check(t)
					if want := argmaxDefinition(src, classes); !slices.Equal(dst, want) {
						t.Fatalf("got  %v\nwant %v", dst, want)
					}
				})
			}
		}
	}
}

func TestArgmaxOfBytesEqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, classes := range []int{1, 2, 5, 21} {
		u := kerneltest.RandomBytes(r, 64*classes)
		s := make([]int8, len(u))
		for i, v := range u {
			s[i] = int8(v)
		}
		dst := make([]uint8, 64)
		ArgmaxU8(dst, u, classes)
		if want := argmaxDefinition(u, classes); !slices.Equal(dst, want) {
			t.Errorf("%d classes uint8: got %v, want %v", classes, dst, want)
		}
		ArgmaxI8(dst, s, classes)
		if want := argmaxDefinition(s, classes); !slices.Equal(dst, want) {
			t.Errorf("%d classes int8: got %v, want %v", classes, dst, want)
		}
	}
}

func TestThresholdF32IncludesItsLimit(t *testing.T) {
	src := []float32{0.4, 0.5, 0.6, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}
	dst := make([]uint8, len(src))
	ThresholdF32(dst, src, 0.5)
	if want := []uint8{0, 1, 1, 0, 1, 0}; !slices.Equal(dst, want) {
		t.Errorf("got %v, want %v", dst, want)
	}
}

func BenchmarkPrepareF32(b *testing.B) {
	src, dst := make([]byte, 640*480*3), make([]float32, 640*480*3)
	norm := NewNorm([]float32{1, 2, 3}, []float32{1.0 / 4, 1.0 / 5, 1.0 / 6})
	for _, variant := range cpu.Available() {
		b.Run(string(variant), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				For(variant).PrepareF32(dst, src, &norm, true)
			}
		})
	}
}

func BenchmarkArgmaxF32(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 10))
	const classes = 5
	src, dst := make([]float32, 640*480*classes), make([]uint8, 640*480)
	for i := range src {
		src[i] = r.Float32()
	}
	for _, variant := range cpu.Available() {
		b.Run(string(variant), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				For(variant).ArgmaxF32(dst, src, classes)
			}
		})
	}
}
