package vec

import (
	"math/rand/v2"
	"testing"

	"edged/internal/kernel/kerneltest"
)

// TestTable: every value, every length around the blocks, in place too.
func TestTable(t *testing.T) {
	kerneltest.EachVariant(t, For, func(t *testing.T, k *Routines) {
		r := rand.New(rand.NewPCG(51, 52))
		for n := range 400 {
			var values [256]byte
			copy(values[:], kerneltest.RandomBytes(r, 256))
			table, src := k.NewTable(&values), kerneltest.RandomBytes(r, n+1)[1:]
			for i := range src {
				if n >= 256 {
					src[i] = byte(i)
				}
			}
			dst, check := kerneltest.Guarded(t, n, byte(77))
			table.Run(dst, src)
			check()
			for i, v := range src {
				if dst[i] != values[v] {
					t.Fatalf("%d bytes: %d at %d becomes %d, want %d", n, v, i, dst[i], values[v])
				}
			}
			table.Run(src, src)
			if string(src) != string(dst) {
				t.Fatalf("%d bytes in place differ", n)
			}
		}
	})
}

func BenchmarkTable(b *testing.B) {
	var values [256]byte
	src, dst := kerneltest.RandomBytes(rand.New(rand.NewPCG(1, 1)), 4096), make([]byte, 4096)
	kerneltest.Bench(b, For, len(src), func(k *Routines) func() {
		table := k.NewTable(&values)
		return func() { table.Run(dst, src) }
	})
}
