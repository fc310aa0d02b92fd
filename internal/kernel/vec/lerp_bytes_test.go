package vec

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestLerpI8 compares every variant with the definition in 64 bits.
func TestLerpI8(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(81, 82))
		for range kerneltest.Cases(1500) {
			c, n, w := 1+r.IntN(50), r.IntN(9), 1+r.IntN(6)
			var lo, hi, u []int
			for range n {
				lo, hi, u = append(lo, r.IntN(w)), append(hi, r.IntN(w)), append(u, []int{0, 256, 512, 1024, r.IntN(1025)}[r.IntN(5)])
			}
			l, share := k.NewLerpI8(lo, hi, u, c), []int{0, 512, 1024, r.IntN(1025)}[r.IntN(4)]
			top, bottom := kerneltest.RandomBytes(r, w*c), kerneltest.RandomBytes(r, w*c)
			dst, intact := kerneltest.Guard(n*c, r.IntN(20), byte(77))
			l.Run(dst, top, bottom, share)
			intact(t)
			for i, got := range dst {
				x, k := i/c, i%c
				row := func(s []byte) int64 {
					return int64(1024-u[x])*int64(int8(s[lo[x]*c+k])) + int64(u[x])*int64(int8(s[hi[x]*c+k]))
				}
				v := int64(1024-share)*row(top) + int64(share)*row(bottom)
				want := (v + 1<<19) / (1 << 20)
				if v < 0 {
					want = (v - 1<<19) / (1 << 20)
				}
				if got != byte(want) {
					t.Fatalf("%d channels, position %d of %d, channel %d: %d, want %d", c, x, n, k, int8(got), want)
				}
			}
		}
	})
}

func BenchmarkLerpI8(b *testing.B) {
	lo, hi, u := make([]int, 112), make([]int, 112), make([]int, 112)
	for x := range lo {
		lo[x], hi[x], u[x] = x/2, min(x/2+1, 55), x%2*512
	}
	row, dst := kerneltest.RandomBytes(rand.New(rand.NewPCG(1, 1)), 56*64), make([]byte, 112*64)
	kerneltest.Bench(b, For, len(dst), func(k *Routines) func() {
		l := k.NewLerpI8(lo, hi, u, 64)
		return func() { l.Run(dst, row, row, 300) }
	})
}
