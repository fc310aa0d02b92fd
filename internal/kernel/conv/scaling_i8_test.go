package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/cpu"
	"edged/internal/kernel/vec"
)

// scalingSums and scalingFactors are where roundings, signs and widths of
// products begin to matter; sums are drawn too.
func scalingSums(r *rand.Rand) []int32 {
	sums := []int32{0, math.MinInt32, math.MinInt32 + 1, math.MaxInt32}
	for bit := range 31 {
		for _, x := range []int32{1 << bit, 3 << bit, 5 << bit} {
			sums = append(sums, x-1, x, x+1, 1-x, -x, -x-1)
		}
		for range 4 {
			sums = append(sums, int32(r.Uint32())>>bit)
		}
	}
	return sums
}

func scalingFactors(r *rand.Rand, least, most int32) []Factor {
	factors := []Factor{{0, 0}}
	for shift := least; shift <= most; shift++ {
		factors = append(factors, Factor{1 << 30, shift}, Factor{1<<30 + 1, shift}, Factor{math.MaxInt32, shift}, Factor{1<<30 + r.Int32N(1<<30), shift})
	}
	return factors
}

// TestScalingI8 compares every variant's scaling with the definition: weights
// are zero, so the biases are the sums.
func TestScalingI8(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	sums, step := scalingSums(r), 1
	if testing.Short() {
		step = 7 // every kind of factor in turn
	}
	for _, factors := range [][]Factor{scalingFactors(r, -31, -1), scalingFactors(r, -31, 30)} {
		for i := 0; i < len(factors); i += step {
			f := factors[i]
			p := ConvI8Params{DstZero: 3, Lo: 0, Hi: 255}
			for range sums {
				p.Factors = append(p.Factors, f, factors[r.IntN(len(factors))])
			}
			checkScalingI8(t, sums, p)
			p.Signed, p.DstZero, p.Lo, p.Hi = true, -128, -128, 127
			checkScalingI8(t, sums, p)
		}
	}
}

// checkScalingI8 takes two factors for each sum.
func checkScalingI8(t *testing.T, sums []int32, p ConvI8Params) {
	t.Helper()
	n := len(p.Factors)
	bias := make([]int32, n)
	for i := range bias {
		bias[i] = sums[i/2]
	}
	src, dst, worker := make([]uint8, 3*n+Slack), make([]uint8, n), new(Worker)
	compare := func(v cpu.Variant, most int32, scale func(x, multiplier, shift int32) int32) {
		t.Helper()
		for i, f := range p.Factors {
			if bias[i] > most {
				continue
			}
			if want := uint8(min(max(scale(bias[i], f.Multiplier, f.Shift)+p.DstZero, p.Lo), p.Hi)); dst[i] != want {
				t.Fatalf("%s: sum %d times %+v to %d to %d: got %d, want %d", v, bias[i], f, p.Lo, p.Hi, dst[i], want)
			}
		}
	}
	one := ConvShape{KH: 1, KW: 1, DY: 1, DX: 1, IC: 1, OC: n, Row: n, Pix: n}
	for _, on := range distinct(func(r *Routines) any { return r.convI8 }) {
		on.NewConvI8(one, make([]int8, n), bias, p).Run(worker, Plane[uint8]{dst, n, n}, Plane[uint8]{src, n, n}, 1, 1)
		compare(on.variant, math.MaxInt32, vec.MulByQuantizedHalfUp)
	}
	one.IC = n
	list := distinct(func(r *Routines) any { return r.depthwiseI8 })
	for i := range 2 * len(list) {
		on := list[i/2]
		one.KW = 1 + 2*(i%2) // there are routines for three taps alone
		on.NewDepthwiseI8(one, make([]int8, n*one.KW), bias, p).Run(worker, Plane[uint8]{dst, n, n}, Plane[uint8]{src, n, n}, 1, 1)
		most := int32(math.MaxInt32)
		if on.depthwiseI8.taking(p.Factors).goesBack {
			most = 1 << 29 // AVX2's adds half of the right shift in 32 bits
		}
		compare(on.variant, most, vec.MulByQuantized)
	}
}
