// Package kerneltest holds what tests of the kernels share: a run per variant,
// slices with guard values around them, and random values.
package kerneltest

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/cpu"
)

// EachVariant runs a test once per variant of this machine, on its routines.
func EachVariant[R any](t *testing.T, of func(cpu.Variant) R, f func(t *testing.T, k R)) {
	t.Helper()
	for _, v := range cpu.Available() {
		t.Run(string(v), func(t *testing.T) { f(t, of(v)) })
	}
}

// Cases is n or, with -short, an eighth of it: under an emulator the definition
// that routines are compared with is slow.
func Cases(n int) int {
	if testing.Short() {
		return n / 8
	}
	return n
}

// Guard surrounds a slice of n elements with a pattern and returns a check
// that the pattern is still there.
func Guard[T comparable](n, lead int, pattern T) (inner []T, check func(t *testing.T)) {
	const margin = 64
	all := make([]T, lead+n+margin)
	for i := range all {
		all[i] = pattern
	}
	return all[lead : lead+n : lead+n], func(t *testing.T) {
		t.Helper()
		for i, v := range all {
			if (i < lead || i >= lead+n) && v != pattern {
				t.Fatalf("element %d outside the slice of %d was written", i-lead, n)
			}
		}
	}
}

const guardBand = 64 // elements around every slice that a routine writes

// Guarded gives n elements inside a larger slice filled with mark, and a check
// that nothing around them changed.
func Guarded[T comparable](t *testing.T, n int, mark T) ([]T, func()) {
	all := make([]T, n+2*guardBand)
	for i := range all {
		all[i] = mark
	}
	return all[guardBand : guardBand+n : guardBand+n], func() {
		t.Helper()
		for i := range guardBand {
			if all[i] != mark || all[len(all)-1-i] != mark {
				t.Fatalf("wrote outside: %v before, %v after", all[i], all[len(all)-1-i])
			}
		}
	}
}

// RandomBytes gives n bytes.
func RandomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Uniform gives n floats from -1 to 1.
func Uniform(r *rand.Rand, n int) []float32 {
	f := make([]float32, n)
	for i := range f {
		f[i] = r.Float32()*2 - 1
	}
	return f
}

// Normal gives n floats around 0.
func Normal(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// Bench reports multiply-accumulates, or elements, a nanosecond of what f makes
// of the routines of each variant.
func Bench[R any](b *testing.B, of func(cpu.Variant) R, work int, f func(k R) func()) {
	for _, v := range cpu.Available() {
		run := f(of(v))
		b.Run(string(v), func(b *testing.B) {
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(work)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "G/s")
		})
	}
}
